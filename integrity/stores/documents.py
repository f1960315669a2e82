"""The one form in which values lie in a store: JSON of their fields, decoded strictly.

A store belongs to us, and still somebody may have edited it, cut it short or written into it with
another program. What is not what was written there is an AccessError that says where and what to
do. Fields that this version does not know are skipped, those it misses take their defaults: that a
form has changed more than that, a store's schema version says.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from integrity.chain.limits import KIB, MIB
from integrity.errors import AccessError

T = TypeVar("T")

MAX_DOCUMENT_BYTES = 256 * MIB
"""Of one inflated document: several times what a year's worst trail comes to."""

PART_BYTES = 350 * KIB
"""Of one part, so that with its names it fits into an item of 400 KB (AWS: DynamoDB quotas)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAST = 1
_ADVICE = (
    "restore it from a backup, or move it away and let the next tick begin anew (it will say that "
    "its state was lost)"
)


def encode(value: object) -> bytes:
    """A value of `integrity.state` as JSON, UTF-8."""
    return msgspec.json.encode(value)


def decode(kind: type[T], document: object, place: str) -> T:
    """The value that `encode` made `document` of. Raises AccessError, naming `place`."""
    if not isinstance(document, bytes):
        raise foreign(place, "no document")
    try:
        value: T = msgspec.json.decode(document, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise foreign(place, str(error)) from error
    if not _is_aware(value):
        raise foreign(place, "a time without its zone")
    return value


def foreign(place: str, why: str) -> AccessError:
    """What is said of content that this program did not write."""
    return AccessError(f"{place} holds what integrity did not write there ({why}): {_ADVICE}")


def pack(value: object) -> list[bytes]:
    """A value compressed and cut into parts of at most `PART_BYTES`; at least one."""
    packed = zlib.compress(encode(value), _FAST)
    return [packed[at : at + PART_BYTES] for at in range(0, len(packed), PART_BYTES)]


def unpack(kind: type[T], parts: Iterable[bytes], place: str) -> T:
    """The value that `pack` made `parts` of, in their order. Raises AccessError."""
    inflater = zlib.decompressobj()
    try:
        document = inflater.decompress(b"".join(parts), MAX_DOCUMENT_BYTES)
    except zlib.error as error:
        raise foreign(place, str(error)) from error
    if not inflater.eof or inflater.unused_data:
        raise foreign(place, "not one whole compressed document of at most 256 MiB")
    return decode(kind, document, place)


def microseconds(time: datetime) -> int:
    """A time as a number that sorts: microseconds since 1970."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def _is_aware(value: object) -> bool:
    """Whether every time in it has a zone: one without cannot be compared with ours."""
    if isinstance(value, datetime):
        return value.tzinfo is not None
    if isinstance(value, tuple):
        return all(map(_is_aware, value))
    if isinstance(value, msgspec.Struct):
        return all(_is_aware(getattr(value, name)) for name in value.__struct_fields__)
    return True
