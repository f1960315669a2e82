"""Mutated gzip streams: zlib-ng and zlib give the same verdict, always.

Each stream is read whole, in pieces, and through a window so small that it fills again and again.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections import Counter
from collections.abc import Iterator

import pytest

from integrity.chain import content as chain_content
from integrity.chain.content import (
    Content,
    Flaw,
    ReadContent,
    read_member,
    read_member_with_zlib,
)
from integrity.chain.limits import INFLATE_WINDOW_BYTES, MIB

HEADER_BYTES, TRAILER_BYTES = 10, 8
PLAIN_HEADER = b"\x1f\x8b\x08\x00"
FLAGS = (1, 2, 3, 4, 6, 8, 10, 16, 18, 30, 31, 32, 62, 64, 128)
EVENT = b'{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","userName":"maria"}},'


def member(content: bytes, *, level: int, strategy: int, flags: int = 0) -> bytes:
    """One member, with the optional header fields that `flags` promises (RFC 1952)."""
    header = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff"
    header += struct.pack("<H", 5) + b"extra" if flags & 4 else b""
    header += b"name\0" if flags & 8 else b""
    header += b"comment\0" if flags & 16 else b""
    header += struct.pack("<H", zlib.crc32(header) & 0xFFFF) if flags & 2 else b""
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15, 8, strategy)
    body = deflate.compress(content) + deflate.flush()
    return header + body + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


def members(chance: random.Random) -> list[bytes]:
    """Stored, fixed and dynamic blocks; long matches and none; one in three headers not plain."""
    contents = [b"", b"a", b"x" * 3000, EVENT * 9, EVENT * 40, chance.randbytes(700)]
    contents.append(bytes(chance.randrange(97, 110) for _ in range(300)))
    strategies = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)
    plain = [
        member(content, level=level, strategy=strategy)
        for content in contents
        for level in (0, 1, 6, 9)
        for strategy in strategies
    ]
    flagged = [
        member(content, level=level, strategy=0, flags=flags)
        for content, level in ((b"", 6), (EVENT, 0), (EVENT, 6), (EVENT * 40, 9))
        for flags in FLAGS
    ]
    return [*plain, *flagged]


def mutated(stream: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """A few accidents, most of them where they do the least harm to what comes later."""
    body = bytearray(stream)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place = chance.randrange(len(body) + 1)
        match chance.randrange(8):
            case 0 | 1 if body:
                body[place % len(body)] ^= 1 << chance.randrange(8)
            case 2 if len(body) > 10:
                body[chance.randrange(10, min(len(body), 80))] ^= 1 << chance.randrange(8)
            case 3 if len(body) > 8:
                body[chance.randrange(len(body) - 8, len(body))] ^= 1 << chance.randrange(8)
            case 4:
                del body[place:]
            case 5:
                body[place:place] = chance.randbytes(chance.choice((1, 2)))
            case 6:
                body += chance.choice((b"\0", bytes(8), chance.choice(others)))
            case _:
                body[place : place + 1] = b""
    return bytes(body)


def sealed(stream: bytes) -> bytes:
    """With the trailer that fits what a changed body inflates to, if it inflates at all."""
    if not stream.startswith(PLAIN_HEADER):
        return stream
    inflate = zlib.decompressobj(-15)
    try:
        content = inflate.decompress(stream[HEADER_BYTES:])
    except zlib.error:
        return stream
    body = stream[: len(stream) - len(inflate.unused_data)]
    return body + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


def pieces(stream: bytes, chance: random.Random) -> Iterator[bytes]:
    size = chance.choice((1, 2, 7, 64, 1000))
    return (stream[start : start + size] for start in range(0, len(stream), size))


def verdict(content: Content) -> tuple[Flaw | None, str, int]:
    """What was found; how far a broken stream could be inflated says nothing."""
    if content.flaw is Flaw.MALFORMED:
        return content.flaw, "", 0
    return content.flaw, content.sha256, content.inflated_bytes


def compare(number: int, seed: int, patch: pytest.MonkeyPatch) -> Counter[str]:
    """How the verdicts of so many mutated streams came out."""
    chance = random.Random(seed)
    streams = members(chance)
    counts: Counter[str] = Counter()
    readings: tuple[ReadContent, ...] = (read_member, read_member_with_zlib)
    for _ in range(number):
        stream = mutated(chance.choice(streams), streams, chance)
        if chance.randrange(3) == 0:
            stream = sealed(stream)
        verdicts = set()
        for read in readings:
            patch.setattr(chain_content, "INFLATE_WINDOW_BYTES", INFLATE_WINDOW_BYTES)
            verdicts.add(verdict(read([stream], max_bytes=MIB)))
            verdicts.add(verdict(read(pieces(stream, chance), max_bytes=MIB)))
            small = chance.choice((1, 2, 7, 64, 257))
            patch.setattr(chain_content, "INFLATE_WINDOW_BYTES", small)
            verdicts.add(verdict(read([stream], max_bytes=MIB)))
            verdicts.add(verdict(read(pieces(stream, chance), max_bytes=MIB)))
        assert len(verdicts) == 1, stream.hex()
        counts[str(verdicts.pop()[0])] += 1
    return counts


def test_zlib_ng_and_zlib_give_the_same_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = compare(2_500, 1, monkeypatch)

    assert counts.keys() == {"None", "malformed", "trailing data"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_zlib_ng_and_zlib_give_the_same_verdict_at_length(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = compare(25_000, seed, monkeypatch)

    assert min(counts["None"], counts["malformed"], counts["trailing data"]) > 1000


def test_they_agree_on_every_bit_of_a_blocks_header() -> None:
    """Also where a distance code is incomplete and never used, which not every inflater refuses."""
    details = set()
    for content in (b"abcdefgh" * 4, bytes(range(97, 120)) * 3, EVENT * 2):
        stream = member(content, level=9, strategy=zlib.Z_HUFFMAN_ONLY)
        for bit in range(HEADER_BYTES * 8, (len(stream) - TRAILER_BYTES) * 8):
            changed = bytearray(stream)
            changed[bit // 8] ^= 1 << bit % 8
            fast = read_member([bytes(changed)], max_bytes=MIB)
            assert fast == read_member_with_zlib([bytes(changed)], max_bytes=MIB), changed.hex()
            details.add(fast.detail)
    assert any("invalid distances set" in detail for detail in details)
