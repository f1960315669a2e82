"""A rule's template and an event's fields to text.

`{userIdentity.userName}` is the field at that path, `{{` and `}}` are braces. Beside the event's
fields there are `{rule}`, `{description}`, `{text}` (what the program said), `{user}` (who did it,
as a person is called) and `{proof}`. What is not there is shown as a hyphen. Fields are a
stranger's: each is bounded, on one line, and nothing of it is looked up again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from integrity.rules.reading import Json, Spelt, value_at

OWN = ("rule", "description", "text", "user", "proof")
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_MOST_VALUE = 1000
_NOTHING = "-"


def check_template(template: str) -> str:
    """What is wrong with it; empty where nothing is."""
    for found in _FIELD.finditer(template):
        path = found.group(1)
        if found.group() in ("{{", "}}"):
            continue
        if path is None:
            return f"a brace stands alone at character {found.start() + 1}: write it twice"
        if not _PATH.fullmatch(path):
            return f"{{{path}}} is no field: expected {{eventName}} or {{userIdentity.userName}}"
    return ""


def render_template(template: str, fields: Json, own: Mapping[str, str]) -> str:
    """The text. `own` are the fields that are not the event's."""

    def value(found: re.Match[str]) -> str:
        path = found.group(1)
        if path is None:
            return found.group()[0]
        return own[path] if path in own else show(value_at(fields, path))

    return _FIELD.sub(value, template)


def show(value: Any) -> str:
    """A field on one line; what is no text as JSON, numbers as they are spelt."""
    if value is None or value == "":
        return _NOTHING
    said = value if isinstance(value, str) else _spell(value)
    line = " ".join(said.split())
    return line if len(line) <= _MOST_VALUE else f"{line[: _MOST_VALUE - 1]}…"


def _spell(value: Any) -> str:
    """JSON again, and no number rounded."""
    if isinstance(value, Spelt):
        return str(value)
    if isinstance(value, dict):
        inside = (
            f"{json.dumps(key, ensure_ascii=False)}: {_spell(one)}" for key, one in value.items()
        )
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spell, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
