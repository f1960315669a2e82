"""Stands in for `integrity.wiring`: gives the answers of a test, and remembers the questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from integrity.chain.model import S3Location, TimeWindow, Trail
from integrity.chain.names import LogName
from integrity.record import Run
from integrity.structs import replace
from integrity.verify.claim import Claim, MeantTrail
from integrity.verify.forecast import Forecast
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import Progress
from integrity.verify.resume import Keeping
from integrity.verify.run import Verification
from integrity.verify.voucher import Vouched
from integrity.wiring import Access, Offline, TrailListing
from tests.report import samples

Answer = Run | BaseException | Callable[[Progress], Run]


def trail(name: str = "main", *, validation: bool = True) -> Trail:
    """A trail of the samples' account."""
    return Trail(
        arn=samples.ARN.replace("main", name),
        name=name,
        account_id=samples.ACCOUNT,
        home_region="us-east-1",
        bucket="logs",
        validation=validation,
    )


@dataclass
class StandIn:
    """`answers` has a trail for each record, error or function; a list of one by default."""

    answers: Sequence[Answer] = field(default_factory=lambda: [samples.run()])
    listings: Sequence[TrailListing] | BaseException = ()
    keys: bytes | BaseException = b"keys"
    neighbours: tuple[Trail, ...] = ()
    refusal: BaseException | None = None
    access: Access | None = None
    offline: Offline | None = None
    held: TimeWindow | None = None
    claim: Claim | None = None
    regions: Sequence[str] = ()
    window: TimeWindow | None = None
    jobs: list[Job] = field(default_factory=list)
    nows: list[datetime] = field(default_factory=list)
    keeping: list[Keeping | None] = field(default_factory=list)
    left: int = 0
    forecasts: Sequence[Forecast] = ()

    def connect(self, access: Access, *, now: datetime) -> StandIn:
        self.access = access
        self.nows.append(now)
        return self

    def open_offline(self, offline: Offline, *, now: datetime) -> StandIn:
        self.offline = offline
        self.nows.append(now)
        return self

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]:
        self.claim = claim
        if self.refusal:
            raise self.refusal
        trails = [trail(f"main{index or ''}") for index in range(len(self.answers))]
        return [MeantTrail(one, self.neighbours, window=self.held) for one in trails]

    def verify(
        self,
        job: Job,
        *,
        progress: Progress,
        clock: Callable[[], datetime],
        stopping: Stopping,
        names_valid: bool,  # noqa: ARG002
        keeping: Keeping | None = None,
    ) -> Verification:
        self.keeping.append(keeping)
        answer = self.answers[len(self.jobs)]
        self.jobs.append(job)
        self.nows.append(clock())
        if isinstance(answer, BaseException):
            raise answer
        run = answer if isinstance(answer, Run) else answer(progress)
        info = replace(run.run, interrupted=stopping.is_set())
        return Verification(replace(run, trail_arn=job.trail.arn, run=info), (), left=self.left)

    def forecast(self, job: Job, now: datetime, stopping: Stopping) -> Forecast:
        self.jobs.append(job)
        self.nows.append(now)
        return replace(self.forecasts[len(self.jobs) - 1], interrupted=stopping.is_set())

    def find_log(
        self, location: S3Location, name: LogName, trail_arn: str | None, now: datetime
    ) -> Vouched:
        raise NotImplementedError

    def list_trails(self) -> Sequence[TrailListing]:
        if isinstance(self.listings, BaseException):
            raise self.listings
        return self.listings

    def save_keys(self, regions: Sequence[str], window: TimeWindow) -> bytes:
        self.regions, self.window = regions, window
        if isinstance(self.keys, BaseException):
            raise self.keys
        return self.keys
