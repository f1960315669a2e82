"""Stands in for `integrity.wiring`: gives the answers of a test, and remembers the questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from integrity.chain.model import TimeWindow, Trail
from integrity.record import Run
from integrity.verify.job import Job
from integrity.verify.ports import Progress
from integrity.wiring import Access, Claim, TrailListing
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
    refusal: BaseException | None = None
    access: Access | None = None
    claim: Claim | None = None
    regions: Sequence[str] = ()
    window: TimeWindow | None = None
    jobs: list[Job] = field(default_factory=list)
    nows: list[datetime] = field(default_factory=list)

    def open_trails(self, access: Access, claim: Claim) -> Sequence[Trail]:
        self.access, self.claim = access, claim
        if self.refusal:
            raise self.refusal
        return [trail(f"main{index or ''}") for index in range(len(self.answers))]

    def verify(self, access: Access, job: Job, *, now: datetime, progress: Progress) -> Run:
        assert access is self.access
        answer = self.answers[len(self.jobs)]
        self.jobs.append(job)
        self.nows.append(now)
        if isinstance(answer, BaseException):
            raise answer
        run = answer if isinstance(answer, Run) else answer(progress)
        return replace(run, trail_arn=job.trail.arn)

    def list_trails(self, access: Access) -> Sequence[TrailListing]:
        self.access = access
        if isinstance(self.listings, BaseException):
            raise self.listings
        return self.listings

    def save_keys(self, access: Access, regions: Sequence[str], window: TimeWindow) -> bytes:
        self.access, self.regions, self.window = access, regions, window
        if isinstance(self.keys, BaseException):
            raise self.keys
        return self.keys
