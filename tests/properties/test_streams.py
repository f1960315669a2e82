"""Mutated gzip streams: ISA-L and zlib give the same verdict, fed whole and in pieces.

One difference is known and bounded: zlib refuses a block whose distance code is incomplete though
no length uses it, and ISA-L does not. The content is then what it was, and hashes to the same.
"""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from collections import Counter
from collections.abc import Iterator

import pytest

from integrity.chain.content import Content, Flaw, read_member, read_member_with_zlib
from integrity.chain.limits import MIB

KNOWN = "invalid distances set"
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
    """Stored, fixed and dynamic blocks; long matches and none; headers plain and not."""
    contents = [b"", b"a", b"x" * 3000, EVENT * 9, EVENT * 40, chance.randbytes(700)]
    contents.append(bytes(chance.randrange(97, 110) for _ in range(300)))
    strategies = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)
    plain = [
        member(content, level=level, strategy=strategy)
        for content in contents
        for level in (0, 1, 6, 9)
        for strategy in strategies
    ]
    flagged = [member(EVENT, level=6, strategy=0, flags=flags) for flags in (1, 2, 8, 30, 32)]
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


def pieces(stream: bytes, chance: random.Random) -> Iterator[bytes]:
    size = chance.choice((1, 2, 7, 64, 1000))
    return (stream[start : start + size] for start in range(0, len(stream), size))


def verdict(content: Content) -> tuple[Flaw | None, str]:
    return content.flaw, "" if content.flaw else content.sha256


def compare(number: int, seed: int) -> Counter[str]:
    """How the verdicts of so many mutated streams came out."""
    chance = random.Random(seed)
    streams = members(chance)
    counts: Counter[str] = Counter()
    for _ in range(number):
        stream = mutated(chance.choice(streams), streams, chance)
        whole = read_member([stream], max_bytes=MIB)
        in_pieces = read_member(pieces(stream, chance), max_bytes=MIB)
        strict = read_member_with_zlib([stream], max_bytes=MIB)
        strict_in_pieces = read_member_with_zlib(pieces(stream, chance), max_bytes=MIB)
        assert verdict(whole) == verdict(in_pieces), stream.hex()
        assert verdict(strict) == verdict(strict_in_pieces), stream.hex()
        if verdict(whole) == verdict(strict):
            counts[str(whole.flaw)] += 1
            continue
        assert (strict.flaw, KNOWN in strict.detail) == (Flaw.MALFORMED, True), stream.hex()
        assert whole.flaw in (None, Flaw.TRAILING_DATA), stream.hex()
        counts[KNOWN] += 1
    return counts


def test_isal_and_zlib_give_the_same_verdict() -> None:
    counts = compare(5_000, seed=1)

    assert counts.keys() >= {"None", "malformed", "trailing data"}
    assert counts[KNOWN] < 50


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_isal_and_zlib_give_the_same_verdict_at_length(seed: int) -> None:
    counts = compare(25_000, seed)

    assert min(counts["None"], counts["malformed"], counts["trailing data"]) > 300
    assert counts[KNOWN] < 250


def test_where_they_differ_the_content_is_what_it_was() -> None:
    """Every bit of every block's header of a few members, one after the other."""
    found = 0
    for content in (b"abcdefgh" * 4, bytes(range(97, 120)) * 3, EVENT * 2):
        stream = member(content, level=9, strategy=zlib.Z_HUFFMAN_ONLY)
        for bit in range(80, min(len(stream), 90) * 8):
            changed = bytearray(stream)
            changed[bit // 8] ^= 1 << bit % 8
            lenient = read_member([bytes(changed)], max_bytes=MIB)
            strict = read_member_with_zlib([bytes(changed)], max_bytes=MIB)
            if verdict(lenient) != verdict(strict):
                found += 1
                assert KNOWN in strict.detail
                assert lenient.sha256 == hashlib.sha256(content).hexdigest()
    assert found > 0
