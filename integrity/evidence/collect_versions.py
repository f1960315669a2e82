"""Keeps what a verification is told of the past of objects: versions listed, read and described.

It is asked only where something is gone, altered or late, and its asker bounds how much. Each
answer is written down as it came, so that the same questions have the same answers in the bundle;
files of versions lie apart from those of objects. It judges nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol, TypeVar

from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Encryption, Fetched, S3Location, Unreachable, Version
from integrity.evidence.collection import Collection
from integrity.evidence.manifest import Kind, Line
from integrity.structs import replace

T = TypeVar("T")

_BELOW = "versions"


class _Versions(Protocol):
    """The source that is really asked."""

    def list_versions(self, bucket: str, prefix: str) -> Iterator[Version | Unreachable]: ...

    def fetch_version(
        self, location: S3Location, version_id: str, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable: ...

    def describe_version(
        self, location: S3Location, version_id: str
    ) -> Encryption | Unreachable: ...


class CollectedVersions:
    """A source of versions whose answers are written down. Asked from many threads."""

    def __init__(self, versions: _Versions, collection: Collection) -> None:
        self._versions, self._collection = versions, collection
        self._kept: dict[tuple[S3Location, str], Line] = {}
        self._lock = threading.Lock()

    def list_versions(self, bucket: str, prefix: str) -> Iterator[Version | Unreachable]:
        """The listing, as far as anybody reads it."""
        asked = _line(Kind.VERSIONS, S3Location(bucket, prefix), "")
        self._collection.write(asked)
        for one in self._versions.list_versions(bucket, prefix):
            if isinstance(one, Unreachable):
                self._collection.write(replace(asked, detail=one.detail))
            else:
                self._collection.write(_listed(one))
            yield one

    def fetch_version(
        self, location: S3Location, version_id: str, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """The version, read from the file that it was written to. It is fetched once."""
        with self._lock:
            line = self._kept.get((location, version_id))
        if line is None:
            answer = self._collect(location, version_id)
            if not isinstance(answer, Line):
                return answer
            line = answer
        return self._collection.read(line, read)

    def _collect(self, location: S3Location, version_id: str) -> Line | Absent | Unreachable:
        own = S3Location(location.bucket, f"{location.key}/{version_id}")
        path = self._collection.place(own, below=_BELOW)
        asked = replace(_line(Kind.VERSION_FILE, location, version_id), path=path)
        fetch = partial(self._versions.fetch_version, location, version_id)
        answer = self._collection.collect(asked, fetch)
        if isinstance(answer, Line):
            with self._lock:
                self._kept[location, version_id] = answer
        return answer

    def describe_version(self, location: S3Location, version_id: str) -> Encryption | Unreachable:
        """How it is encrypted."""
        answer = self._versions.describe_version(location, version_id)
        line = _line(Kind.VERSION_ENCRYPTION, location, version_id)
        if isinstance(answer, Unreachable):
            self._collection.write(replace(line, detail=answer.detail))
        else:
            told = replace(line, encryption=answer.algorithm, kms_key_id=answer.kms_key_id)
            self._collection.write(told)
        return answer


def _line(kind: Kind, place: S3Location, version_id: str) -> Line:
    return Line(kind=kind, bucket=place.bucket, key=place.key, version_id=version_id or None)


def _listed(version: Version) -> Line:
    return replace(
        _line(Kind.VERSION, version.location, version.version_id),
        size=version.size,
        last_modified=version.last_modified,
        storage_class=version.storage_class,
        is_latest=version.is_latest,
        is_marker=version.is_marker,
        etag=version.etag,
    )
