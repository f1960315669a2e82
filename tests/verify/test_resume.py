"""A verification that was interrupted goes on, and ends with the record of one that was not."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from threading import Event
from typing import Any

import msgspec
import pytest

from integrity.chain.findings import Reason
from integrity.errors import UsageError
from integrity.lab import attacks
from integrity.lab.world import World
from integrity.record import Run, decode, encode
from integrity.structs import replace
from integrity.verify import resume as module
from integrity.verify.resume import Keeping, resume
from integrity.verify.run import Sources, Verification, verify_trail
from tests.memory import Silent, witnesses
from tests.verify.stage import Stage, made

DAYS = 6
HOUR = timedelta(hours=1)


@dataclass
class MemoryParts:
    """What is kept, in a dictionary. Somebody presses Ctrl-C after so many more are there."""

    kept: dict[str, bytes] = field(default_factory=dict)
    after: int = 10**9
    stopping: Event = field(default_factory=Event)

    def load(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def save(self, name: str, part: bytes) -> None:
        self.kept[name] = part
        self.after -= name not in ("begun", "ground")
        if self.after == 0:
            self.stopping.set()

    @property
    def segments(self) -> int:
        """How many segments are kept, beside what was asked for the plan."""
        return len(self.kept.keys() - {"begun", "ground"})


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six days are not all under way together."""
    monkeypatch.setattr("integrity.verify.engine._AT_ONCE", 2)


def attacked() -> Stage:
    """Six days, on three of which something is wrong."""
    stage = calm()
    attacks.edit_log(stage.world, stage.chain.log_files[30])
    attacks.delete_digest(stage.world, stage.chain.digests[24 * 3 + 5])
    attacks.delete_log(stage.world, stage.chain.log_files[24 * 5])
    return stage


def calm() -> Stage:
    """Six days on which nothing is wrong."""
    world = six_days().copy()
    return Stage(world, world.trails[0], world.chains[0])


@cache
def six_days() -> World:
    stage = made(hours=24 * DAYS, logs_per_hour=1)
    stage.world.now = stage.chain.digests[-1].last_modified + HOUR
    return stage.world


def run(
    stage: Stage,
    parts: MemoryParts | None = None,
    *,
    after: int = 10**9,
    later: timedelta = timedelta(0),
    is_fixed: bool = True,
    days: float = DAYS,
    **asked: Any,
) -> Verification:
    stopping = Event()
    if parts is not None:
        parts.after, parts.stopping = after, stopping
    return verify_trail(
        stage.job(0, 24 * days, **asked),
        Sources(stage.source, stage.keys, None, witnesses(stage.world, stage.trail)),
        run_id="a-run",
        caller_arn=None,
        progress=Silent(),
        clock=lambda: stage.world.now + later,
        stopping=stopping,
        keeping=None if parts is None else Keeping(parts, is_fixed),
    )


def told(record: Run) -> bytes:
    """The record but for what tells one run from another."""
    info = record.run
    return encode(replace(record, run=replace(info, finished_at=info.started_at, resumed_at=())))


def test_interrupted_three_times_it_ends_with_the_same_record() -> None:
    stage, parts = attacked(), MemoryParts()
    whole = run(stage).run
    assert {finding.reason for finding in whole.findings} >= {
        Reason.LOG_HASH_MISMATCH,
        Reason.DIGEST_MISSING,
        Reason.LOG_MISSING,
    }

    done = [0]
    for number in range(3):
        cut = run(stage, parts, after=1, later=number * HOUR)
        assert cut.run.run.interrupted
        done.append(parts.segments)
    assert done == sorted(set(done))
    assert done[-1] < DAYS
    last = run(stage, parts, later=30 * DAYS * HOUR)

    assert told(last.run) == told(whole)
    assert last.left == 0
    assert last.run.run.judged_at == stage.world.now == last.run.run.started_at
    assert len(last.run.run.resumed_at) == 3
    assert decode(encode(last.run)) == last.run


def test_what_was_finished_is_not_read_again() -> None:
    """Around what was found it is, for events that explain it: here nothing is."""
    stage, parts = calm(), MemoryParts()
    run(stage, parts)
    stage.source.fetched.clear()
    stage.source.listed.clear()

    again = run(stage, parts)

    assert not stage.source.fetched
    assert not stage.source.listed
    assert again.run.totals.digest_files.total > 0


def test_what_was_asked_for_the_plan_is_not_asked_again() -> None:
    stage, parts = attacked(), MemoryParts()
    whole = run(stage)
    run(stage, parts, after=1)
    stage.world.status(stage.trail, "us-east-1").latest_digest_delivery_time = None
    stage.world.run_chain(stage.trail, region="eu-west-1", hours=2)

    assert told(run(stage, parts).run) == told(whole.run)


def test_a_segment_that_met_trouble_is_read_again() -> None:
    stage, parts = attacked(), MemoryParts()
    day = stage.chain.digests[24 * 2 + 3].address[1]
    stage.source.unreachable[day] = "access denied"
    troubled = run(stage, parts)
    assert troubled.left == 1
    assert parts.segments == DAYS - 1
    assert Reason.OBJECT_UNREADABLE in {finding.reason for finding in troubled.run.findings}

    stage.source.unreachable.clear()
    healed = run(stage, parts)

    assert healed.left == 0
    assert told(healed.run) == told(run(stage).run)


def test_a_window_that_moves_with_the_clock_stays_the_one_that_was_begun() -> None:
    stage, parts = attacked(), MemoryParts()
    begun = run(stage, parts, after=1, is_fixed=False).run
    resumed = run(stage, parts, days=DAYS + 1, is_fixed=False).run
    assert resumed.requested == begun.requested


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"allow_gaps": True}, "another trail, place, selection or way to judge"),
        ({"account_ids": ("111122223333",)}, "another trail, place, selection"),
        ({"grace": HOUR / 2}, "way to judge"),
        ({"days": DAYS - 1}, "for 2026-03-01T00:00:00Z to 2026-03-07T00:00:00Z"),
    ],
)
def test_another_question_is_refused(asked: dict[str, Any], said: str) -> None:
    stage, parts = attacked(), MemoryParts()
    run(stage, parts, after=1)
    with pytest.raises(UsageError, match=said):
        run(stage, parts, **asked)


def test_another_pace_is_the_same_question() -> None:
    stage, parts = attacked(), MemoryParts()
    job = stage.job(0, 24 * DAYS)
    now = stage.world.now
    begun = resume(Keeping(parts, is_fixed=True), job, now, now).begun
    slower = resume(Keeping(parts, is_fixed=True), replace(job, concurrency=1), now, now)
    assert slower.begun == replace(begun, resumed_at=(now,))


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, parts = attacked(), MemoryParts()
    run(stage, parts, after=1)
    monkeypatch.setattr(module, "__version__", "99")
    with pytest.raises(UsageError, match=r"by version .* of integrity, and this is 99"):
        run(stage, parts)


def cut(part: bytes) -> bytes:
    return part[: len(part) // 2]


def flipped(part: bytes) -> bytes:
    return part[:20] + bytes([part[20] ^ 1]) + part[21:]


def other(part: bytes) -> bytes:  # noqa: ARG001
    return zlib.compress(msgspec.msgpack.encode({"chain": 1}))


def bomb(part: bytes) -> bytes:  # noqa: ARG001
    return zlib.compress(bytes(65 * 1024 * 1024))


@pytest.mark.parametrize("harm", [cut, flipped, other, bomb])
@pytest.mark.parametrize("which", ["begun", "ground", "segment"])
def test_a_damaged_part_is_refused(which: str, harm: Callable[[bytes], bytes]) -> None:
    stage, parts = kept()
    name = next(n for n in parts.kept if n == which or len(n) > len(which) == len("segment"))
    parts.kept[name] = harm(parts.kept[name])
    with pytest.raises(UsageError, match="not what an interrupted verification left"):
        run(stage, parts)


@cache
def finished() -> tuple[Stage, dict[str, bytes]]:
    stage, parts = attacked(), MemoryParts()
    run(stage, parts)
    return stage, parts.kept


def kept() -> tuple[Stage, MemoryParts]:
    stage, parts = finished()
    return stage, MemoryParts(dict(parts))


def test_a_segment_under_anothers_name_is_refused() -> None:
    stage, parts = kept()
    one, two = [name for name in parts.kept if len(name) == 64][:2]
    parts.kept[one] = parts.kept[two]
    with pytest.raises(UsageError, match="another's name"):
        run(stage, parts)


def test_what_is_too_large_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, parts = attacked(), MemoryParts()
    monkeypatch.setattr(module, "_MAX_PART_BYTES", 20_000)
    assert run(stage, parts).left == DAYS
    assert parts.segments == 0
