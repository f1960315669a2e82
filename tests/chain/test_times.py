"""CloudTrail's three spellings of an instant, read strictly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from integrity.chain.times import (
    day_folder,
    day_of,
    format_instant,
    format_minute_stamp,
    format_second_stamp,
    parse_instant,
    parse_minute_stamp,
    parse_second_stamp,
)

TIME = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)
EAST = timezone(timedelta(hours=5, minutes=30))

Parse = Callable[[str], datetime | None]
Format = Callable[[datetime], str]

SPELLINGS = [
    (parse_instant, format_instant, "2024-02-29T23:59:58Z", TIME),
    (parse_second_stamp, format_second_stamp, "20240229T235958Z", TIME),
    (parse_minute_stamp, format_minute_stamp, "20240229T2359Z", TIME.replace(second=0)),
]


@pytest.mark.parametrize(("parse", "form", "text", "time"), SPELLINGS)
def test_each_spelling_is_read_and_written(
    parse: Parse, form: Format, text: str, time: datetime
) -> None:
    assert parse(text) == time
    assert form(time) == text
    assert form(time.astimezone(EAST)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T00:00:60Z",
        "0000-03-01T00:00:00Z",
        "2026-03-01T00:00:00",
        "2026-03-01T00:00:00+00:00",
        "2026-03-01T00:00:00.000Z",
        "2026-03-01 00:00:00Z",
        "2026-03-01T00:00:00Z\n",
        " 2026-03-01T00:00:00Z",
        "٢٠٢٦-03-01T00:00:00Z",
    ],
)
def test_what_is_no_instant_is_none(text: str) -> None:
    assert parse_instant(text) is None


@pytest.mark.parametrize(
    "text", ["20260301T000000", "20260229T000000Z", "20260301T0000Z", "00010101T000000Z", "2026"]
)
def test_what_is_no_second_stamp_is_none(text: str) -> None:
    assert parse_second_stamp(text) is None


@pytest.mark.parametrize(
    "text", ["20260301T0000", "20260301T2400Z", "20260301T000000Z", "00010101T0000Z", "2026"]
)
def test_what_is_no_minute_stamp_is_none(text: str) -> None:
    assert parse_minute_stamp(text) is None


def test_a_day_is_a_day_in_utc() -> None:
    early = datetime(2026, 3, 2, 1, 30, tzinfo=EAST)

    assert day_of(early) == datetime(2026, 3, 1, tzinfo=UTC)
    assert day_of(early).utcoffset() == timedelta(0)
    assert day_folder(day_of(early)) == "2026/03/01/"
