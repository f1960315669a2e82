"""Every deliberate difference from the AWS CLI is a real one, and nothing else is listed."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tests.parity.witnesses import aws_says, needs_aws, we_say
from tests.scenarios import SCENARIOS, Scenario

# The AWS CLI is started for each scenario, twice.
pytestmark = pytest.mark.slow

DIFFERENT = [scenario for scenario in SCENARIOS if scenario.differs is not None]


@needs_aws
@pytest.mark.parametrize("scenario", DIFFERENT, ids=lambda scenario: scenario.name)
def test_another_verdict_is_given(scenario: Scenario) -> None:
    assert scenario.differs is not None
    stage = scenario.stage()

    theirs, ours = aws_says(stage), we_say(stage)

    assert (ours.status, ours.verdicts) != (theirs.status, theirs.verdicts)
    assert theirs.status == scenario.differs.status
    assert not ours.repeats


@needs_aws
def test_the_aws_cli_is_one_that_knows_backfills_and_trailing_data() -> None:
    assert tuple(map(int, version("awscli").split(".")[:2])) >= (1, 46)
