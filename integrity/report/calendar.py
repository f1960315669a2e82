"""The coverage calendar: chains against time, drawn so that every hour that is not proven shows.

A row a chain, a column an hour or, in long windows, several hours of which the worst shows; and the
days that are not wholly proven once more, hour by hour, with letters. Drawings are inline SVG
without a script; runs of one letter are one stroke, so that a drawing's size is bounded by its rows
and columns. Each has a title and a description, a pattern and a letter beside its colour, and all
that they show stands in tables too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from xml.etree.ElementTree import Element

from msgspec import Struct

from integrity.chain.model import TimeWindow
from integrity.chain.times import HOUR, day_of
from integrity.report.hours import (
    OPEN,
    WORDS,
    HasHours,
    columns,
    first_hour,
    hour_at,
    hours_of,
    letters_of,
    spans,
)
from integrity.report.markup import add, element, scrolling, shown

MOST_ROWS = 400
"""So many chains have a row; those that are not wholly proven come first where there are more."""

MOST_DAYS = 200
"""So many days that are not wholly proven are drawn hour by hour."""

_ROWS_A_DRAWING = 34
_WIDTH = 720
_MOST_COLUMNS = 360
_LABEL = 236
_MARKS = 60
_ROW = 18
_AXIS = 20
_TROUBLE = "XMGU?"
_LEAST_TROUBLE = 4
_ORDER = ".SPEU?GMX"
"""What is painted later lies above."""

_LETTER = 9
"""So wide is a letter."""

_MOST_LETTERS = 2000
"""So many letters stand in one drawing; beyond, the letters at the end of each row must do."""


class Row(Struct, frozen=True):
    """A line of a drawing: its name, a letter for each column, and where in the row they begin."""

    name: str
    letters: str
    offset: int = 0


class Tick(Struct, frozen=True):
    """A line down a drawing, with its word above, before a column."""

    column: float
    word: str


class Drawing(Struct, frozen=True):
    """What one picture shows: its name, its words, its rows and how wide a column is."""

    name: str
    title: str
    description: str
    rows: Sequence[Row]
    ticks: Sequence[Tick]
    count: int
    step: float

    def x(self, column: float) -> float:
        """Where a column begins."""
        return round(_LABEL + column * self.step, 1)

    @property
    def width(self) -> int:
        return int(_LABEL + self.count * self.step + _MARKS)

    @property
    def height(self) -> int:
        return _AXIS + _ROW * len(self.rows) + 4


def render_patterns() -> Element:
    """What the drawings are painted with; once a page."""
    lines = {
        "X": ("M-1 1l2-2M0 6l6-6M5 7l2-2M-1 5l2 2M0 0l6 6M5-1l2 2", "6"),
        "M": ("M-1 1l2-2M0 6l6-6M5 7l2-2", "6"),
        "G": ("M0 2h6M0 5h6", "6"),
        "U": ("M1 1h1.6v1.6h-1.6zM4 4h1.6v1.6h-1.6z", "6"),
        "E": ("M3 3h.9v.9h-.9z", "6"),
    }
    made = element("defs")
    for letter, (path, size) in lines.items():
        ground = element("rect", width=size, height=size, class_=f"g{letter}")
        ink = element("path", d=path, class_=f"i{letter}")
        pattern = element(
            "pattern", ground, ink, id=f"p{letter}", width=size, height=size,
            patternUnits="userSpaceOnUse",
        )  # fmt: skip
        made.append(pattern)
    return element("svg", made, class_="defs", width="0", height="0", aria_hidden="true")


def render_legend() -> Element:
    """Letters, patterns and what they mean."""
    entries = []
    for letter, words in WORDS.items():
        swatch = element(
            "svg",
            element("rect", x="0", y="0", width="18", height="14", class_=f"f{_kind(letter)}"),
            width="18",
            height="14",
            aria_hidden="true",
        )
        entries.append(element("li", swatch, element("b", letter), f" {words}"))
    entries.append(
        element("li", element("span", class_="blank", aria_hidden="true"), "blank: not asked for")
    )
    return element("ul", *entries, class_="legend", aria_label="Letters and patterns")


def render_overview(chains: Sequence[HasHours], window: TimeWindow, prefix: str) -> list[Element]:
    """All chains over the whole window. `prefix` begins the ids of what is drawn."""
    total = hours_of(window)
    size = -(-total // _MOST_COLUMNS)
    count = -(-total // size)
    step = min(18.0, _WIDTH / count)
    told = [(chain, letters_of(chain, window)) for chain in chains]
    if len(told) > MOST_ROWS:
        told.sort(key=lambda one: not set(one[1]) & set(_TROUBLE))
    rows = [Row(name_of(chain), columns(letters, size)) for chain, letters in told[:MOST_ROWS]]
    ticks = list(_ticks(window, total, size))
    each = "one hour" if size == 1 else f"{size} hours, of which the worst shows"
    drawings = []
    for number, start in enumerate(range(0, len(rows), _ROWS_A_DRAWING), 1):
        part = rows[start : start + _ROWS_A_DRAWING]
        drawings.append(
            Drawing(
                f"{prefix}-calendar-{number}",
                f"Coverage, chains {start + 1} to {start + len(part)} of {len(told)}",
                f"A row a chain, a column {each}. {_in_words(part)}",
                part,
                ticks,
                count,
                step,
            )
        )
    return [_draw(drawing) for drawing in drawings]


def render_days(chains: Iterable[HasHours], window: TimeWindow, prefix: str) -> Element | None:
    """The days with hours that are neither proven nor still to come, each hour with its letter."""
    rows = list(islice(_open_days(chains, window), MOST_DAYS))
    if not rows or _WIDTH / hours_of(window) >= _LETTER:  # the overview has room for each hour
        return None
    ticks = [Tick(hour, f"{hour:02}") for hour in range(0, 24, 3)]
    return _draw(
        Drawing(
            f"{prefix}-days",
            "Days that are not wholly proven, hour by hour",
            f"A row a day of one chain, a column an hour of the day in UTC. {_in_words(rows)}",
            rows,
            ticks,
            24,
            24.0,
        )
    )


def name_of(chain: HasHours) -> str:
    """`111122223333 us-east-1`, printable and short enough for a row."""
    return f"{shown(chain.account_id, 12)} {shown(chain.region, 17)}"


def _open_days(chains: Iterable[HasHours], window: TimeWindow) -> Iterator[Row]:
    first = first_hour(window)
    skipped = (first - day_of(first)) // HOUR
    for chain in chains:
        letters = letters_of(chain, window)
        for start in range(-skipped, len(letters), 24):
            part = letters[max(0, start) : start + 24]
            if set(part) & set(_TROUBLE):
                day = hour_at(window, max(0, start)).strftime("%m-%d")
                yield Row(f"{name_of(chain)} {day}", part, skipped if start < 0 else 0)


def _ticks(window: TimeWindow, total: int, size: int) -> Iterator[Tick]:
    """A dozen at most: hours of a day or two, days, then months."""
    first = first_hour(window)
    if total <= 48:
        for hour in range(0, total, 3 if total <= 30 else 6):
            yield Tick(hour / size, f"{hour_at(window, hour):%H:%M}")
        return
    skipped = (first - day_of(first)) // HOUR
    days = -(-total // 24)
    every = 24 * -(-days // 12)
    for hour in range(-skipped if not skipped else 24 - skipped, total, every):
        yield Tick(hour / size, _day(hour_at(window, hour), days))


def _day(time: datetime, days: int) -> str:
    return f"{time:%Y-%m-%d}" if days > 366 else f"{time:%m-%d}"


def _in_words(rows: Sequence[Row]) -> str:
    """What a drawing shows, for whoever hears it; the tables say it in full."""
    letters = set().union(*(row.letters for row in rows)) if rows else set()
    open_rows = sum(1 for row in rows if set(row.letters) & set(_TROUBLE))
    kinds = ", ".join(f"{letter} {WORDS[letter]}" for letter in OPEN if letter in letters)
    if not kinds:
        return "Every hour shown is proven."
    return f"{open_rows} of {len(rows)} rows have hours that are not proven or open: {kinds}."


def _draw(drawing: Drawing) -> Element:
    title, description = f"{drawing.name}-title", f"{drawing.name}-description"
    picture = element(
        "svg",
        element("title", drawing.title, id=title),
        element("desc", drawing.description, id=description),
        role="img",
        aria_labelledby=f"{title} {description}",
        viewBox=f"0 0 {drawing.width} {drawing.height}",
        width=str(drawing.width),
        height=str(drawing.height),
        class_="calendar",
    )
    for tick in drawing.ticks:
        x = f"{drawing.x(tick.column):g}"
        add(picture, element("text", tick.word, x=x, y="12", class_="t"))
    add(picture, *_strokes(drawing))
    for tick in drawing.ticks:
        x = f"{drawing.x(tick.column):g}"
        add(picture, element("path", d=f"M{x} 16V{drawing.height}", class_="k"))
    for number, row in enumerate(drawing.rows):
        y = str(_AXIS + number * _ROW + 12)
        add(picture, element("text", row.name, x="0", y=y, class_="c"))
        marks = " ".join(letter for letter in _TROUBLE if letter in row.letters)
        if marks:
            x = f"{drawing.x(drawing.count) + 6:g}"
            add(picture, element("text", marks, x=x, y=y, class_="m"))
    return element("figure", scrolling(drawing.title, picture))


def _strokes(drawing: Drawing) -> Iterator[Element]:
    """One path a letter over all rows, the worst last; then letters, where there is room."""
    paths: dict[str, list[str]] = {letter: [] for letter in _ORDER}
    words: list[Element] = []
    for number, row in enumerate(drawing.rows):
        y = _AXIS + number * _ROW + _ROW / 2 - 1
        pens: dict[str, float] = {}
        for span in spans(row.letters):
            start = drawing.x(row.offset + span.first)
            width = drawing.x(row.offset + span.end) - start
            trouble = span.letter in _TROUBLE
            width = max(width, _LEAST_TROUBLE) if trouble else width
            pen = pens.get(span.letter)
            move = f"M{start:g} {y:g}" if pen is None else f"m{start - pen:.4g} 0"
            paths[span.letter].append(f"{move}h{width:.4g}")
            pens[span.letter] = start + width
            wide = width >= _LETTER and span.letter != "P" and len(words) < _MOST_LETTERS
            if wide and (trouble or drawing.step >= _LETTER):
                x = f"{start + width / 2:g}"
                words.append(element("text", span.letter, x=x, y=f"{y + 4:g}", class_="l"))
    for letter, moves in paths.items():
        if moves:
            yield element("path", d="".join(moves), class_=f"s{_kind(letter)}")
    yield from words


def _kind(letter: str) -> str:
    """The letter in the name of a class."""
    return {".": "N", "?": "U"}.get(letter, letter)
