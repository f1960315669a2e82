"""A tick on a world in memory: no network, no process, an hour in a few milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from integrity.chain.estate import ExpirationRule, Unasked
from integrity.chain.known import KnownChain
from integrity.chain.model import TimeWindow, Trail
from integrity.errors import IntegrityError
from integrity.events.search import Wanted
from integrity.incidents.looks import Look
from integrity.incidents.policy import Policy
from integrity.lab.objects import LabDigest
from integrity.lab.world import World
from integrity.record import Run
from integrity.service.hearing import Hearing
from integrity.service.outbox import Outbox
from integrity.service.proofs import Proof
from integrity.service.tick import Accepting, Tick, Ticked, Watch
from integrity.state import Audience, Datapoint, DeliveryError, Message
from integrity.structs import replace
from integrity.verify.days import DayKey, ListedDay, list_days
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.run import Verification
from integrity.verify.tools import Tools
from tests.memory import MemoryKeys, MemoryRetention, Silent, SwiftSource, as_trail, verify_on
from tests.memory_store import MemoryRecords, MemoryStore

HOUR = timedelta(hours=1)


@dataclass
class Box:
    """A destination. `refuses` is why it takes nothing now."""

    refuses: str = ""
    taken: list[Message] = field(default_factory=list)

    def deliver(self, message: Message) -> None:
        if self.refuses:
            raise DeliveryError(self.refuses)
        self.taken.append(message)

    @property
    def news(self) -> list[tuple[str, str]]:
        """Step and reason of what it took since it was last asked."""
        news = [(one.step.value, str(one.facts["reason"])) for one in self.taken]
        self.taken.clear()
        return news


@dataclass
class Sink:
    """Where numbers go: by name, the last one."""

    refuses: str = ""
    values: dict[str, float] = field(default_factory=dict)

    def put(self, datapoints: Iterable[Datapoint]) -> None:
        if self.refuses:
            raise DeliveryError(self.refuses)
        self.values |= {one.name: one.value for one in datapoints}


@dataclass
class MemoryStage:
    """A world's first trail, watched. What is put into `asked` is handed to each verification."""

    world: World
    settings: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    closed: IntegrityError | None = None
    claimed: Trail | None = None
    has_metrics: bool = True
    rules: Hearing | None = None
    runs: int = 0

    def __post_init__(self) -> None:
        self.source = SwiftSource(self.world)
        self.store, self.records, self.sink = MemoryStore(), MemoryRecords(), Sink()
        self.boxes = {"security": Box(), "operations": Box()}
        self.looks: list[Look] = []
        self.proofs: list[Proof] = []
        self.days_listed: list[DayKey] = []
        self.listings: list[str] = []

    @property
    def trail(self) -> Trail:
        return self.claimed or as_trail(self.world.trails[0])

    @property
    def newest(self) -> LabDigest:
        """The newest digest that is there."""
        there = [one for one in self.world.chains[0].digests if one.address in self.world.objects]
        return [one for one in there if one.last_modified <= self.world.now][-1]

    def pass_hours(self, hours: int = 1) -> None:
        self.world.advance(self.world.now + hours * HOUR)

    def tick(self, stopping: Stopping | None = None, *, accept: str = "") -> Ticked:
        self.source.fetched.clear()
        self.source.listed.clear()
        self.looks.clear()
        self.proofs.clear()
        self.days_listed.clear()
        self.listings.clear()
        self.sink.values.clear()
        usual: dict[str, Any] = {
            "overlap": 6 * HOUR,
            "first_window": 24 * HOUR,
            "policy": Policy(),
            "destinations": {one: (one.value,) for one in Audience},
        }
        watch = Watch(
            trail_arn=self.trail.arn,
            account_id=self.trail.account_id,
            home_region=self.trail.home_region,
            **usual | self.settings,
        )
        tick = Tick(
            watch,
            trails=self,
            store=self.store,
            records=self.records,
            outbox=Outbox(self.store, self.boxes, give_up_after=timedelta(days=3)),
            metrics=self.sink if self.has_metrics else None,
            clock=lambda: self.world.now,
            rules=self.rules,
        )
        return tick.run(stopping or Event(), accepting=Accepting(accept) if accept else None)

    # The trail, as the service opens it

    def open(self, remembered: Trail | None) -> MemoryStage:
        del remembered
        if self.closed is not None:
            raise self.closed
        return self

    def verify(
        self,
        window: TimeWindow,
        *,
        known: tuple[KnownChain, ...],
        previous_sha256: str | None,
        accepting: bool,
        rules: tuple[Wanted, ...],
        overlap: timedelta | None,
        stopping: Stopping,
    ) -> Verification:
        return self._verify(
            window,
            known=known,
            previous_sha256=previous_sha256,
            accepting=accepting,
            rules=rules,
            overlap=overlap,
            stopping=stopping,
        )

    def look(self, look: Look, **asked: Any) -> Verification:
        self.looks.append(look)
        place = {"account_ids": (look.account_id,), "source_regions": (look.region,)}
        return self._verify(look.window, **place, **asked)

    def prove(self, proof: Proof, **asked: Any) -> Run:
        self.proofs.append(proof)
        place = {"account_ids": (proof.account_id,), "source_regions": proof.regions}
        return self._verify(proof.window, **place, **asked).run

    def list_days(
        self, days: Sequence[DayKey], *, stopping: Stopping
    ) -> Mapping[DayKey, ListedDay | None]:
        self.days_listed += days
        before = len(self.source.listed)
        job = Job(trail=self.trail, window=TimeWindow(self.world.now, self.world.now))
        with ThreadPoolExecutor(4) as executor:
            keys, rules = MemoryKeys(self.world), self.retention
            tools = Tools(self.source, keys, rules, executor, self.world.now, Silent(), stopping)
            listed = list_days(job, tools, days)
        self.listings += self.source.listed[before:]
        return listed

    def fetch_rules(self) -> tuple[ExpirationRule, ...] | Unasked:
        return self.retention.fetch_rules(self.trail.bucket)

    @property
    def retention(self) -> MemoryRetention:
        asked: MemoryRetention | None = self.asked.get("retention")
        return asked or MemoryRetention(self.world)

    def _verify(self, window: TimeWindow, **asked: Any) -> Verification:
        verification = verify_on(
            self.world,
            self.world.trails[0],
            window.start,
            window.end,
            source=self.source,
            **self.asked | asked,
        )
        self.runs += 1
        run = verification.run
        return replace(
            verification, run=replace(run, run=replace(run.run, id=f"run-{self.runs:05}"))
        )


def begun(*, hours: int = 30, logs_per_hour: int = 1) -> MemoryStage:
    """A trail that has logged for so many hours; it is 45 minutes past the hour."""
    start = datetime.fromisoformat("2026-03-01T00:00:00Z")
    world = World(seed=5, now=start + HOUR)
    world.run_chain(world.add_trail(), start=start, hours=1, logs_per_hour=logs_per_hour)
    world.advance(start + hours * HOUR + timedelta(minutes=45))
    return MemoryStage(world)
