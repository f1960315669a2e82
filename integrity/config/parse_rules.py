"""From the text of a rules file to its tables, or to every mistake in it.

A mistake names table and key, what was expected and what stood there; of a secret it shows nothing.
Whether a rule's `match` is a jq program is not asked here: that takes a process. Nothing is read.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from msgspec import Struct
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from integrity.config.forms import FORM
from integrity.config.rules import (
    DESTINATIONS,
    SECRET_KEYS,
    AnyDestination,
    HookTable,
    RuleTable,
    SesTable,
    SlackTable,
)
from integrity.config.table import Table
from integrity.errors import ConfigError

T = TypeVar("T", bound=Table)

_LONGEST_SHOWN = 100
_EXPECTED = {
    "string_type": "expected text in quotes",
    "tuple_type": "expected a list in brackets",
    "int_type": "expected a whole number",
    "string_too_short": "expected at least one character",
    "model_type": "expected a table",
}


class RulesFile(Struct, frozen=True):
    """What stands in a rules file. `warnings` are not mistakes, and still somebody's business."""

    rules: tuple[RuleTable, ...]
    destinations: tuple[AnyDestination, ...]
    warnings: tuple[str, ...] = ()


def parse_rules(toml_text: str) -> RulesFile:
    """The rules file. Raises ConfigError with every mistake in it."""
    try:
        tree = tomllib.loads(toml_text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError([f"the text is not TOML: {error}"]) from error
    mistakes = [
        f"{_written(key)}: it is no table of a rules file; there are [[rule]] and [[destination]]"
        for key in tree
        if key not in ("rule", "destination")
    ]
    rules: list[tuple[str, RuleTable]] = []
    destinations: list[tuple[str, AnyDestination]] = []
    for place, table in _tables(tree, "rule", mistakes):
        rule = _read(RuleTable, place, table, mistakes)
        rules += [(place, rule)] if rule is not None else []
    for place, table in _tables(tree, "destination", mistakes):
        kind = _kind(place, table, mistakes)
        destination = _read(kind, place, table, mistakes) if kind is not None else None
        destinations += [(place, destination)] if destination is not None else []
    if not tree.get("rule"):
        mistakes.append("rule: there is nothing to look for: expected at least one [[rule]] table")
    mistakes += _combinations(tree, rules, destinations)
    if mistakes:
        raise ConfigError(mistakes)
    return RulesFile(
        tuple(rule for _, rule in rules),
        tuple(one for _, one in destinations),
        tuple(_warnings(rules, destinations)),
    )


def _tables(
    tree: Mapping[str, Any], name: str, mistakes: list[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    array = tree.get(name, [])
    if not isinstance(array, list):
        mistakes.append(f"{name}: expected an array of tables, each under [[{name}]]")
        return
    for number, table in enumerate(array):
        if isinstance(table, dict):
            yield f"{name}[{number}]", table
        else:
            mistakes.append(f"{name}[{number}]: expected a table under [[{name}]]")


def _kind(place: str, table: Mapping[str, Any], mistakes: list[str]) -> type[AnyDestination] | None:
    kind = table.get("type")
    if isinstance(kind, str) and kind in DESTINATIONS:
        return DESTINATIONS[kind]
    said = "it is missing" if kind is None else f"{_shown(kind)} is no type of destination"
    mistakes.append(f"{place}.type: {said}: expected {_choices(DESTINATIONS)}")
    return None


def _read(kind: type[T], place: str, table: Mapping[str, Any], mistakes: list[str]) -> T | None:
    try:
        return kind.model_validate(table)
    except ValidationError as refused:
        for error in refused.errors(include_url=False):
            mistakes.append(f"{place}{_where(error)}: {_said(error, kind)}")
        return None


def _where(error: ErrorDetails) -> str:
    return "".join(
        f"[{part}]" if isinstance(part, int) else f".{_written(part)}" for part in error["loc"]
    )


def _written(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain and len(name) <= _LONGEST_SHOWN else json.dumps(name[:_LONGEST_SHOWN])


def _said(error: ErrorDetails, table: type[Table]) -> str:
    kind, key = error["type"], str(error["loc"][0]) if error["loc"] else ""
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(key, table.model_fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {_choices(table.model_fields)}"
        return f"it is not a key of this table; {hint}"
    if kind == "missing":
        return f"it is missing: {table.model_fields[key].description}"
    if kind == FORM:
        return error["msg"]
    expected = _EXPECTED.get(kind, "")
    if kind == "string_too_long":
        expected = f"expected at most {error['ctx']['max_length']} characters"
    if kind == "string_pattern_mismatch":
        expected = f"expected the form {error['ctx']['pattern']}"
    said = expected or error["msg"]
    return said if key in SECRET_KEYS else f"{said}, not {_shown(error['input'])}"


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else str(value).lower()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _choices(names: Mapping[str, Any]) -> str:
    return ", ".join(names)


def _combinations(
    tree: Mapping[str, Any],
    rules: list[tuple[str, RuleTable]],
    destinations: list[tuple[str, AnyDestination]],
) -> Iterator[str]:
    """What single keys cannot show."""
    array = tree.get("destination", [])
    listed = array if isinstance(array, list) else []
    # A destination with a mistake of its own is there all the same.
    ids = {str(one["id"]) for one in listed if isinstance(one, dict) and "id" in one}
    yield from _repeated([(f"{place}.name", rule.name) for place, rule in rules])
    yield from _repeated([(f"{place}.id", one.id) for place, one in destinations])
    for place, rule in rules:
        if (rule.match is None) == (rule.jq_match is None):
            said = "it is missing" if rule.match is None else "jq_match says it too: leave one out"
            yield f"{place}.match: {said}: expected a jq program, such as '.eventName == \"X\"'"
        for number, name in enumerate(rule.destinations):
            if name not in ids:
                known = ", ".join(sorted(ids)) or "none"
                yield (
                    f"{place}.destinations[{number}]: there is no destination {_shown(name)}; "
                    f"there are: {known}"
                )
    for place, one in destinations:
        yield from _of_destination(place, one)


def _repeated(named: list[tuple[str, str]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for place, name in named:
        if first.setdefault(name, place) != place:
            yield f"{place}: {first[name]} is {_shown(name)} already"


def _of_destination(place: str, one: AnyDestination) -> Iterator[str]:
    if isinstance(one, SesTable) and bool(one.to_emails) == (one.to_email is not None):
        said = "to_email says it too: leave one out" if one.to_emails else "it is missing"
        yield f"{place}.to_emails: {said}: expected the recipients"
    if isinstance(one, SlackTable) and (one.webhook_url is None) == (one.webhook_url_env is None):
        yield f"{place}.webhook_url_env: expected the variable that holds the URL, and no other key"
    if isinstance(one, HookTable) and (one.url is None) == (one.url_env is None):
        yield f"{place}.url_env: expected the variable that holds the URL, and no other key"


def _warnings(
    rules: list[tuple[str, RuleTable]], destinations: list[tuple[str, AnyDestination]]
) -> Iterator[str]:
    for place, rule in rules:
        if not rule.destinations:
            yield f"{place} ({rule.name}) tells nobody: it has no destinations"
    for place, one in destinations:
        key = {SlackTable: "webhook_url", HookTable: "url"}.get(type(one))
        if key is not None and getattr(one, key) is not None:
            yield (
                f"{place}.{key} ({one.id}) is a secret that stands in the file: whoever reads the "
                f"file can post; name a variable that holds it with {key}_env"
            )
