"""What the commands need from the rest of the program; `integrity.wiring` fulfils it.

The interface belongs here, to the room that needs it, so that the commands can be tested against a
stand-in, and so that the AWS SDK is imported only where a command really calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import click

from integrity.chain.model import S3Location, TimeWindow
from integrity.chain.names import LogName
from integrity.verify.claim import Claim, MeantTrail
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import Progress
from integrity.wiring import Access, Offline, TrailListing

if TYPE_CHECKING:
    from integrity.verify.forecast import Forecast
    from integrity.verify.resume import Keeping
    from integrity.verify.run import Verification
    from integrity.verify.voucher import Vouched


class Verifier(Protocol):
    """Where trails are verified: AWS, a copy, a bundle.

    Every method may raise UsageError (nothing can be checked) or AccessError (ask later).
    """

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]:
        """The trails that are meant, in the order in which they are verified; never none."""

    def verify(
        self,
        job: Job,
        *,
        progress: Progress,
        clock: Callable[[], datetime],
        stopping: Stopping,
        names_valid: bool,
        keeping: Keeping | None = None,
    ) -> Verification:
        """One trail's record. With `names_valid`, `progress` is told of each valid file.

        With `keeping` it goes on where it was interrupted.
        """


class Connection(Verifier, Protocol):
    """AWS, through one set of credentials."""

    def forecast(self, job: Job, now: datetime, stopping: Stopping) -> Forecast:
        """What verifying one trail will take, from listings alone."""

    def find_log(
        self, location: S3Location, name: LogName, trail_arn: str | None, now: datetime
    ) -> Vouched:
        """Who vouches for one log file. With an ARN only that trail's digest files are asked."""

    def list_trails(self) -> Sequence[TrailListing]:
        """Every trail of the caller's account."""

    def save_keys(self, regions: Sequence[str], window: TimeWindow) -> bytes:
        """The public keys of these regions as the file that `--keys` reads."""


class Wiring(Protocol):
    """The rest of the program."""

    def connect(self, access: Access, *, now: datetime) -> Connection:
        """Find the credentials. Raises UsageError where there are none."""

    def open_offline(self, offline: Offline, *, now: datetime) -> Verifier:
        """Open a copy or a bundle. Raises UsageError where it is none."""


def wiring_of(context: click.Context) -> Wiring:
    """What stands in for the rest of the program in a test, or else the rest of the program."""
    if context.obj is not None:
        stand_in: Wiring = context.obj
        return stand_in
    from integrity import wiring

    rest: Wiring = wiring
    return rest
