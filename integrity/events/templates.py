"""A template and an event's fields to text.

`{userIdentity.userName}` is the field at that path, `{@userName}` one of those that no single path
has (`fields`), `{{` and `}}` are braces. What is not there is shown as a hyphen. Fields are a
stranger's: each is bounded, on one line, and nothing of it is looked up again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo

from integrity.events.fields import Event, parse_field, value_of

NOTHING = "-"
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_MOST_VALUE = 1000


def check_template(template: str) -> str:
    """What is wrong with it; empty where nothing is."""
    for found in _FIELD.finditer(template):
        path = found.group(1)
        if found.group() in ("{{", "}}"):
            continue
        if path is None:
            return f"a brace stands alone at character {found.start() + 1}: write it twice"
        if "=" in path or parse_field(path) is None:
            return f"{{{path}}} is no field: expected {{eventName}} or {{userIdentity.userName}}"
    return ""


def render_template(template: str, event: Event, own: Mapping[str, str], zone: tzinfo) -> str:
    """The text. `own` are fields that are not the event's, and go before them."""

    def value(found: re.Match[str]) -> str:
        path = found.group(1)
        if path is None:
            return found.group()[0]
        return own[path] if path in own else show_field(event, path, zone)

    return _FIELD.sub(value, template)


def show_field(event: Event, path: str, zone: tzinfo) -> str:
    """A field on one line, a hyphen where there is none."""
    line = " ".join(value_of(event, path, zone).split())
    if len(line) > _MOST_VALUE:
        return f"{line[: _MOST_VALUE - 1]}…"
    return line or NOTHING
