"""The hours of the last days, as the records of many ticks tell them, one after the other.

A later record has seen more, so its letter takes the place of an earlier one's. But the hour in
which a record's window begins it saw only a part of, and what it did not read again stands as it
was told: there an earlier record is believed. Pure, and it judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from integrity.chain.model import TimeWindow
from integrity.chain.times import HOUR
from integrity.record import Run
from integrity.report.hours import (
    UNKNOWN,
    UNREAD,
    first_hour,
    hour_at,
    hours_of,
    letters_of,
    standard,
)

Place = tuple[str, str, str]
"""Account, region and root of a standard chain."""


class RecentHours:
    """What was told so far, from `since` on."""

    def __init__(self) -> None:
        self._told: dict[Place, dict[datetime, str]] = {}

    def add(self, run: Run) -> None:
        """A record, later than those before it, and the looks that it holds."""
        for one in (run, *run.looks):
            self._add(one)

    def _add(self, run: Run) -> None:
        window = run.requested.window
        partial = first_hour(window) != window.start
        for chain in standard(run):
            told = self._told.setdefault((chain.account_id, chain.region, chain.root), {})
            for number, letter in enumerate(letters_of(chain, window)):
                hour = hour_at(window, number)
                is_earlier_better = letter == UNREAD or (partial and number == 0)
                if letter != UNKNOWN and not (is_earlier_better and hour in told):
                    told[hour] = letter

    def forget(self, before: datetime) -> None:
        """Hours that began before a time, and chains of which then nothing is told."""
        for place, told in list(self._told.items()):
            kept = {hour: letter for hour, letter in told.items() if hour >= before}
            if kept:
                self._told[place] = kept
            else:
                del self._told[place]

    def letters(self, window: TimeWindow) -> Iterator[tuple[Place, str]]:
        """A letter for each hour of the window, chain by chain, in order."""
        hours = [first_hour(window) + HOUR * number for number in range(hours_of(window))]
        for place, told in sorted(self._told.items()):
            yield place, "".join(told.get(hour, UNKNOWN) for hour in hours)
