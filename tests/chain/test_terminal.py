"""Nothing that a stranger named is obeyed by a terminal."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.terminal import escape


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("s3://logs/AWSLogs/1/a_b-c.json.gz~", "s3://logs/AWSLogs/1/a_b-c.json.gz~"),
        ("\x1b[2J\x1b[H", r"\x1b[2J\x1b[H"),
        ("a\nVALID: all is well", r"a\nVALID: all is well"),
        ("a\r\tb\x07\x00\x7f", r"a\r\tb\x07\x00\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("safe\u202egz.nosj", r"safe\u202egz.nosj"),
        ("\u2066\u200f\u200b\ufeff\u2028\u2029", r"\u2066\u200f\u200b\ufeff\u2028\u2029"),
        ("\u0410WSLogs", r"\u0410WSLogs"),  # a Cyrillic letter that looks like an A
        ("\u05d0\u0627", r"\u05d0\u0627"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        (r"\x1b[2J", r"\\x1b[2J"),
    ],
)
def test_everything_but_printable_ascii_becomes_a_visible_escape(hostile: str, shown: str) -> None:
    assert escape(hostile) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_can_be_read_back_and_is_plain(text: str) -> None:
    shown = escape(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert ast.literal_eval('"' + shown.replace('"', r"\"") + '"') == text
