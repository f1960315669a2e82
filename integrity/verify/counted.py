"""Sources that count what they are asked, for whoever wants to know before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import TypeVar

from integrity.chain.content import Buffer
from integrity.chain.model import (
    Absent,
    Fetched,
    KeysUnavailable,
    Listed,
    PublicKey,
    S3Location,
    TimeWindow,
    Unreachable,
)
from integrity.verify.ports import KeySource, ObjectSource

T = TypeVar("T")

_PAGE = 1000


def pages(objects: int) -> int:
    """How many requests S3 takes to list so many objects."""
    return max(1, -(-objects // _PAGE))


class CountedObjects:
    """A source that is only listed."""

    def __init__(self, objects: ObjectSource) -> None:
        self._objects = objects
        self._lock = Lock()
        self.number = 0

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """Nothing is read."""
        del read
        raise AssertionError(f"a forecast reads no object, and {location.uri} was asked for")

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """The listing; its pages are counted as S3 gives them."""
        number = 0
        for listed in self._objects.list_objects(bucket, prefix):
            number += 1
            yield listed
        self._count(pages(number))

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The folders."""
        answer = self._objects.list_folders(bucket, folder)
        self._count(1 if isinstance(answer, Unreachable) else pages(len(answer)))
        return answer

    def _count(self, number: int) -> None:
        with self._lock:
            self.number += number


class CountedKeys:
    """Public keys; how often they were asked for."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._lock = Lock()
        self.number = 0

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        """The keys of a region."""
        with self._lock:
            self.number += 1
        return self._keys.fetch_keys(region, window)
