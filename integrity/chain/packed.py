"""Log files as a digest names them, held in a tenth of the memory.

A busy organization's digests name thousands of log files an hour, and a day of them is held at a
time. Keys of one folder are mostly alike, so they are kept compressed and unpacked when walked.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator

import msgspec

from integrity.chain.model import LogFileRef, S3Location

_FASTEST = 1
_Row = tuple[str, str, str, str]


class PackedLogFiles(Collection[LogFileRef]):
    """Immutable, in the order given; every walk makes the references anew."""

    __slots__ = ("_count", "_packed")

    def __init__(self, refs: Iterable[LogFileRef] = ()) -> None:
        rows: list[_Row] = [
            (ref.location.bucket, ref.location.key, ref.sha256, ref.algorithm) for ref in refs
        ]
        self._count = len(rows)
        self._packed = zlib.compress(msgspec.msgpack.encode(rows), _FASTEST) if rows else b""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[LogFileRef]:
        if not self._count:
            return
        rows = msgspec.msgpack.decode(zlib.decompress(self._packed), type=list[_Row])
        for bucket, key, sha256, algorithm in rows:
            yield LogFileRef(S3Location(bucket, key), sha256, algorithm)

    def __contains__(self, ref: object) -> bool:
        return any(one == ref for one in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedLogFiles) and self._packed == other._packed

    def __hash__(self) -> int:
        return hash(self._packed)
