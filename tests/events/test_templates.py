"""Templates: fields by their path, what is not there, and what a stranger's field may hold."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from integrity.events.templates import check_template, render_template

TOKYO = ZoneInfo("Asia/Tokyo")
EVENT = {
    "eventTime": "2026-03-01T15:30:00Z",
    "userIdentity": {"type": "Root"},
    "requestParameters": {"a": [1, {"b": True}]},
    "userAgent": "{eventTime}\n\x1b[2J" + "x" * 2000,
    "number": 12345678901234567890123,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{eventTime} {@localTime}", "2026-03-01T15:30:00Z 2026/03/02 00:30:00"),
        ("{@userName}/{userIdentity.type}", "Root/Root"),
        ("{requestParameters}", '{"a":[1,{"b":true}]}'),
        ("{{x}} {nothing} {userIdentity.nothing.more}", "{x} - -"),
        ("{number}", "12345678901234567890123"),
        ("{rule}: {text}", "a rule: {eventTime}"),
        ("", ""),
    ],
)
def test_fields_are_put_in(template: str, text: str) -> None:
    own = {"rule": "a rule", "text": "{eventTime}"}

    assert check_template(template) == ""
    assert render_template(template, EVENT, own, TOKYO) == text


def test_a_strangers_field_is_one_bounded_line_and_not_looked_up_again() -> None:
    text = render_template("{userAgent}", EVENT, {}, TOKYO)

    assert text.startswith("{eventTime} ")
    assert "\n" not in text
    assert len(text) == 1000


@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        ("{", "a brace stands alone at character 1"),
        ("x } y", "a brace stands alone at character 3"),
        ("{}", "is no field"),
        ("{a b}", "is no field"),
        ("{name=eventName}", "is no field"),
        ("{@nothing}", "is no field"),
        ("{{{a.__class__}}}}", "a brace stands alone at character 18"),
    ],
)
def test_what_is_no_template_says_where(template: str, wrong: str) -> None:
    assert wrong in check_template(template)
