"""The coverage calendar: every hour that is not proven is seen, however long the window is."""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.model import ChainKind, TimeWindow
from integrity.record import ChainResult
from integrity.report.calendar import (
    MOST_DAYS,
    MOST_ROWS,
    render_days,
    render_legend,
    render_overview,
    render_patterns,
)
from integrity.report.hours import (
    MOST_UNTOLD_HOURS,
    WORDS,
    columns,
    counted_hours,
    hour_at,
    hours_of,
    letters_of,
    spans,
)
from integrity.structs import replace
from tests.report.samples import DAY, HOUR, WINDOW, chain, run

LETTERS = "".join(WORDS)


def window(hours: int, *, start: int = 0) -> TimeWindow:
    return TimeWindow(DAY + start * HOUR, DAY + (start + hours) * HOUR)


def with_hours(hours: str, region: str = "us-east-1") -> ChainResult:
    return replace(chain(region), hours=hours)


def strokes(picture: Element, kind: str) -> list[tuple[float, float]]:
    """Where the strokes of a letter begin and how wide they are, row after row."""
    found = []
    for path in picture.iter("path"):
        if path.get("class") != f"s{kind}":
            continue
        x = 0.0
        for move, to, width in re.findall(
            r"([Mm])([-0-9.]+) [-0-9.]+h([-0-9.]+)", path.get("d", "")
        ):
            x = float(to) if move == "M" else x + float(to)
            found.append((round(x, 1), float(width)))
            x += float(width)
    return found


def words(picture: Element, kind: str) -> list[str]:
    return [text.text or "" for text in picture.iter("text") if text.get("class") == kind]


def test_a_day_has_a_column_for_each_hour_and_letters() -> None:
    (picture,) = render_overview([with_hours("PPPXXEPPGPMUP" + "P" * 11)], WINDOW, "t")
    assert strokes(picture, "X") == [(236 + 3 * 18, 36)]
    assert strokes(picture, "G") == [(236 + 8 * 18, 18)]
    assert words(picture, "l") == ["X", "E", "G", "M", "U"]
    assert words(picture, "m") == ["X M G U"]
    assert words(picture, "c") == ["111122223333 us-east-1"]


@pytest.mark.parametrize("days", [2, 7, 31, 90, 366, 3000])
def test_one_bad_hour_shows_however_long_the_window_is(days: int) -> None:
    hours = "P" * (24 * days // 2) + "M" + "P" * (24 * days - 24 * days // 2 - 1)
    (picture,) = render_overview([with_hours(hours)], window(24 * days), "t")
    ((x, width),) = strokes(picture, "M")
    assert width >= 4
    assert abs(x - 236 - 360) <= 18 or days == 2
    assert words(picture, "m") == ["M"]
    assert 0 < len(words(picture, "t")) <= 16


def test_the_days_with_bad_hours_are_drawn_hour_by_hour() -> None:
    hours = "P" * 24 * 40 + "PPX" + "P" * 21 + "P" * 24 * 49
    picture = render_days([with_hours(hours)], window(24 * 90), "t")
    assert picture is not None
    assert words(picture, "c") == ["111122223333 us-east-1 04-10"]
    assert strokes(picture, "X") == [(236 + 2 * 24, 24)]


def test_a_day_begins_where_the_window_does() -> None:
    hours = "X" + "P" * 199
    picture = render_days([with_hours(hours)], window(200, start=5), "t")
    assert picture is not None
    assert strokes(picture, "X") == [(236 + 5 * 24, 24)]
    assert strokes(picture, "P") == [(236 + 6 * 24, 18 * 24)]


def test_where_the_overview_has_room_for_letters_there_is_no_second_drawing() -> None:
    assert render_days([with_hours("X" * 24)], WINDOW, "t") is None
    assert render_days([with_hours("P" * 240)], window(240), "t") is None


def test_more_chains_than_rows_leave_out_proven_ones() -> None:
    proven = [with_hours("P" * 24)] * MOST_ROWS
    pictures = render_overview([*proven, with_hours("M" * 24, "eu-west-1")], WINDOW, "t")
    names = [name for picture in pictures for name in words(picture, "c")]
    assert len(names) == MOST_ROWS
    assert names[0] == "111122223333 eu-west-1"


def test_the_drawing_of_days_is_bounded() -> None:
    chains = [with_hours("M" * 24 * 90)] * 10
    picture = render_days(chains, window(24 * 90), "t")
    assert picture is not None
    assert len(words(picture, "c")) == MOST_DAYS


def test_every_letter_has_a_pattern_or_a_plain_colour_and_a_place_in_the_legend() -> None:
    legend = render_legend()
    assert [bold.text for bold in legend.iter("b")] == list(WORDS)
    patterns = {pattern.get("id") for pattern in render_patterns().iter("pattern")}
    assert patterns == {"pX", "pM", "pG", "pU", "pE"}


@given(st.text(alphabet=LETTERS, min_size=1, max_size=200), st.integers(1, 9))
def test_columns_hide_nothing_that_is_bad(letters: str, size: int) -> None:
    shown = columns(letters, size)
    assert len(shown) == -(-len(letters) // size)
    for index, letter in enumerate(shown):
        part = letters[index * size : (index + 1) * size]
        assert letter in part
        assert letter in "EPS." or set(part) & set("XMGU?")
        assert letter == "X" or "X" not in part


@given(st.text(alphabet=LETTERS, max_size=200))
def test_runs_are_the_letters(letters: str) -> None:
    assert "".join(span.letter * span.count for span in spans(letters)) == letters


def test_what_the_record_does_not_tell_is_not_proven() -> None:
    assert letters_of(with_hours("PP<P"), window(6)) == "PP?P??"
    assert letters_of(with_hours("P" * 50), window(6)) == "PPPPPP"
    endless = TimeWindow(DAY, DAY + timedelta(days=365 * 5000))
    assert len(letters_of(with_hours(""), endless)) == MOST_UNTOLD_HOURS


def test_hours_are_clock_hours() -> None:
    odd = TimeWindow(DAY + timedelta(minutes=90), DAY + timedelta(minutes=270))
    assert hours_of(odd) == 4
    assert hour_at(odd, 0) == DAY + HOUR
    assert hour_at(odd, 4) == odd.end


def test_backfill_chains_have_no_hours() -> None:
    backfill = replace(chain(kind=ChainKind.BACKFILL), hours="")
    assert counted_hours(run(chains=(with_hours("PPE" + "P" * 21), backfill))) == {"P": 23, "E": 1}
