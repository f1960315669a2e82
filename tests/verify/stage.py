"""A lab trail of March 2026 and the tools to check it with, in few words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any, TypeVar

from integrity.chain.content import Buffer
from integrity.chain.findings import Finding, Reason
from integrity.chain.model import (
    Absent,
    ChainId,
    Fetched,
    Root,
    S3Location,
    TimeWindow,
    Unreachable,
)
from integrity.lab.estate import LabTrail
from integrity.lab.objects import Address
from integrity.lab.world import Chain, World
from integrity.record import Run, SegmentResult
from integrity.verify.checking import check_segment
from integrity.verify.job import Job
from integrity.verify.segment import Segment
from integrity.verify.tools import Tools
from tests.memory import (
    MemoryKeys,
    MemoryRetention,
    MemorySource,
    Silent,
    SwiftSource,
    as_trail,
    verify,
)
from tests.scenarios.stage import NOW, START

T = TypeVar("T")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Stage:
    """One trail's world, to be attacked and then checked."""

    world: World
    trail: LabTrail
    chain: Chain
    source: MemorySource = field(init=False)
    keys: MemoryKeys = field(init=False)

    def __post_init__(self) -> None:
        self.source, self.keys = SwiftSource(self.world), MemoryKeys(self.world)

    def job(self, start: float = 0, end: float = 24, **asked: Any) -> Job:
        window = TimeWindow(START + HOUR * start, START + HOUR * end)
        return Job(trail=as_trail(self.trail), window=window, concurrency=4, **asked)

    def tools(self, executor: Executor) -> Tools:
        return Tools(
            self.source,
            self.keys,
            MemoryRetention(self.world),
            executor,
            self.world.now,
            Silent(),
            Event(),
        )

    def verify(self, start: float = 0, end: float = 24, **options: Any) -> Run:
        """The record of these hours of March."""
        return verify(
            self.world,
            self.trail,
            START + HOUR * start,
            START + HOUR * end,
            source=self.source,
            keys=self.keys,
            **options,
        )

    def check(
        self, executor: Executor, start: float = 0, end: float = 24, **asked: Any
    ) -> SegmentResult:
        """The one segment of these hours."""
        job = self.job(start, end, **asked)
        return check_segment(
            Segment(chain=chain_id(self.chain), window=job.window), job, self.tools(executor)
        )


def made(*, now: datetime = NOW, **chain: Any) -> Stage:
    """A trail whose chain began with March; 26 hours of it, with a log file or two in each."""
    world = World(seed=7, now=now)
    trail = world.add_trail(name="main")
    made_of: dict[str, Any] = {"hours": 26, "logs_per_hour": 2, "start": START} | chain
    return Stage(world, trail, world.run_chain(trail, **made_of))


def chain_id(chain: Chain) -> ChainId:
    root = Root(chain.bucket, chain.place.prefix, chain.place.organization_id or "")
    return ChainId(root, chain.account_id, chain.region, chain.trail.name, chain.trail.home_region)


def place_of(address: Address) -> S3Location:
    return S3Location(*address)


def of(findings: Iterable[Finding], reason: Reason) -> list[Finding]:
    return [finding for finding in findings if finding.reason is reason]


class Flickering(SwiftSource):
    """An object's first answers are others than its later ones: None for absent, bytes, a refusal.

    `passing` holds these answers by part of a place's URI; each is given once.
    """

    def __init__(self, world: World, passing: dict[str, list[bytes | str | None]]) -> None:
        super().__init__(world)
        self.passing = passing

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        answers = next((left for part, left in self.passing.items() if part in location.uri), [])
        if not answers:
            return super().fetch(location, read)
        answer = answers.pop(0)
        if answer is None:
            return Absent(location)
        if isinstance(answer, str):
            return Unreachable(location, answer)
        kept = self.world.objects[location.bucket, location.key]
        content = read([answer])
        return Fetched(location, content, kept.metadata, kept.last_modified, None, len(answer))
