"""A bucket that objects were replicated to, seen as the one that they were signed for.

Every question is asked of the replica and every answer speaks of the original place; keys are the
same below the two folders. It decides nothing about what lies there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from msgspec import Struct

from integrity.chain.content import Buffer
from integrity.chain.estate import ExpirationRule, Unasked
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.chain.wish import Item, Wish
from integrity.sources.folder import Original
from integrity.structs import replace

T = TypeVar("T")


class _Stopping(Protocol):
    def is_set(self) -> bool: ...


class _Objects(Protocol):
    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable: ...

    def fetch_small(self, wish: Wish[Item], stopping: _Stopping) -> Iterator[Item]: ...

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]: ...

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable: ...


class _Rules(Protocol):
    def fetch_rules(self, bucket: str) -> tuple[ExpirationRule, ...] | Unasked: ...


class Replica(Struct, frozen=True):
    """Where the objects of `original` lie now."""

    original: Original
    bucket: str
    folder: str

    def here(self, location: S3Location) -> S3Location:
        """Where an object lies. What was never replicated is asked for where it was."""
        whole = self.original
        if location.bucket != whole.bucket or not location.key.startswith(whole.folder):
            return location
        return S3Location(self.bucket, self.folder + location.key[len(whole.folder) :])

    def there(self, location: S3Location) -> S3Location:
        """The place that an object of the replica was signed for."""
        if location.bucket != self.bucket or not location.key.startswith(self.folder):
            return location
        return S3Location(
            self.original.bucket, self.original.folder + location.key[len(self.folder) :]
        )


class ReplicaSource:
    """The objects of a replica, by the places that they were signed for."""

    def __init__(self, objects: _Objects, replica: Replica) -> None:
        self._objects, self._replica = objects, replica

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """The replica's object."""
        return replace(self._objects.fetch(self._replica.here(location), read), location=location)

    def fetch_small(self, wish: Wish[Item], stopping: _Stopping) -> Iterator[Item]:
        """The replica's objects."""

        def here(item: Item) -> S3Location | None:
            location = wish.locate(item)
            return location and self._replica.here(location)

        def told(item: Item, fetched: Fetched[bytes]) -> bool:
            there = self._replica.there(fetched.location)
            return wish.take(item, replace(fetched, location=there))

        return self._objects.fetch_small(replace(wish, locate=here, take=told), stopping)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """The replica's objects."""
        here = self._replica.here(S3Location(bucket, prefix))
        for listed in self._objects.list_objects(here.bucket, here.key):
            yield replace(listed, location=self._replica.there(listed.location))

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The replica's folders."""
        here = self._replica.here(S3Location(bucket, folder))
        answer = self._objects.list_folders(here.bucket, here.key)
        if isinstance(answer, Unreachable):
            return replace(answer, location=S3Location(bucket, folder))
        return answer


class ReplicaRules:
    """What the replica's own lifecycle deletes, told of the original bucket."""

    def __init__(self, rules: _Rules, replica: Replica) -> None:
        self._rules, self._replica = rules, replica

    def fetch_rules(self, bucket: str) -> tuple[ExpirationRule, ...] | Unasked:
        """The rules of the bucket that is read. Their prefixes are as they are there."""
        replica = self._replica
        if bucket != replica.original.bucket:
            return self._rules.fetch_rules(bucket)
        rules = self._rules.fetch_rules(replica.bucket)
        if isinstance(rules, Unasked):
            return rules
        return tuple(
            replace(rule, prefix=moved)
            for rule in rules
            if (moved := self._moved(rule.prefix)) is not None
        )

    def _moved(self, prefix: str) -> str | None:
        here, there = self._replica.folder, self._replica.original.folder
        if prefix.startswith(here):
            return there + prefix[len(here) :]
        return there if here.startswith(prefix) else None
