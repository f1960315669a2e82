"""A chain's hours, as a calendar shows them: runs of one letter, and columns of several hours.

Made from a record's letters alone, which are counted from the hour in which its window begins.
Letters beyond the window, and letters that nobody knows, are shown as what they are: not asked for,
and unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from itertools import groupby
from operator import add
from typing import Protocol

from msgspec import Struct

from integrity.chain.model import ChainKind, TimeWindow
from integrity.chain.times import HOUR, day_of
from integrity.record import ChainResult, Run

UNKNOWN = "?"
"""Stands for an hour of which the record says nothing that is known."""

UNREAD = "S"
"""Stands for an hour that was not read again, for nothing had changed in it."""

MOST_UNTOLD_HOURS = 24 * 366 * 10
"""A made-up window of a million years is not filled up with what nobody told."""

WORDS = {
    "P": "proven",
    "E": "proven, no log files",
    "G": "gap: no digest file",
    "M": "digest file missing",
    "X": "invalid",
    "U": "undetermined",
    UNKNOWN: "not told by the record",
    ".": "not due yet, or before the chain began",
    UNREAD: "not read again: listed as when an earlier run proved it",
}
"""What each letter means, as a legend says it."""

PROVEN = "PE"
OPEN = "XMGU?.S"
"""The letters of hours that the record itself does not prove, the worst first."""

_WORST = {letter: rank for rank, letter in enumerate("EPS.?UGMX")}


class HasHours(Protocol):
    """A chain with its letters."""

    @property
    def account_id(self) -> str: ...

    @property
    def region(self) -> str: ...

    @property
    def hours(self) -> str: ...


class Span(Struct, frozen=True):
    """So many hours of one letter, from the so-manieth of the window on."""

    letter: str
    first: int
    count: int

    @property
    def end(self) -> int:
        return self.first + self.count


def first_hour(window: TimeWindow) -> datetime:
    """The clock hour in which the window begins."""
    day = day_of(window.start)
    return day + HOUR * ((window.start - day) // HOUR)


def hours_of(window: TimeWindow) -> int:
    """How many clock hours the window touches."""
    return max(1, -(-(window.end - first_hour(window)) // HOUR))


def hour_at(window: TimeWindow, number: int) -> datetime:
    """When the so-manieth hour begins, or the window ends where it is none of its own."""
    return window.end if number >= hours_of(window) else first_hour(window) + HOUR * number


def letters_of(chain: HasHours, window: TimeWindow) -> str:
    """The chain's letters, one for each hour; where letters lack, or are none, it is unknown."""
    most = hours_of(window)
    told = "".join(letter if letter in WORDS else UNKNOWN for letter in chain.hours[:most])
    return told + UNKNOWN * (min(most, MOST_UNTOLD_HOURS) - len(told))


def standard(run: Run) -> list[ChainResult]:
    """The chains that have hours: a backfill chain has none."""
    return [chain for chain in run.chains if chain.kind is ChainKind.STANDARD]


def counted_hours(run: Run) -> Counter[str]:
    """How many hours of all chains have which letter."""
    window = run.requested.window
    letters = (Counter(letters_of(chain, window)) for chain in standard(run))
    return reduce(add, letters, Counter())


def spans(letters: str) -> Iterator[Span]:
    """The letters, run by run."""
    start = 0
    for letter, group in groupby(letters):
        count = sum(1 for _ in group)
        yield Span(letter, start, count)
        start += count


def columns(letters: str, size: int) -> str:
    """A letter for each `size` hours: the worst of them."""
    if size == 1:
        return letters
    return "".join(
        max(letters[start : start + size], key=_WORST.__getitem__)
        for start in range(0, len(letters), size)
    )
