"""What can happen to a trail, one scenario a story: what is found, and what the AWS CLI says of it.

Told once, for every test: verified from memory (`tests.verify`), and beside the AWS CLI
(`tests.parity`), whose deliberate differences `docs/aws-cli.md` lists from here.
"""

from tests.scenarios.chains import CHAINS
from tests.scenarios.deletions import DELETIONS
from tests.scenarios.digests import DIGESTS
from tests.scenarios.logs import LOGS
from tests.scenarios.planted import PLANTED
from tests.scenarios.resigned import RESIGNED
from tests.scenarios.stage import START, Difference, Scenario, Stage

__all__ = ["SCENARIOS", "START", "Difference", "Scenario", "Stage"]

SCENARIOS = [*CHAINS, *LOGS, *DIGESTS, *RESIGNED, *DELETIONS, *PLANTED]
