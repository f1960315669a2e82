"""The keys that there are: a walk over the model, for whoever names, types or describes them.

Environment variables, suggestions and the reference all come from here, so that none of them can
say another thing than the model does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from integrity.config.model import Config

ANY = "*"
"""Stands in a path for the number of an array's table."""

PREFIX = "INTEGRITY_"


class Kind(Enum):
    """How a value is written in TOML."""

    TEXT = "text"
    NUMBER = "whole number"
    SWITCH = "true or false"
    LIST = "list"


class Key(Struct, frozen=True):
    """One key that holds a value and no table. `default` is None where the key is required."""

    path: tuple[str, ...]
    kind: Kind
    secret: bool
    default: object
    required: bool
    description: str

    @property
    def variable(self) -> str:
        """The environment variable: the path in capitals, `N` for a table's number."""
        return PREFIX + "_".join("N" if part == ANY else part.upper() for part in self.path)


@cache
def all_keys() -> dict[tuple[str, ...], Key]:
    """Every key by its path, in the order in which the model has them."""
    return {key.path: key for key in _walk(Config, ())}


def all_tables() -> dict[tuple[str, ...], type[BaseModel]]:
    """Every table by its path; the empty path is the document itself."""
    return dict(_tables(Config, ()))


def generic(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """A path of this configuration as a path of the model: numbers of tables become `*`."""
    return tuple(ANY if isinstance(part, int) else part for part in path)


def format_span(span: timedelta) -> str:
    """As it is typed: `2m`, `6h`, `2d`."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        whole, rest = divmod(int(span.total_seconds()), length)
        if whole and not rest and not (unit == "d" and whole == 1):
            return f"{whole}{unit}"
    return f"{int(span.total_seconds()) // 60}m"


def _walk(table: type[BaseModel], path: tuple[str, ...]) -> Iterator[Key]:
    for name, field in table.model_fields.items():
        core = _core(field.annotation)
        inner, below = _table_in(core)
        if inner is not None:
            yield from _walk(inner, (*path, name, *below))
        else:
            yield _key((*path, name), field, core)


def _tables(
    table: type[BaseModel], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    yield path, table
    for name, field in table.model_fields.items():
        inner, below = _table_in(_core(field.annotation))
        if inner is not None:
            yield from _tables(inner, (*path, name, *below))


def _key(path: tuple[str, ...], field: FieldInfo, core: Any) -> Key:
    kinds = {bool: Kind.SWITCH, int: Kind.NUMBER}
    kind = Kind.LIST if get_origin(core) is tuple else kinds.get(core, Kind.TEXT)
    required = field.is_required()
    return Key(
        path=path,
        kind=kind,
        secret=core is SecretStr,
        default=None if required else field.default,
        required=required,
        description=field.description or "",
    )


def _table_in(core: Any) -> tuple[type[BaseModel] | None, tuple[str, ...]]:
    """The table that a field holds, or many of, and what stands between them in a path."""
    if isinstance(core, type) and issubclass(core, BaseModel):
        return core, ()
    if get_origin(core) is tuple:
        inner = _core(get_args(core)[0])
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner, (ANY,)
    return None, ()


def _core(annotation: Any) -> Any:
    """A type without its validators and without the None of what may be left out."""
    if get_origin(annotation) is Annotated:
        return _core(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        [only] = [one for one in get_args(annotation) if one is not NoneType]
        return _core(only)
    return annotation
