"""The document of the differences is the list that the tests prove."""

from __future__ import annotations

from pathlib import Path

from tests.parity.document import render_tables
from tests.scenarios import SCENARIOS

DOCUMENT = Path(__file__).parents[2] / "docs" / "aws-cli.md"


def test_the_document_lists_exactly_the_differences() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text[text.index("## ") :] == render_tables()


def test_every_difference_is_in_one_table() -> None:
    rows = [line for line in render_tables().splitlines() if line.startswith("| ")]
    names = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    differing = [scenario.name for scenario in SCENARIOS if scenario.differs is not None]
    assert sorted(name for name in names if name != "what happened") == sorted(differing)
