"""A page as its reader has it: headings, tables and text, parsed by the standard library."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

from integrity.record import Run, encode
from integrity.report.page import render_page
from integrity.report.recorded import decode_record

VOID = {"meta", "br", "link", "img", "input", "hr"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5"}


def html_of(*runs: Run) -> str:
    """The page of these records."""
    return render_page([decode_record(encode(run)) for run in runs])


class Page(HTMLParser):
    """`sections` has the text below each heading of an answer (h3), `rows` the cells of tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.ids: list[str] = []
        self.headings: list[tuple[str, str]] = []
        self.sections: dict[str, str] = {}
        self.rows: list[list[str]] = []
        self.text = ""
        self.open: list[str] = []
        self._html = html
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)
        if tag in _HEADINGS:
            self.headings.append((tag, ""))
        elif tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        inside = _HEADINGS & set(self.open)
        if inside:
            tag, words = self.headings[-1]
            self.headings[-1] = (tag, words + data)
        if "main" in self.open and "h3" not in self.open:
            answers = [words for tag, words in self.headings if tag == "h3"]
            if answers:
                self.sections[answers[-1]] = self.sections.get(answers[-1], "") + data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def page_of(*runs: Run) -> Page:
    """The page of these records, parsed."""
    return Page(html_of(*runs))
