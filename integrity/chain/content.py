"""Gzip content that a stranger wrote: inflated and hashed in a bounded window, strictly.

Exactly one whole gzip member is accepted, with its trailer, and nothing behind it: concatenating
decompressors would let somebody append content that a reader of the log sees and no digest signed.
ISA-L does the work because it is fast, for members whose header has no optional fields. What it
makes of the others (reserved flags, a header checksum that is wrong or comes in two pieces) is not
what zlib makes of them, so zlib reads those; and zlib is asked again before anything is called
broken. One difference is left: a distance code that is incomplete and never used is nothing to
ISA-L, where zlib refuses the stream. The content is the same, and has to hash to what was signed.
(AWS: CloudTrail log file validation with custom implementations.)
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Protocol

from isal import igzip_lib

from integrity.chain.limits import INFLATE_WINDOW_BYTES

Buffer = bytes | memoryview

_PLAIN_HEADER = b"\x1f\x8b\x08\x00"
"""A gzip member, deflated, without a flag: no optional field follows the ten bytes."""

_GZIP_WBITS = 31
_ISAL_ERROR: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # its stub is wrong


class Flaw(StrEnum):
    """Why content is not one whole gzip member of acceptable size."""

    MALFORMED = "malformed"
    TRAILING_DATA = "trailing data"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Content:
    """One member's inflated bytes: their SHA-256 (lower-case hex) and how many, or what is wrong.

    Where there is a flaw, `sha256` and `inflated_bytes` speak of what could be inflated before it.
    `detail` is the decompressor's own word.
    """

    sha256: str
    inflated_bytes: int
    flaw: Flaw | None = None
    detail: str = ""


class _BrokenError(Exception):
    """The stream is not gzip; a decompressor's own exception is translated into this one."""


class _IsalMember:
    """One gzip member through ISA-L, a bounded window at a time."""

    def __init__(self) -> None:
        self._stream = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)

    def feed(self, chunk: Buffer) -> Iterable[bytes]:
        try:
            yield self._stream.decompress(chunk, max_length=INFLATE_WINDOW_BYTES)
            while not (self._stream.eof or self._stream.needs_input):
                yield self._stream.decompress(b"", max_length=INFLATE_WINDOW_BYTES)
        except _ISAL_ERROR as error:
            raise _BrokenError(str(error)) from error

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def has_trailing_data(self) -> bool:
        return bool(self._stream.unused_data)


class _ZlibMember:
    """The same through the standard library: the arbiter."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_WBITS)

    def feed(self, chunk: Buffer) -> Iterable[bytes]:
        try:
            yield self._stream.decompress(chunk, INFLATE_WINDOW_BYTES)
            while self._stream.unconsumed_tail and not self._stream.eof:
                yield self._stream.decompress(self._stream.unconsumed_tail, INFLATE_WINDOW_BYTES)
        except zlib.error as error:
            raise _BrokenError(str(error)) from error

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def has_trailing_data(self) -> bool:
        return bool(self._stream.unused_data)


Sink = Callable[[bytes], object]


class ReadContent(Protocol):
    """A reading of one gzip member: `read_member`, or its arbiter."""

    def __call__(
        self, chunks: Iterable[Buffer], *, max_bytes: int, sink: Sink | None = None
    ) -> Content: ...


def read_member(chunks: Iterable[Buffer], *, max_bytes: int, sink: Sink | None = None) -> Content:
    """Inflate and hash one gzip member from its stored bytes, in pieces of any size.

    `sink` is handed each inflated window in turn. Never holds more than one window, never inflates
    more than `max_bytes` (and a window), and never raises for anything that the bytes may hold.
    """
    head, chunks = _peek(chunks, len(_PLAIN_HEADER))
    member = _IsalMember() if head == _PLAIN_HEADER else _ZlibMember()
    return _read(member, chunks, max_bytes, sink)


def _peek(chunks: Iterable[Buffer], size: int) -> tuple[bytes, Iterable[Buffer]]:
    """The first `size` bytes (fewer where there are no more), and the chunks from the first one."""
    left = iter(chunks)
    head, seen = b"", []
    while len(head) < size and (chunk := next(left, None)) is not None:
        head += bytes(chunk[: size - len(head)])
        seen.append(chunk)
    return head, chain(seen, left)


def read_member_with_zlib(
    chunks: Iterable[Buffer], *, max_bytes: int, sink: Sink | None = None
) -> Content:
    """The arbiter's reading: the same as `read_member`, through zlib. Asked before any INVALID."""
    return _read(_ZlibMember(), chunks, max_bytes, sink)


def _read(
    member: _IsalMember | _ZlibMember, chunks: Iterable[Buffer], max_bytes: int, sink: Sink | None
) -> Content:
    sha256 = hashlib.sha256()
    inflated_bytes = 0
    flaw, detail = None, ""
    try:
        for chunk in chunks:
            if not len(chunk):
                continue  # ISA-L raises EOFError where it is fed nothing after the end
            if member.eof:
                flaw = Flaw.TRAILING_DATA
                break
            for window in member.feed(chunk):
                inflated_bytes += len(window)
                if inflated_bytes > max_bytes:
                    return Content(sha256.hexdigest(), inflated_bytes, Flaw.TOO_LARGE)
                sha256.update(window)
                if sink is not None:
                    sink(window)
            if member.has_trailing_data:
                flaw = Flaw.TRAILING_DATA
                break
        if not member.eof:
            flaw, detail = Flaw.MALFORMED, "the stream ends before its trailer"
    except _BrokenError as error:
        flaw, detail = Flaw.MALFORMED, str(error)
    return Content(sha256.hexdigest(), inflated_bytes, flaw, detail)
