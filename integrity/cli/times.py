"""Times as people type them: instants and zones, and the window that they ask for.

An instant is ISO 8601; its offset is honoured, and without one it is UTC. What is read here decides
which hours are verified, so nothing is guessed: what is not understood is a UsageError that says
what was expected. All but `read_clock` is pure, and gets `now` handed in.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, date, datetime, timedelta, tzinfo

from integrity.chain.model import TimeWindow
from integrity.chain.times import DAY, format_instant
from integrity.errors import UsageError

DEFAULT_SPAN = DAY
"""What is verified where no start is given: the last 24 hours."""

_FIRST = datetime(2013, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DATE_AND_TIME = re.compile(r"([0-9W-]+)(?:[Tt ]([0-9:.,+-]+[Zz]?))?")


def read_clock() -> datetime:
    """Now, in UTC and whole seconds, as the record writes it."""
    return datetime.now(UTC).replace(microsecond=0)


def parse_start(text: str) -> datetime:
    """The instant at which a window starts; a bare date is its first moment, in UTC."""
    day, instant = _parse(text)
    return day or instant.replace(microsecond=0)


def parse_end(text: str) -> datetime:
    """The instant at which a window ends; a bare date is the end of that day, in UTC."""
    day, instant = _parse(text)
    if day:
        return day + DAY
    return instant if instant.microsecond == 0 else instant.replace(microsecond=0) + _SECOND


def _parse(text: str) -> tuple[datetime | None, datetime]:
    """The midnight of a bare date, if it is one, and the instant."""
    match = _DATE_AND_TIME.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        day, time = match.groups()
        midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=UTC)
        if time is None:
            instant = midnight
        else:
            instant = datetime.fromisoformat(f"{day}T{time.upper()}")
            instant = instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no time: expected ISO 8601, such as 2026-03-01, 2026-03-01T05:00:00Z or "
            "2026-03-01T05:00:00+02:00 (without an offset it is UTC)"
        ) from error
    if not _FIRST <= instant < _LAST:
        raise UsageError(
            f"{text!r} is out of range: expected a year from {_FIRST.year}, when CloudTrail began, "
            f"to {_LAST.year - 1}"
        )
    return (midnight if time is None else None), instant


def parse_zone(text: str) -> tzinfo:
    """An IANA time zone by its name, such as Europe/Berlin."""
    if text.upper() in ("UTC", "Z"):
        return UTC
    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"{text!r} is no time zone: expected an IANA name, such as Europe/Berlin, "
            "America/New_York or UTC"
        ) from error


def asked_window(
    *, start: datetime | None, end: datetime | None, last: timedelta | None, now: datetime
) -> TimeWindow:
    """The window that the three options ask for; the end may lie in the future.

    Raises UsageError where they contradict each other or name no time at all.
    """
    if last is not None and start is not None:
        raise UsageError("--last and --start-time both say where to start: leave one of them out")
    end = end or now
    span = DEFAULT_SPAN if last is None else last
    start = start or _before(end, span)
    if start >= end:
        raise UsageError(
            f"the window is empty: it starts at {format_instant(start)} and ends at "
            f"{format_instant(end)}; --start-time must be before --end-time (without it: now)"
        )
    if start >= now:
        raise UsageError(
            f"the window starts at {format_instant(start)}, which lies ahead: choose an "
            f"earlier --start-time (it is {format_instant(now)} now)"
        )
    return TimeWindow(start, end)


def _before(end: datetime, span: timedelta) -> datetime:
    earliest = end - _FIRST
    if span > earliest:
        raise UsageError(
            f"--last reaches back before {_FIRST.year}, when CloudTrail began: choose less, or "
            "name the --start-time"
        )
    return end - span
