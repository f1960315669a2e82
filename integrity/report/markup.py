"""The few pieces that a page is made of, as elements of the standard library's tree.

Text is put into the tree and never into markup, so that the serializer escapes whatever anybody
wrote. Whatever comes out of a record also passes `shown` first: printable ASCII, and no longer than
a page can bear. What stands on which page is `page`, how it looks `style`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from integrity.chain.terminal import escape

MOST_CHARACTERS = 1000
"""So much of one value is shown; the record has it whole."""

Part = Element | str | None
"""What may stand inside of an element; None is nothing."""


def element(tag: str, *parts: Part, **attributes: str) -> Element:
    """An element; `class_` and `aria_label` are the attributes `class` and `aria-label`."""
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    made = Element(tag, names)
    add(made, *parts)
    return made


def add(parent: Element, *parts: Part) -> None:
    """Put parts behind what stands in `parent`."""
    for part in parts:
        if part is None:
            continue
        if isinstance(part, Element):
            parent.append(part)
        elif len(parent):
            parent[-1].tail = (parent[-1].tail or "") + part
        else:
            parent.text = (parent.text or "") + part


def shown(text: str, most: int = MOST_CHARACTERS) -> str:
    """What a record says, in printable ASCII; of more than `most` characters, both ends."""
    if len(text) > most:
        half = most // 2
        return _ends(escape(text[:half]), escape(text[-half:]), len(text), half)
    return bounded(escape(text), most)


def bounded(plain: str, most: int = MOST_CHARACTERS) -> str:
    """The same of text that is printable already."""
    half = most // 2
    return plain if len(plain) <= most else _ends(plain, plain, len(plain), half)


def _ends(first: str, last: str, length: int, half: int) -> str:
    return f"{first[:half]} [... {length:,} characters in the record ...] {last[-half:]}"


def prose(text: str) -> list[Part]:
    """A sentence whose times do not break at the end of a line."""
    parts = _TIME.split(text)
    return [element("time", part) if at % 2 else part for at, part in enumerate(parts)]


_TIME = re.compile("([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z)")


def code(text: str) -> Element:
    """A name, key or hash out of a record, which may break anywhere."""
    return element("code", shown(text))


def command(text: str) -> Element:
    """A command to type. Its parts are bounded and quoted by who made it."""
    return element("pre", element("code", text), tabindex="0", role="group", aria_label="Command")


def items(parts: Iterable[Part], **attributes: str) -> Element:
    """A list of sentences."""
    return element("ul", *(element("li", part) for part in parts), **attributes)


def facts(rows: Iterable[tuple[str, Part | Sequence[Part]]]) -> Element:
    """Names and what they are; a row whose value is None is left out."""
    made = element("dl")
    for name, value in rows:
        if value is None:
            continue
        parts = (value,) if isinstance(value, (Element, str)) else tuple(value)
        add(made, element("div", element("dt", name), element("dd", *parts)))
    return made


def table(
    caption: str, headings: Sequence[str], rows: Iterable[Sequence[Part]], *, numbers: int = 0
) -> Element:
    """A table whose first cells name their rows; the last `numbers` columns are numbers.

    It scrolls by itself where the page is narrow, with the keyboard too.
    """
    first = len(headings) - numbers
    body = element("tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for index, cell in enumerate(row):
            tag, scope = ("td", {}) if index else ("th", {"scope": "row"})
            kind = {"class": "n"} if index >= first else {}
            add(line, element(tag, cell, **scope, **kind))
    head = element("tr")
    for index, heading in enumerate(headings):
        kind = {"class": "n"} if index >= first else {}
        add(head, element("th", heading, scope="col", **kind))
    made = element("table", element("caption", caption), element("thead", head), body)
    return scrolling(caption, made)


def scrolling(label: str, *parts: Part) -> Element:
    """What may be wider than the page: it scrolls in a frame of its own, by keyboard too."""
    return element("div", *parts, class_="wide", role="group", tabindex="0", aria_label=label)


def serialize(root: Element) -> str:
    """The whole document. Everything in it is escaped here."""
    return "<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html") + "\n"
