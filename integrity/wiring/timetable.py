"""When ticks are due: as the configured schedule says, in UTC, and up to a jitter later.

It decides whether one was missed and by when the next one must have ended. It waits for nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.triggers.cron import CronTrigger

if TYPE_CHECKING:
    from integrity.config.model import ServiceTable

LONGEST_TICK = timedelta(hours=1)


class Timetable:
    """The schedule and the jitter of a configuration. `trigger` has both, for APScheduler."""

    def __init__(self, table: ServiceTable) -> None:
        self._jitter = table.jitter
        self._cron = CronTrigger.from_crontab(table.schedule, timezone=UTC)
        self.trigger = CronTrigger.from_crontab(table.schedule, timezone=UTC)
        self.trigger.jitter = int(table.jitter.total_seconds())

    def is_due(self, attempted: datetime | None, now: datetime) -> bool:
        """Whether a tick was due after the last one, up to which all was attempted; None: never."""
        return attempted is None or self._next(attempted, now) <= now

    def next_after(self, now: datetime) -> datetime:
        """When the next tick is due by the schedule."""
        return self._next(now, now)

    def due_by(self, now: datetime) -> datetime:
        """When the next tick must have ended, however late it comes and long it takes."""
        return self._next(now, now) + self._jitter + LONGEST_TICK

    def ticks_a_day(self, now: datetime) -> int:
        """How many are due in the day after `now`."""
        ticks, at = 0, self._next(now, now)
        while at <= now + timedelta(days=1):
            ticks, at = ticks + 1, self._next(at, at)
        return ticks

    def _next(self, after: datetime, now: datetime) -> datetime:
        # The form of a schedule in the configuration sees to it that there is always a next time.
        found: datetime = self._cron.get_next_fire_time(after, now)
        return found
