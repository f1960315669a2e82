"""The reference of the configuration as text: every key with its variable, default and meaning.

Made of the model alone. What a key means stands in the model, and nowhere a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from integrity.config.keys import ANY, Key, all_keys, all_tables, format_span


def render_reference() -> str:
    """Markdown: a heading for each table that holds keys, and below it a row a key."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for table, model in all_tables().items():
        keys = [key for key in all_keys().values() if key.path[:-1] == table]
        if not keys:
            continue
        yield from ("", f"### {_heading(table)}", "") if table else ()
        if table:
            yield from (f"{model.__doc__}", "")
        yield from ("| key | variable | form | default | meaning |", "|---|---|---|---|---|")
        yield from (_row(key) for key in keys)


def _heading(table: tuple[str, ...]) -> str:
    name = ".".join(part for part in table if part != ANY)
    return f"`[[{name}]]`" if ANY in table else f"`[{name}]`"


def _row(key: Key) -> str:
    cells = (
        f"`{key.path[-1]}`",
        f"`{key.variable}`",
        key.kind.value + (", secret" if key.secret else ""),
        _default(key),
        key.description,
    )
    return f"| {' | '.join(cells)} |"


def _default(key: Key) -> str:
    if key.required:
        return "required"
    default = key.default
    if default is None or default == ():
        return ""
    if isinstance(default, timedelta):
        return f"`{format_span(default)}`"
    return f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"
