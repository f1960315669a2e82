"""Times as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from integrity.chain.model import TimeWindow
from integrity.cli.times import asked_window, parse_end, parse_start, parse_zone
from integrity.errors import UsageError
from integrity.grammar import parse_span

NOW = datetime(2026, 3, 10, 12, 34, 56, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-03-01", utc(2026, 3, 1), utc(2026, 3, 2)),
        ("20260301", utc(2026, 3, 1), utc(2026, 3, 2)),
        ("2026-W10-1", utc(2026, 3, 2), utc(2026, 3, 3)),
        ("2024-02-29", utc(2024, 2, 29), utc(2024, 3, 1)),
        ("2026-12-31", utc(2026, 12, 31), utc(2027, 1, 1)),
        ("2026-03-01T05", utc(2026, 3, 1, 5), utc(2026, 3, 1, 5)),
        ("2026-03-01T05:06", utc(2026, 3, 1, 5, 6), utc(2026, 3, 1, 5, 6)),
        ("2026-03-01T05:06:07", utc(2026, 3, 1, 5, 6, 7), utc(2026, 3, 1, 5, 6, 7)),
        ("2026-03-01 05:06:07", utc(2026, 3, 1, 5, 6, 7), utc(2026, 3, 1, 5, 6, 7)),
        ("2026-03-01T00:00", utc(2026, 3, 1), utc(2026, 3, 1)),
        ("2026-03-01T05:06:07Z", utc(2026, 3, 1, 5, 6, 7), utc(2026, 3, 1, 5, 6, 7)),
        ("2026-03-01t05:06:07z", utc(2026, 3, 1, 5, 6, 7), utc(2026, 3, 1, 5, 6, 7)),
        ("20260301T050607Z", utc(2026, 3, 1, 5, 6, 7), utc(2026, 3, 1, 5, 6, 7)),
        ("2026-03-01T02:00:00+05:00", utc(2026, 2, 28, 21), utc(2026, 2, 28, 21)),
        ("2026-03-01T02:00:00-0530", utc(2026, 3, 1, 7, 30), utc(2026, 3, 1, 7, 30)),
        ("2026-03-01T02:00+01", utc(2026, 3, 1, 1), utc(2026, 3, 1, 1)),
        (" 2026-03-01 ", utc(2026, 3, 1), utc(2026, 3, 2)),
        ("2013-01-01", utc(2013, 1, 1), utc(2013, 1, 2)),
    ],
)
def test_an_instant_is_iso_8601_and_utc_without_an_offset(
    text: str, start: datetime, end: datetime
) -> None:
    assert parse_start(text) == start
    assert parse_end(text) == end
    assert parse_start(text).utcoffset() == timedelta(0)


def test_a_fraction_of_a_second_never_makes_the_window_smaller() -> None:
    assert parse_start("2026-03-01T05:00:00.9Z") == utc(2026, 3, 1, 5)
    assert parse_end("2026-03-01T05:00:00.1Z") == utc(2026, 3, 1, 5, 0, 1)
    assert parse_end("2026-03-01T05:00:00,000Z") == utc(2026, 3, 1, 5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "yesterday",
        "2026",
        "2026-03",
        "2026-3-1",
        "2026-02-29",
        "2026-02-30T00:00:00Z",
        "2026-13-01",
        "2026-03-01T25:00:00Z",
        "2026-03-01T05:60:00Z",
        "2026-03-01T",
        "2026-03-01x05:00",
        "20260301005",
        "2026-03-01T05:00:00 +02:00",
        "2026-03-01T05:00:00ZZ",
        "2026-03-01T05:00:00+99:00",
        "1772323200",
        "01/03/2026",
        "2026-03-01T05:00:00Z\x1b[2J",
        "\u0662\u0660\u0662\u0666-\u0660\u0663-\u0660\u0661",
    ],
)
def test_what_is_no_time_is_told_with_what_was_expected(text: str) -> None:
    for parse in (parse_start, parse_end):
        with pytest.raises(UsageError, match=r"is no time: expected ISO 8601, such as 2026-03-01"):
            parse(text)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "1970-01-01", "2012-12-31T23:59:59Z", "2200-01-01", "9999-12-31"]
)
def test_a_year_without_cloudtrail_is_told(text: str) -> None:
    for parse in (parse_start, parse_end):
        with pytest.raises(UsageError, match="expected a year from 2013"):
            parse(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"])
def test_an_offset_over_the_edge_of_the_calendar_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        parse_start(text)


def test_a_zone_is_an_iana_name() -> None:
    assert parse_zone("Europe/Berlin") == ZoneInfo("Europe/Berlin")
    assert parse_zone("utc") is UTC
    assert parse_zone("Z") is UTC


@pytest.mark.parametrize(
    "text", ["", "Mars/Base", "Europe", "../../etc/passwd", "/etc/passwd", "\0"]
)
def test_what_is_no_zone_is_told_with_what_was_expected(text: str) -> None:
    with pytest.raises(UsageError, match="expected an IANA name, such as Europe/Berlin"):
        parse_zone(text)


def test_without_options_the_last_24_hours_are_asked_for() -> None:
    window = asked_window(start=None, end=None, last=None, now=NOW)
    assert window == TimeWindow(NOW - timedelta(hours=24), NOW)


def test_last_reaches_back_from_the_end() -> None:
    week = timedelta(days=7)
    assert asked_window(start=None, end=None, last=week, now=NOW) == TimeWindow(NOW - week, NOW)
    end = utc(2026, 3, 5)
    assert asked_window(start=None, end=end, last=week, now=NOW) == TimeWindow(end - week, end)


def test_an_end_alone_asks_for_the_24_hours_before_it() -> None:
    end = utc(2026, 3, 5)
    window = asked_window(start=None, end=end, last=None, now=NOW)
    assert window == TimeWindow(utc(2026, 3, 4), end)


def test_a_start_alone_asks_for_everything_until_now() -> None:
    start = utc(2026, 3, 5)
    assert asked_window(start=start, end=None, last=None, now=NOW) == TimeWindow(start, NOW)


def test_the_same_bare_date_twice_is_that_day() -> None:
    window = asked_window(
        start=parse_start("2026-03-01"), end=parse_end("2026-03-01"), last=None, now=NOW
    )
    assert window == TimeWindow(utc(2026, 3, 1), utc(2026, 3, 2))


def test_the_end_may_lie_in_the_future() -> None:
    window = asked_window(start=utc(2026, 3, 10), end=utc(2026, 3, 12), last=None, now=NOW)
    assert window.end == utc(2026, 3, 12)


def test_last_beside_a_start_is_told() -> None:
    with pytest.raises(UsageError, match="--last and --start-time"):
        asked_window(start=utc(2026, 3, 1), end=None, last=timedelta(hours=1), now=NOW)


@pytest.mark.parametrize("start", [utc(2026, 3, 6), utc(2026, 3, 5)])
def test_an_empty_window_is_told(start: datetime) -> None:
    with pytest.raises(UsageError, match="--start-time must be before --end-time"):
        asked_window(start=start, end=utc(2026, 3, 5), last=None, now=NOW)


def test_an_empty_last_is_told() -> None:
    with pytest.raises(UsageError, match="the window is empty"):
        asked_window(start=None, end=None, last=timedelta(0), now=NOW)


def test_a_start_that_is_not_over_yet_is_told() -> None:
    with pytest.raises(UsageError, match=r"it is 2026-03-10T12:34:56Z now"):
        asked_window(start=NOW, end=utc(2026, 3, 12), last=None, now=NOW)


def test_last_may_not_reach_back_over_the_edge() -> None:
    with pytest.raises(UsageError, match="when CloudTrail began"):
        asked_window(start=None, end=None, last=parse_span("999999w"), now=NOW)
