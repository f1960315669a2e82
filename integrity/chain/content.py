"""Gzip content that a stranger wrote: inflated and hashed in a bounded window, strictly.

Exactly one whole gzip member is accepted, with its trailer, and nothing behind it: concatenating
decompressors would let somebody append content that a reader of the log sees and no digest signed.
zlib-ng does the work because it is fast, and gives zlib's verdict on every stream; the standard
library's zlib is asked again before anything is called broken, as a second witness. What the
content says is decided elsewhere.
(AWS: CloudTrail log file validation with custom implementations.)
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from zlib_ng import zlib_ng

from integrity.chain.limits import INFLATE_WINDOW_BYTES, KIB

Buffer = bytes | memoryview

_PIECE_BYTES = 64 * KIB
"""Fed at most at a time: with every full window, what is left of a piece is copied."""

_GZIP_WBITS = 31
_NG_ERROR: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # its stub is wrong
_BROKEN = (zlib.error, _NG_ERROR)


class Flaw(StrEnum):
    """Why content is not one whole gzip member of acceptable size."""

    MALFORMED = "malformed"
    TRAILING_DATA = "trailing data"
    TOO_LARGE = "too large"


class Content(Struct, frozen=True):
    """One member's inflated bytes: their SHA-256 (lower-case hex) and how many, or what is wrong.

    Where there is a flaw, `sha256` and `inflated_bytes` speak of what could be inflated before it.
    `detail` is the decompressor's own word.
    """

    sha256: str
    inflated_bytes: int
    flaw: Flaw | None = None
    detail: str = ""


class _Stream(Protocol):
    """A decompressor of either library."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: Buffer, max_length: int, /) -> bytes: ...


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
    return _read(zlib_ng.decompressobj(_GZIP_WBITS), chunks, max_bytes, sink)


def read_member_with_zlib(
    chunks: Iterable[Buffer], *, max_bytes: int, sink: Sink | None = None
) -> Content:
    """The arbiter's reading: the same as `read_member`, through zlib. Asked before any INVALID."""
    return _read(zlib.decompressobj(_GZIP_WBITS), chunks, max_bytes, sink)


def _read(stream: _Stream, chunks: Iterable[Buffer], max_bytes: int, sink: Sink | None) -> Content:
    sha256 = hashlib.sha256()
    inflated_bytes = 0
    flaw, detail = None, ""
    try:
        for piece in _pieces(chunks):
            if stream.eof:
                flaw = Flaw.TRAILING_DATA
                break
            left: Buffer = piece
            while True:
                window = stream.decompress(left, INFLATE_WINDOW_BYTES)
                inflated_bytes += len(window)
                if inflated_bytes > max_bytes:
                    return Content(sha256.hexdigest(), inflated_bytes, Flaw.TOO_LARGE)
                sha256.update(window)
                if sink is not None:
                    sink(window)
                left = stream.unconsumed_tail
                # At the end, what follows the member stays in it too, and would be for ever.
                if not left or stream.eof:
                    break
            if stream.unused_data:
                flaw = Flaw.TRAILING_DATA
                break
        if not stream.eof:
            flaw, detail = Flaw.MALFORMED, "the stream ends before its trailer"
    except _BROKEN as error:
        flaw, detail = Flaw.MALFORMED, str(error)
    return Content(sha256.hexdigest(), inflated_bytes, flaw, detail)


def _pieces(chunks: Iterable[Buffer]) -> Iterator[memoryview]:
    """The chunks' bytes in order, in pieces of at most `_PIECE_BYTES`, none of them empty."""
    for chunk in chunks:
        view = memoryview(chunk)
        for start in range(0, len(view), _PIECE_BYTES):
            yield view[start : start + _PIECE_BYTES]
