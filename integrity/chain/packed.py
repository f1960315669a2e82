"""Log files as a digest names them, held in a tenth of the memory.

A busy organization's digests name thousands of log files an hour, and a day of them is held at a
time. Keys of one folder are mostly alike, so they are kept compressed, a block at a time, and
unpacked block by block when walked.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

import msgspec

from integrity.chain.model import LogFileRef, S3Location

_FASTEST = 1
_BLOCK = 256
"""More would be packed a little smaller; so many are unpacked at a time."""

_Row = tuple[str, str, str, str]


class PackedLogFiles(Collection[LogFileRef]):
    """Immutable, in the order given; every walk makes the references anew."""

    __slots__ = ("_blocks", "_count")

    def __init__(self, refs: Iterable[LogFileRef] = ()) -> None:
        rows = (_row(ref) for ref in refs)
        blocks = []
        self._count = 0
        while block := list(islice(rows, _BLOCK)):
            self._count += len(block)
            blocks.append(zlib.compress(msgspec.msgpack.encode(block), _FASTEST))
        self._blocks = tuple(blocks)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[LogFileRef]:
        for block in self._blocks:
            rows = msgspec.msgpack.decode(zlib.decompress(block), type=list[_Row])
            for bucket, key, sha256, algorithm in rows:
                yield LogFileRef(S3Location(bucket, key), sha256, algorithm)

    def __contains__(self, ref: object) -> bool:
        return any(one == ref for one in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedLogFiles) and self._blocks == other._blocks

    def __hash__(self) -> int:
        return hash(self._blocks)


def _row(ref: LogFileRef) -> _Row:
    return ref.location.bucket, ref.location.key, ref.sha256, ref.algorithm
