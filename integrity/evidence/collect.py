"""Collects objects for a bundle while a verification reads, before anything is judged.

So what is judged is what is kept, and the bundle holds what the same verification will ask for
again. Files that an interrupted collection has whole are not fetched again. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol, TypeVar

from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.chain.trouble import archived, is_archived
from integrity.evidence.collection import Collection
from integrity.evidence.manifest import Kind, Line
from integrity.structs import replace

T = TypeVar("T")


class Objects(Protocol):
    """The source that is really asked."""

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable: ...

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]: ...

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable: ...


class CollectedObjects:
    """A source of objects whose answers are written down. Asked from many threads."""

    def __init__(self, objects: Objects, collection: Collection) -> None:
        self._objects, self._collection = objects, collection

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """The object, read from the file that it was written to."""
        known = self._collection.recall(location)
        if known is None:
            asked = replace(_line(Kind.FILE, location), path=self._collection.place(location))
            answer = self._collection.collect(asked, partial(self._objects.fetch, location))
            if not isinstance(answer, Line):
                return answer
            known = answer
        return self._collection.read(known, read)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """The listing. Of digest folders it is kept whole; of log folders that there are any."""
        is_first = True
        for listed in self._objects.list_objects(bucket, prefix):
            self._note(listed, prefix, keep=is_first or "/CloudTrail-Digest/" in f"/{prefix}")
            is_first = False
            yield listed

    def _note(self, listed: Listed | Unreachable, prefix: str, *, keep: bool) -> None:
        place = listed.location
        if isinstance(listed, Unreachable):
            asked = S3Location(place.bucket, prefix)
            self._collection.write(_line(Kind.UNLISTED, asked, listed.detail))
            return
        if is_archived(listed):  # nobody will ask for it
            detail = archived(listed.storage_class)
            self._collection.write(_line(Kind.UNREADABLE, place, detail))
        if keep:
            line = replace(
                _line(Kind.LISTED, place),
                size=listed.size,
                last_modified=listed.last_modified,
                storage_class=listed.storage_class,
                restored=listed.restored,
            )
            self._collection.write(line)

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The folders, kept as they were told."""
        answer = self._objects.list_folders(bucket, folder)
        place = S3Location(bucket, folder)
        if isinstance(answer, Unreachable):
            self._collection.write(_line(Kind.UNLISTED, place, answer.detail))
        else:
            self._collection.write(replace(_line(Kind.FOLDERS, place), names=answer))
        return answer


def _line(kind: Kind, place: S3Location, detail: str = "") -> Line:
    return Line(kind=kind, bucket=place.bucket, key=place.key, detail=detail)
