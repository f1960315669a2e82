"""Ninety days of a watched past, hour by hour: what it costs, when it speaks, when it is silent."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from integrity.lab import attacks
from integrity.lab.objects import LabDigest, LabLog
from integrity.lab.world import World
from tests.service.memory_stage import MemoryStage
from tests.service.past_stage import (
    DAY,
    HOUR,
    again,
    begun,
    days_of,
    digests_of,
    hours,
    news,
    proven,
    watched,
)

pytestmark = pytest.mark.slow

AN_HOUR = 2
"""Objects of an hour: a digest file and a log file."""

CANONICAL_DAY = 24 + 288
"""Objects of a day with a digest file an hour and a log file every five minutes."""


@pytest.fixture(scope="module")
def quarter() -> MemoryStage:
    return proven(days=90)


@pytest.fixture
def stage(quarter: MemoryStage) -> MemoryStage:
    return again(quarter)


@pytest.mark.parametrize("ago", [3, 80])
@pytest.mark.parametrize("attack", [attacks.edit_log, attacks.delete_log])
def test_a_log_of_any_watched_day_is_alarmed_within_a_day(
    stage: MemoryStage, ago: int, attack: object
) -> None:
    assert callable(attack)
    attack(stage.world, digests_of(stage, ago)[12].log_files[0])
    since = stage.world.now
    told: list[tuple[str, str]] = []
    while not told:
        stage.tick()
        told = news(stage)
        stage.pass_hours()
    assert [step for step, _ in told] == ["opened"]
    assert stage.world.now - HOUR - since <= DAY


def test_an_unchanged_past_costs_a_listing_a_day_and_no_read(stage: MemoryStage) -> None:
    """What a tick reads is the new hour, and the digest before it for the link."""
    logs: Counter[str] = Counter()
    reads, proofs, requests = 0, 0, 0
    for _ in hours(stage, 24):
        if stage.proofs:  # yesterday is proven and sealed: that is its re-proof
            proofs += sum(len(proof.days) for proof in stage.proofs)
        else:
            reads = max(reads, len(stage.source.fetched))
        requests += len(stage.listings)
        logs.update(_past_logs(stage))
    print(f"a tick reads {reads} objects; {requests} listings of the past")
    assert reads <= AN_HOUR + 1
    assert proofs == 1
    assert set(logs.values()) == {1}
    assert len(logs) >= 88
    digests = requests - sum(logs.values())
    assert digests < 20


def test_an_hourly_tick_reads_a_twentieth_of_a_full_day(stage: MemoryStage) -> None:
    """A day and a half of a log file every five minutes lie behind, and all before is sealed."""
    stage.settings["overlap"] = 6 * HOUR
    stage.world.chains[0].traffic.logs_per_hour = 12
    for _ in hours(stage, 36):
        assert news(stage) == []
    reads: list[int] = []
    own: list[int] = []
    logs: Counter[str] = Counter()
    for _ in hours(stage, 24):
        logs.update(_past_logs(stage))
        if not stage.proofs:
            reads.append(len(stage.source.fetched))
            own.append(len(stage.source.listed) - len(stage.listings))
        assert news(stage) == []
    yesterday = digests_of(stage, 1)
    assert len(yesterday) + sum(len(one.log_files) for one in yesterday) == CANONICAL_DAY
    print(f"a tick reads {sorted(reads)} of {CANONICAL_DAY} objects, with {max(own)} listings")
    assert len(reads) == 23
    assert max(reads) <= CANONICAL_DAY / 20
    assert max(own) <= 4
    assert set(logs.values()) == {1}
    assert len(logs) >= 87  # the oldest day goes, and the newest are left out here


def _past_logs(stage: MemoryStage) -> list[str]:
    """The log folders of past days that the watch listed in this tick."""
    latest = _logs_of(stage, 2)
    return [one for one in stage.listings if "/CloudTrail/" in one and one < latest]


def _logs_of(stage: MemoryStage, ago: int) -> str:
    day = stage.world.now - ago * DAY
    return f"AWSLogs/{stage.trail.account_id}/CloudTrail/us-east-1/{day:%Y/%m/%d}/"


def test_every_day_is_read_again_within_thirty_days(quarter: MemoryStage) -> None:
    stage = again(quarter)
    watched(stage, reprove_days=30)
    last = {day.day: day.proven for day in days_of(stage).values()}
    longest, a_day, most = timedelta(0), Counter[datetime](), 0
    for _ in range(24 * 31 // 4):
        stage.pass_hours(4)
        stage.tick()
        now = stage.world.now
        read = sum(len(proof.days) for proof in stage.proofs)
        a_day[now.replace(hour=0, minute=0)] += read
        for day in days_of(stage).values():
            before, last[day.day] = last.get(day.day), day.proven
            if before is not None:
                longest = max(longest, now - before)
        most = max(most, read)
    assert news(stage) == []
    print(f"longest {longest}; most a tick {most}; a day {sorted(a_day.values())}")
    assert longest <= 30 * DAY
    assert max(a_day.values()) <= 8


def expire(world: World, days: int) -> None:
    """As S3 does it: at the midnight after an object's days are over, and a day late."""
    midnight = world.now.replace(hour=0, minute=0, second=0, microsecond=0)
    for chain in world.chains:
        for digest in chain.digests:
            files: list[LabDigest | LabLog] = [digest, *digest.log_files]
            for one in files:
                end = one.last_modified + days * DAY
                gone = (end + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
                if gone <= midnight:
                    world.objects.pop(one.address, None)


@pytest.mark.parametrize("late", [0, 2])
def test_a_trail_under_expiry_is_silent_through_ten_days(late: int) -> None:
    stage = begun(days=62, reprove_days=7)
    chain = stage.world.chains[0]
    stage.world.expire(chain.bucket, days=60)
    for hour in range(24 * 10 // 2):
        if hour % 12 == 0:
            expire(stage.world, 60 + late)
        stage.tick()
        assert news(stage) == []
        stage.pass_hours(2)
    assert max(days_of(stage)) in (56, 57, 58)
