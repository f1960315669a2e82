"""Threads, processes and stops: whoever runs the segments, the record is the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import msgspec
import pytest

from integrity import wiring
from integrity.chain.findings import Outcome
from integrity.chain.model import ChainId, Fetched, S3Location, TimeWindow
from integrity.lab.faults import Fault
from integrity.lab.server import serve
from integrity.lab.world import LabTrail, World
from integrity.record import Run, RunInfo, SegmentResult, encode
from integrity.structs import replace
from integrity.verify import engine, parallel
from integrity.verify.engine import SourcesRecipe
from integrity.verify.job import Job
from integrity.verify.ports import OpenSources, Slowdowns, Witnesses
from integrity.verify.run import Sources, verify_trail
from integrity.verify.segment import Segment
from integrity.wiring import Access, connect
from tests.memory import MemoryKeys, MemorySource, Silent, SwiftSource, as_trail, day

DAYS, REGIONS = 13, ("us-east-1", "eu-west-1", "eu-north-1", "sa-east-1", "af-south-1")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    """Sixty-five segments: more than a process is expected to do alone."""
    world = World(seed=3, now=NOW)
    trail = world.add_trail(name="main")
    for region in REGIONS:
        world.run_chain(trail, region=region, start=day(1), hours=24 * DAYS, logs_per_hour=0)
    return world


def the_trail(world: World) -> LabTrail:
    (trail,) = world.trails
    return trail


def verify(
    world: World,
    recipe: SourcesRecipe | None,
    *,
    progress: Silent | None = None,
    stopping: Event | None = None,
    days: int = DAYS,
) -> Run:
    job = Job(
        trail=as_trail(the_trail(world)),
        window=TimeWindow(day(1), day(1 + days)),
        concurrency=4,
    )
    return verify_trail(
        job,
        Sources(SwiftSource(world), MemoryKeys(world), None, Witnesses(), recipe=recipe),
        run_id="a-run",
        caller_arn=None,
        progress=progress or Silent(),
        clock=lambda: NOW,
        stopping=stopping or Event(),
    ).run


def verdict(run: Run) -> bytes:
    """The record without what says how it came about."""
    info = RunInfo(
        id="",
        caller_arn=None,
        configuration_sha256="",
        source="",
        started_at=NOW,
        finished_at=NOW,
        judged_at=NOW,
    )
    return encode(replace(run, run=info, keys=()))


@dataclass(frozen=True)
class OverTheWire:
    """The lab's server, as a process of its own reaches it: by the environment."""

    def open(self, slowdowns: Slowdowns) -> OpenSources:
        return connect(Access(), now=NOW, slowdowns=slowdowns).open_sources()


@dataclass(frozen=True)
class Deadly:
    """Whoever opens these sources is gone."""

    def open(self, slowdowns: Slowdowns) -> OpenSources:  # noqa: ARG002
        os._exit(1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_PATIENCE", timedelta(seconds=-1))
    monkeypatch.setattr(engine, "_cores", lambda: 2)


@pytest.mark.usefixtures("impatient")
def test_processes_make_the_record_that_threads_make(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(world) as server:
        for name, text in server.environment.items():
            monkeypatch.setenv(name, text)
        spread = verify(world, OverTheWire())

    assert spread.outcome is Outcome.VALID
    assert verdict(spread) == verdict(verify(world, None))


@pytest.mark.usefixtures("impatient")
def test_what_a_dead_process_owes_is_checked_here(world: World) -> None:
    assert verdict(verify(world, Deadly())) == verdict(verify(world, None))


@pytest.mark.usefixtures("impatient")
def test_a_small_job_stays_in_the_process(world: World) -> None:
    assert verify(world, Deadly(), days=2).outcome is Outcome.VALID


@pytest.fixture
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@dataclass(frozen=True)
class Memory:
    """Sources that need no opening."""

    world: World

    def open(self, slowdowns: Slowdowns) -> OpenSources:  # noqa: ARG002
        return SwiftSource(self.world), MemoryKeys(self.world), None


@pytest.mark.usefixtures("signals")
def test_a_worker_answers_for_its_batch_and_leaves_signals_to_the_first_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_worker", [])
    job = Job(trail=as_trail(the_trail(world)), window=TimeWindow(day(1), day(2)), concurrency=2)
    chain = as_chain(world)

    engine._start_worker(Memory(world), job, NOW, Event(), [0])
    told = engine._check_batch((Segment(chain=chain, window=job.window),))
    (result,) = msgspec.msgpack.decode(told, type=list[SegmentResult])
    engine._worker[0][1].executor.shutdown()

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert (result.chain, len(result.entries)) == (chain, 26)


def test_a_worker_tells_the_others_that_s3_asked_it_to_slow_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowdowns = [0] * 16
    bucket, key = world.chains[0].digests[0].address
    with serve(world) as server:
        for name, text in server.environment.items():
            monkeypatch.setenv(name, text)
        server.faults.append(Fault("throttle", operation="GetObject", last=8))
        objects, _, _ = wiring.SourcesRecipe(Access(), NOW).open(slowdowns)
        fetched = objects.fetch(S3Location(bucket, key), lambda pieces: b"".join(pieces))

    assert isinstance(fetched, Fetched)
    assert sum(slowdowns) == 1


def test_a_wish_to_stop_is_passed_on_once_it_is_there() -> None:
    own, further = Event(), Event()
    passed = engine._Passed(own, further)

    assert not passed.is_set()
    own.set()
    assert not further.is_set()
    assert passed.is_set()
    assert further.is_set()


def test_there_is_a_core_to_work_on() -> None:
    assert engine._cores() >= 1


def as_chain(world: World) -> ChainId:
    trail = as_trail(the_trail(world))
    return ChainId(trail.root, trail.account_id, "us-east-1", trail.name, trail.home_region)


class StopsAfter(Silent):
    """Somebody presses Ctrl-C when so many log files are done."""

    def __init__(self, stopping: Event, log_files: int) -> None:
        self._stopping, self._left = stopping, log_files

    def done(self, log_files: int, stored_bytes: int) -> None:  # noqa: ARG002
        self._left -= log_files
        if self._left <= 0:
            self._stopping.set()


def test_what_was_judged_before_a_stop_is_in_the_record_and_the_rest_is_undetermined() -> None:
    world = World(seed=4, now=NOW)
    trail = world.add_trail(name="main")
    chain = world.run_chain(trail, region="us-east-1", start=day(1), hours=24, logs_per_hour=20)
    stopping = Event()

    run = verify(world, None, progress=StopsAfter(stopping, 40), stopping=stopping, days=1)

    counts = run.totals.log_files
    assert run.run.interrupted
    assert run.outcome is Outcome.UNDETERMINED
    assert counts.valid >= 40
    assert counts.undetermined > 0
    assert counts.total == len(chain.log_files)


class Hangs(MemorySource):
    """An object that answers long after everybody stopped waiting."""

    def fetch(self, location, read):  # type: ignore[no-untyped-def]
        if "/CloudTrail/" in location.key:
            HELD.wait(20)
        return super().fetch(location, read)


HELD = Event()


def test_a_hanging_read_does_not_hold_up_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(seed=4, now=NOW)
    trail = world.add_trail(name="main")
    world.run_chain(trail, region="us-east-1", start=day(1), hours=2, logs_per_hour=1)
    monkeypatch.setattr(parallel, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(engine, "LINGER_SECONDS", 0.05)
    stopping = Event()
    source = Hangs(world)

    class StopsAtOnce(Silent):
        def expect(self, log_files: int) -> None:  # noqa: ARG002
            stopping.set()

    job = Job(trail=as_trail(trail), window=TimeWindow(day(1), day(2)), concurrency=2)
    try:
        run = verify_trail(
            job,
            Sources(source, MemoryKeys(world), None, Witnesses()),
            run_id="a-run",
            caller_arn=None,
            progress=StopsAtOnce(),
            clock=lambda: NOW,
            stopping=stopping,
        ).run
        assert not HELD.is_set()
    finally:
        HELD.set()
    assert run.run.interrupted
    assert run.outcome is Outcome.UNDETERMINED


def test_locations_have_a_name() -> None:
    assert S3Location("bucket", "a/b/c.json.gz").name == "c.json.gz"


def test_a_budget_is_held_by_several_up_to_its_weight_and_by_a_giant_alone() -> None:
    budget = parallel.Budget(10)
    order: list[str] = []

    def giant() -> None:
        with budget.hold(1000):
            order.append("giant")

    with budget.hold(6), budget.hold(4):
        thread = Thread(target=giant)
        thread.start()
        order.append("small ones")
    thread.join(10)

    assert order == ["small ones", "giant"]
    with budget.hold(10):
        order.append("free again")


def test_a_chain_that_was_not_finished_is_told_without_a_word_about_the_rest() -> None:
    world = World(seed=4, now=NOW)
    trail = world.add_trail(name="main")
    world.run_chain(trail, region="us-east-1", start=day(1), hours=24 * 40, logs_per_hour=1)
    stopping = Event()

    run = verify(world, None, progress=StopsAfter(stopping, 1), stopping=stopping, days=40)

    (chain,) = run.chains
    assert run.run.interrupted
    assert run.outcome is Outcome.UNDETERMINED
    assert run.findings == ()
    assert 0 < chain.digest_files.valid < 24 * 40
