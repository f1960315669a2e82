"""A record's one JSON form, both ways, read strictly: what was read back is what was written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from integrity.errors import UsageError
from integrity.record.run import SCHEMA_VERSION, Run


def encode(run: Run) -> bytes:
    """The record as one line of JSON, UTF-8, times as `2026-03-01T00:00:00Z`."""
    return msgspec.json.encode(run)


def decode(document: bytes) -> Run:
    """A record read back. Raises UsageError where it is not one, or of another schema version."""
    try:
        version = msgspec.json.decode(document, type=_Versioned).schema_version
        if version != SCHEMA_VERSION:
            raise UsageError(
                f"the record has schema version {version}; this program reads version "
                f"{SCHEMA_VERSION}: use the version of integrity that wrote it, or a newer one"
            )
        run = msgspec.json.decode(document, type=Run)
        times = list(_times(msgspec.to_builtins(run, builtin_types=(datetime,))))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"this is no record of integrity ({error}): expected the JSON that "
            f"`integrity verify --format json` writes"
        ) from error
    if any(time.tzinfo is None for time in times):
        raise UsageError("this is no record of integrity: a time in it has no zone, expected …Z")
    return run


def _times(value: object) -> Iterator[datetime]:
    """Every time in a record; its parts are objects, lists and plain values."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _times(part)


class _Versioned(msgspec.Struct):
    schema_version: int
