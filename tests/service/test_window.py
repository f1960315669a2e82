"""Which time a tick looks at."""

from __future__ import annotations

from datetime import timedelta

from integrity.chain.model import TimeWindow
from integrity.service.window import next_window
from tests.stores.specimens import NOW, checkpoint

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOW + HOUR + timedelta(microseconds=7)


def test_the_first_tick_looks_back_as_far_as_it_is_told() -> None:
    window = next_window(None, LATER, overlap=6 * HOUR, first=2 * DAY)
    assert window == TimeWindow(NOW + HOUR - 2 * DAY, NOW + HOUR)


def test_the_next_one_goes_on_from_the_last_with_an_overlap() -> None:
    window = next_window(checkpoint(), LATER, overlap=6 * HOUR, first=2 * DAY)
    assert window == TimeWindow(NOW - 6 * HOUR, NOW + HOUR)


def test_hours_that_were_missed_are_made_up() -> None:
    window = next_window(checkpoint(), NOW + 9 * DAY, overlap=HOUR, first=DAY)
    assert window == TimeWindow(NOW - HOUR, NOW + 9 * DAY)


def test_a_clock_that_was_set_back_makes_no_window_backwards() -> None:
    window = next_window(checkpoint(), NOW - DAY, overlap=HOUR, first=DAY)
    assert window == TimeWindow(NOW - DAY - HOUR, NOW - DAY)
