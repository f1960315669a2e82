"""Acts on single log files; those on the gzip wrapper alone leave the content as it was."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace

from integrity.lab.objects import Address, LabLog
from integrity.lab.signing import gzipped
from integrity.lab.world import World

_TRAILER = 8


def overwrite(world: World, address: Address, body: bytes) -> None:
    """Put `body` over the object at `address`; its metadata stays, its time is the world's now."""
    world.objects[address] = replace(world.objects[address], body=body, last_modified=world.now)


def forged(content: bytes) -> bytes:
    """A log file's `content` with another culprit in its first event."""
    document = json.loads(content)
    document["Records"][0]["userIdentity"] = {"type": "IAMUser", "userName": "nobody"}
    document["Records"][0]["sourceIPAddress"] = "203.0.113.66"
    return json.dumps(document, separators=(",", ":")).encode()


def edit_log(world: World, log: LabLog) -> None:
    """An event of the log file names somebody else."""
    overwrite(world, log.address, gzipped(forged(world.objects[log.address].content)))


def recompress_log(world: World, log: LabLog) -> None:
    """The log file's content is compressed anew: other bytes, the same content."""
    content = world.objects[log.address].content
    overwrite(world, log.address, gzip.compress(content, 1, mtime=1))


def plain_log(world: World, log: LabLog) -> None:
    """The log file's content is stored as it is, without gzip."""
    overwrite(world, log.address, world.objects[log.address].content)


def append_to_log(world: World, log: LabLog, *, tail: bytes = b"and more") -> None:
    """Bytes that are no gzip follow the log file's stream."""
    overwrite(world, log.address, world.objects[log.address].body + tail)


def second_member(world: World, log: LabLog, *, content: bytes | None = None) -> None:
    """The log file's content is spread over two gzip members, or `content` follows in a second."""
    stored = world.objects[log.address]
    if content is not None:
        overwrite(world, log.address, stored.body + gzipped(content))
        return
    half = len(stored.content) // 2
    overwrite(world, log.address, gzipped(stored.content[:half]) + gzipped(stored.content[half:]))


def wrong_crc(world: World, log: LabLog) -> None:
    """The checksum in the log file's gzip trailer is wrong."""
    body = world.objects[log.address].body
    crc = bytes(byte ^ 0xFF for byte in body[-_TRAILER:-4])
    overwrite(world, log.address, body[:-_TRAILER] + crc + body[-4:])


def cut_trailer(world: World, log: LabLog) -> None:
    """The log file ends before its gzip trailer, all of its content still there."""
    overwrite(world, log.address, world.objects[log.address].body[:-_TRAILER])


def empty_log(world: World, log: LabLog) -> None:
    """The log file is there with not one byte in it."""
    overwrite(world, log.address, b"")


def swap_logs(world: World, one: LabLog, other: LabLog) -> None:
    """Two log files have each other's content."""
    first, second = world.objects[one.address].body, world.objects[other.address].body
    overwrite(world, one.address, second)
    overwrite(world, other.address, first)


def bomb_log(world: World, log: LabLog, *, inflated_bytes: int = 1 << 30) -> None:
    """The log file inflates to `inflated_bytes` zeros."""
    deflate = zlib.compressobj(9, wbits=31)
    block = bytes(1 << 20)
    parts = [deflate.compress(block) for _ in range(inflated_bytes // len(block))]
    parts.append(deflate.compress(bytes(inflated_bytes % len(block))))
    overwrite(world, log.address, b"".join([*parts, deflate.flush()]))


def archive(world: World, address: Address, *, put_again: bool = False) -> None:
    """The object lies in Glacier: by transition with its time kept, or put again now."""
    stored = replace(world.objects[address], storage_class="GLACIER")
    world.objects[address] = replace(stored, last_modified=world.now) if put_again else stored
