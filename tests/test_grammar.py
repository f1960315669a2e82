"""Names and spans as people type them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrity.errors import UsageError
from integrity.grammar import parse_span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("0h", timedelta(0)),
        (" 1h ", timedelta(hours=1)),
    ],
)
def test_a_span_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize(
    "text", ["", "h", "24", "24H", "1.5h", "-1h", "1h30m", "1 h", "24hours", "1234567h", "\u0663h"]
)
def test_what_is_no_span_is_told_with_what_was_expected(text: str) -> None:
    with pytest.raises(UsageError, match="such as 90m, 24h, 7d or 2w"):
        parse_span(text)
