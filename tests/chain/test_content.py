"""One whole gzip member and nothing else: both readings, fed whole, in pieces and by the byte."""

from __future__ import annotations

import gzip
import hashlib
import random
import struct
import zlib
from collections.abc import Callable, Iterator

import pytest

from integrity.chain.content import Buffer, Flaw, ReadContent, read_member, read_member_with_zlib
from integrity.chain.limits import INFLATE_WINDOW_BYTES, KIB, MIB

CONTENT = b'{"Records":[' + b'{"eventName":"AssumeRole"},' * 4000 + b"{}]}"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MEMBER = gzip.compress(CONTENT, mtime=0)

HEADER_BYTES, TRAILER_BYTES = 10, 8
FHCRC, FEXTRA, FNAME, FCOMMENT, RESERVED = 2, 4, 8, 16, 32

# The distance code of this block is incomplete, and no length ever uses it.
INCOMPLETE_DISTANCES = bytes.fromhex(
    "1f8b08000000000000ff05c1c10900000c02b15945b82ab8ffbb8de2f540f17aa0783d50bc1e3c867860a220000000"
)


def whole(body: bytes) -> Iterator[Buffer]:
    yield body


def in_pieces(body: bytes) -> Iterator[Buffer]:
    return (body[start : start + 777] for start in range(0, len(body), 777))


def by_the_byte(body: bytes) -> Iterator[Buffer]:
    """Views of one byte, and of none in between."""
    for start in range(len(body)):
        yield memoryview(body)[start:start]
        yield memoryview(body)[start : start + 1]


@pytest.fixture(params=[read_member, read_member_with_zlib], ids=["zlib-ng", "zlib"])
def read(request: pytest.FixtureRequest) -> ReadContent:
    reading: ReadContent = request.param
    return reading


@pytest.fixture(params=[whole, in_pieces, by_the_byte], ids=lambda feed: feed.__name__)
def feed(request: pytest.FixtureRequest) -> Callable[[bytes], Iterator[Buffer]]:
    feeding: Callable[[bytes], Iterator[Buffer]] = request.param
    return feeding


Feed = Callable[[bytes], Iterator[Buffer]]


def member_with(flags: int, *, checksum: int | None = None) -> bytes:
    """CONTENT under a header with the optional fields that `flags` promises (RFC 1952)."""
    header = bytearray(MEMBER[:HEADER_BYTES])
    header[3] = flags
    if flags & FEXTRA:
        header += struct.pack("<H", 5) + b"extra"
    if flags & FNAME:
        header += b"a log\0"
    if flags & FCOMMENT:
        header += b"no comment\0"
    if flags & FHCRC:
        header += struct.pack("<H", zlib.crc32(header) & 0xFFFF if checksum is None else checksum)
    return bytes(header) + MEMBER[HEADER_BYTES:]


@pytest.mark.parametrize("flags", [0, FNAME, FEXTRA | FNAME | FCOMMENT, FHCRC, FHCRC | FEXTRA])
def test_a_whole_member_is_inflated_and_hashed(read: ReadContent, feed: Feed, flags: int) -> None:
    body = bytearray()

    content = read(feed(member_with(flags)), max_bytes=MIB, sink=body.extend)

    assert (content.sha256, content.inflated_bytes, content.flaw) == (SHA256, len(CONTENT), None)
    assert body == CONTENT


def test_a_member_of_nothing_is_whole(read: ReadContent, feed: Feed) -> None:
    content = read(feed(gzip.compress(b"")), max_bytes=MIB)

    assert content.flaw is None
    assert content.sha256 == hashlib.sha256(b"").hexdigest()


BROKEN = {
    "nothing": b"",
    "half a header": MEMBER[:2],
    "header alone": MEMBER[:HEADER_BYTES],
    "plain text": CONTENT,
    "zlib, not gzip": zlib.compress(CONTENT),
    "another method than deflate": MEMBER[:2] + b"\7" + MEMBER[3:],
    "cut in the middle": MEMBER[: len(MEMBER) // 2],
    "without its trailer": MEMBER[:-TRAILER_BYTES],
    "cut by a byte": MEMBER[:-1],
    "checksum wrong": MEMBER[:-TRAILER_BYTES] + b"\0\0\0\0" + MEMBER[-4:],
    "length wrong": MEMBER[:-4] + b"\0\0\0\0",
    "reserved flag set": member_with(RESERVED),
    "header checksum wrong": member_with(FHCRC, checksum=0),
    "a block of the reserved type": MEMBER[:HEADER_BYTES] + b"\xff" + MEMBER[11:],
    "an incomplete distance code": INCOMPLETE_DISTANCES,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_a_whole_member_is_malformed(read: ReadContent, feed: Feed, name: str) -> None:
    content = read(feed(BROKEN[name]), max_bytes=MIB)

    assert content.flaw is Flaw.MALFORMED
    assert content.detail


def test_a_member_of_many_pieces_and_windows_is_read_to_its_end(read: ReadContent) -> None:
    large = random.Random(1).randbytes(3 * INFLATE_WINDOW_BYTES).hex().encode()
    body = gzip.compress(large)
    assert len(body) > 2 * INFLATE_WINDOW_BYTES
    windows: list[bytes] = []

    content = read(whole(body), max_bytes=len(large), sink=windows.append)

    assert (content.flaw, content.inflated_bytes) == (None, len(large))
    assert content.sha256 == hashlib.sha256(large).hexdigest()
    assert b"".join(windows) == large
    assert max(map(len, windows)) <= INFLATE_WINDOW_BYTES
    assert read(whole(body + b"!"), max_bytes=len(large)).flaw is Flaw.TRAILING_DATA
    assert read(whole(body[:-1]), max_bytes=len(large)).flaw is Flaw.MALFORMED


@pytest.mark.parametrize("tail", [b"and more", b"\0", MEMBER, gzip.compress(b"", mtime=0)])
def test_whatever_follows_the_member_is_trailing_data(
    read: ReadContent, feed: Feed, tail: bytes
) -> None:
    content = read(feed(MEMBER + tail), max_bytes=MIB)

    assert content.flaw is Flaw.TRAILING_DATA
    assert content.sha256 == SHA256


def test_what_follows_a_member_of_many_windows_in_one_piece_is_trailing_data(
    read: ReadContent,
) -> None:
    body = gzip.compress(bytes(4 * INFLATE_WINDOW_BYTES))
    assert len(body) < 64 * KIB

    assert read(whole(body + b"and more"), max_bytes=MIB).flaw is Flaw.TRAILING_DATA


def test_a_member_may_be_as_large_as_the_bound_and_no_larger(read: ReadContent, feed: Feed) -> None:
    assert read(feed(MEMBER), max_bytes=len(CONTENT)).flaw is None
    assert read(feed(MEMBER), max_bytes=len(CONTENT) - 1).flaw is Flaw.TOO_LARGE


def test_a_bomb_is_inflated_to_its_bound_a_window_at_a_time(read: ReadContent) -> None:
    bomb = gzip.compress(bytes(64 * MIB), 9)
    windows: list[int] = []

    content = read(whole(bomb), max_bytes=8 * MIB, sink=lambda window: windows.append(len(window)))

    assert content.flaw is Flaw.TOO_LARGE
    assert content.inflated_bytes <= 8 * MIB + INFLATE_WINDOW_BYTES
    assert max(windows) <= INFLATE_WINDOW_BYTES
    assert sum(windows) <= 8 * MIB


def test_nothing_more_is_drawn_once_the_verdict_is_clear(read: ReadContent) -> None:
    def endless() -> Iterator[bytes]:
        yield MEMBER
        while True:
            yield bytes(KIB)

    assert read(endless(), max_bytes=MIB).flaw is Flaw.TRAILING_DATA
