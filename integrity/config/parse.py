"""From a text and an environment to the one configuration, or to every mistake in both.

A mistake names the table and key (and the variable, where one stood behind it), what was expected
and what stood there; of a secret, and of a key that is not known and might be one, it shows
nothing. Nothing is read here: who has the text and the environment hands them in.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from integrity.config.combinations import check_combinations
from integrity.config.environment import Overlay, Path, lay_over
from integrity.config.forms import FORM
from integrity.config.keys import ANY, Key, Kind, all_keys, all_tables, format_span, generic
from integrity.config.model import Config
from integrity.errors import ConfigError

_BARE = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LONGEST_SHOWN = 100
_EXPECTED = {
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "string_type": "expected text in quotes",
    "tuple_type": "expected a list in brackets",
}
_TABLE_TYPES = frozenset({"model_type", "model_attributes_type", "dict_type"})


def parse_config(toml_text: str, environ: Mapping[str, str]) -> Config:
    """The configuration; variables of `environ` count more than the text, others are left alone.

    Raises ConfigError with every mistake in both.
    """
    try:
        tree = tomllib.loads(toml_text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # What the variables say cannot be judged without it: they may only complete it.
        raise ConfigError([f"the text is not TOML: {error}"]) from error
    overlay = lay_over(tree, environ)
    mistakes = list(overlay.mistakes)
    found: Config | None = None
    try:
        found = Config.model_validate(tree)
    except ValidationError as refused:
        mistakes += [_mistake(one, overlay) for one in refused.errors(include_url=False)]
    mistakes += [f"{_where(path, overlay)}: {said}" for path, said in check_combinations(tree)]
    if mistakes or found is None:
        raise ConfigError(mistakes)
    return found


def _mistake(error: ErrorDetails, overlay: Overlay) -> str:
    path: Path = error["loc"]
    return f"{_where(path, overlay)}: {_said(error, path)}"


def _where(path: Path, overlay: Overlay) -> str:
    """`trails[1].role_arn`, and the variable that said it."""
    dotted = ""
    for part in path:
        dotted += f"[{part}]" if isinstance(part, int) else f".{_written(part)}"
    starts = (path[:end] for end in range(len(path), 0, -1))
    named = next((overlay.variables[one] for one in starts if one in overlay.variables), None)
    return dotted.removeprefix(".") + (f" ({named})" if named else "")


def _written(name: str) -> str:
    """A name as TOML writes it, on one line and not without end."""
    return name if _BARE.fullmatch(name) else json.dumps(name[:_LONGEST_SHOWN])


def _said(error: ErrorDetails, path: Path) -> str:
    kind = error["type"]
    key, inner = _key_of(path), _keys_below(path)
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "missing":
        return f"it is missing: {key.description if key else path[-1]}"
    if kind == FORM:
        return error["msg"]
    expected = _expected(error, path)
    if (key is not None and key.secret) or (inner and all(one.secret for one in inner)):
        return f"{expected} (what stood there is not shown)"
    return f"{expected}, not {_shown(error['input'])}"


def _expected(error: ErrorDetails, path: Path) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _TABLE_TYPES:
        return "expected a table"
    if kind == "tuple_type" and (*generic(path), ANY) in all_tables():
        names = ".".join(part for part in path if isinstance(part, str))
        return f"expected an array of tables, each under [[{names}]]"
    if kind == "greater_than_equal":
        return f"expected at least {_bound(context['ge'])}"
    if kind == "less_than_equal":
        return f"expected at most {_bound(context['le'])}"
    if kind == "literal_error":
        return f"expected {context['expected']}"
    return _EXPECTED.get(kind, error["msg"])


def _bound(bound: object) -> str:
    return format_span(bound) if isinstance(bound, timedelta) else str(bound)


def _key_of(path: Path) -> Key | None:
    """The key at a path, also where the path goes on into a list."""
    keys = all_keys()
    inside = keys.get(generic(path[:-1]))
    return keys.get(generic(path)) or (inside if inside and inside.kind is Kind.LIST else None)


def _keys_below(path: Path) -> list[Key]:
    """The keys of a table, or of an array of tables, where the path leads to one."""
    start = generic(path)
    return [key for key in all_keys().values() if key.path[: len(start)] == start != key.path]


def _unknown(path: Path) -> str:
    """A key that is none: the nearest of its table, or the same in another one."""
    table = all_tables()[generic(path[:-1])]
    slip = str(path[-1])
    inside = ".".join(part for part in path[:-1] if isinstance(part, str))
    what = f"a key of [{inside}]" if inside else "a key or table"
    elsewhere = [_dotted(one) for one in _every_path() if one[-1] == slip]
    close = elsewhere or difflib.get_close_matches(slip, table.model_fields, n=1)
    hint = f"did you mean {' or '.join(close)}?" if close else _choices(list(table.model_fields))
    return f"it is not {what}; {hint}"


def _every_path() -> Iterator[tuple[str, ...]]:
    yield from all_keys()
    yield from (path for path in all_tables() if path and path[-1] != ANY)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(path).replace(f".{ANY}", "[]")


def _choices(names: list[str]) -> str:
    return f"there are {', '.join(names)}"


def _shown(value: Any) -> str:
    """What stood there, on one line."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return format_span(value)
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
