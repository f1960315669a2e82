"""A trail with a past that is watched, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from integrity.chain.seal import SealedDay
from integrity.lab.objects import LabDigest
from integrity.lab.world import World
from integrity.service.past import PastPolicy
from tests.service.memory_stage import MemoryStage

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime.fromisoformat("2026-03-01T00:00:00Z")


def watched(stage: MemoryStage, **policy: Any) -> None:
    """How the past is watched from now on."""
    stage.settings["past"] = PastPolicy(**policy)


def begun(*, days: int, **policy: Any) -> MemoryStage:
    """A trail that has logged for so many days, a log file an hour; it is 7:20."""
    world = World(seed=5, now=START + days * DAY)
    world.run_chain(
        world.add_trail(), start=START, hours=24 * days, logs_per_hour=1, events_per_log=1
    )
    world.advance(START + days * DAY + 7 * HOUR + timedelta(minutes=20))
    stage = MemoryStage(world)
    stage.settings["overlap"] = 2 * HOUR
    watched(stage, **policy)
    return stage


def proven(*, days: int) -> MemoryStage:
    """The same, and every day was proven and sealed in a day of ticks."""
    stage = begun(days=days, reprove_days=1)
    for _ in hours(stage, 25):
        assert news(stage) == []
    return stage


def again(proven: MemoryStage) -> MemoryStage:
    """A stage as another one is now. From here on nothing is read again."""
    stage = MemoryStage(proven.world.copy())
    stage.store.trails |= proven.store.trails
    stage.store.incidents |= proven.store.incidents
    stage.store.months |= proven.store.months
    stage.records.records |= proven.records.records
    stage.settings |= proven.settings
    watched(stage, reprove_days=0)
    return stage


def hours(stage: MemoryStage, number: int) -> Iterator[int]:
    """Hourly ticks, the first one now."""
    for hour in range(number):
        stage.tick()
        yield hour
        stage.pass_hours()


def news(stage: MemoryStage) -> list[tuple[str, str]]:
    """What anybody was told since he was last asked."""
    return stage.boxes["security"].news + stage.boxes["operations"].news


def told_within_a_day(stage: MemoryStage) -> list[tuple[str, str]]:
    """What anybody is told in the next 24 hours."""
    told = []
    for _ in range(6):
        stage.pass_hours(4)
        stage.tick()
        told += news(stage)
    return told


def days_of(stage: MemoryStage) -> dict[int, SealedDay]:
    """The watched days, by how many days ago they were."""
    months = stage.store.load_months(stage.trail.arn)
    today = stage.world.now.replace(hour=0, minute=0)
    return {(today - day.day) // DAY: day for month in months for day in month.days}


def digests_of(stage: MemoryStage, ago: int) -> list[LabDigest]:
    """The digests that ended so many days ago, the one at that midnight first."""
    midnight = stage.world.now.replace(hour=0, minute=0) - ago * DAY
    digests = stage.world.chains[0].digests
    return [one for one in digests if midnight <= one.end < midnight + DAY]
