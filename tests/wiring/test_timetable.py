"""When ticks are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrity.config.model import ServiceTable
from integrity.wiring.timetable import LONGEST_TICK, Timetable

HOURLY = Timetable(ServiceTable(jitter="0m"))  # type: ignore[arg-type]


def at(hour: int, minute: int, second: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, second, microsecond, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempted", "now", "due"),
    [
        (None, at(10, 0), True),
        (at(9, 20), at(10, 19, 59), False),
        (at(9, 20), at(10, 20), True),
        (at(9, 20, 40), at(9, 50), False),
        (at(4, 20), at(10, 0), True),
        # What was attempted has whole seconds: a tick on the stroke is not due again.
        (at(10, 20), at(10, 20, 0, 5), False),
        # The clock was set back.
        (at(10, 20), at(9, 0), False),
    ],
)
def test_a_tick_is_due_once_the_schedule_came_again(
    attempted: datetime | None, now: datetime, *, due: bool
) -> None:
    assert HOURLY.is_due(attempted, now) is due


def test_the_next_one_may_be_late_and_take_its_time() -> None:
    late = Timetable(ServiceTable(jitter="5m"))  # type: ignore[arg-type]
    assert HOURLY.due_by(at(10, 0)) == at(10, 20) + LONGEST_TICK
    assert late.due_by(at(10, 0)) == at(10, 25) + LONGEST_TICK


def test_the_trigger_has_the_jitter() -> None:
    late = Timetable(ServiceTable(jitter="5m"))  # type: ignore[arg-type]
    times = {late.trigger.get_next_fire_time(None, at(10, 0)) for _ in range(20)}
    assert len(times) > 1
    assert all(at(10, 20) <= one <= at(10, 25) for one in times)
    assert HOURLY.trigger.get_next_fire_time(None, at(10, 0)) == at(10, 20)
    weekdays = Timetable(ServiceTable(schedule="0 6 * * mon", jitter="0m"))  # type: ignore[arg-type]
    assert weekdays.due_by(at(10, 0)) == at(6, 0) + timedelta(days=1) + LONGEST_TICK


@pytest.mark.parametrize(
    ("schedule", "ticks"), [("20 * * * *", 24), ("*/15 * * * *", 96), ("20 6 * * *", 1)]
)
def test_a_day_has_so_many_ticks(schedule: str, ticks: int) -> None:
    timetable = Timetable(ServiceTable(schedule=schedule))

    assert timetable.ticks_a_day(at(10, 0)) == ticks
    assert timetable.ticks_a_day(at(6, 20)) == ticks
