"""CloudTrail's three spellings of a UTC instant, and nothing else about time.

`2026-03-01T00:00:00Z` stands in digests and in our record, `20260301T000000Z` in the names of
digest files, `20260301T0000Z` in the names of log files. Parsing is strict (ASCII digits, real
dates): what is read here decides where an object belongs.
(AWS: CloudTrail digest file structure; CloudTrail log file examples.)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_HOUR_OF_DAY = r"(?:[01][0-9]|2[0-3])"
_INSTANT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_HOUR_OF_DAY}:[0-9]{{2}}:[0-9]{{2}}Z")
# Nothing of a year of less than four digits: from its first hour none can be counted back.
_SECOND_STAMP = re.compile(rf"[1-9][0-9]{{7}}T{_HOUR_OF_DAY}[0-9]{{4}}Z")
_MINUTE_STAMP = re.compile(rf"[1-9][0-9]{{7}}T{_HOUR_OF_DAY}[0-9]{{2}}Z")


def _parse(pattern: re.Pattern[str], text: str) -> datetime | None:
    """The library's own reading, which takes many more forms, of a text that has this one."""
    if pattern.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def parse_instant(text: str) -> datetime | None:
    """`2026-03-01T00:00:00Z` as an aware UTC time, or None."""
    return _parse(_INSTANT, text)


def parse_second_stamp(text: str) -> datetime | None:
    """`20260301T000000Z`, as in the name of a digest file, or None."""
    return _parse(_SECOND_STAMP, text)


def parse_minute_stamp(text: str) -> datetime | None:
    """`20260301T0000Z`, as in the name of a log file, or None."""
    return _parse(_MINUTE_STAMP, text)


def format_instant(time: datetime) -> str:
    """The form in which the record and CloudTrail's digests write a time."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_second_stamp(time: datetime) -> str:
    """The form in the name of a digest file."""
    return time.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def format_minute_stamp(time: datetime) -> str:
    """The form in the name of a log file."""
    return time.astimezone(UTC).strftime("%Y%m%dT%H%MZ")


def day_of(time: datetime) -> datetime:
    """The UTC midnight at which the day of `time` begins."""
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def day_folder(day: datetime) -> str:
    """The folders of a UTC day inside a region's: `2026/03/01/`."""
    return f"{day.year:04}/{day.month:02}/{day.day:02}/"
