"""Which log files some digests name: to ask for one, and to walk them, each once.

A day of a hundred thousand is asked about while it is listed, and walked while it is checked. What
is remembered of each to be asked for is a number of eight bytes, in order; what is walked comes
anew out of the digests. Those that are named more than once are remembered whole.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from os import urandom
from threading import Lock

from msgspec import Struct

from integrity.chain.model import AuthenticDigest, LogFileRef, S3Location, TimeWindow

_DELIVERY_SLACK = timedelta(minutes=15)
_MARK_BYTES = 8
_NUMBER_BITS = 32


class NamedLog(Struct, frozen=True, gc=False):
    """A log file and all that authentic digests say of it. `digest`, `window`: the first."""

    location: S3Location
    refs: tuple[LogFileRef, ...]
    digest: S3Location
    window: TimeWindow


_Said = tuple[int, list[LogFileRef]]
"""The number of the digest that names a log file first, and all that any of them says of it."""


class NamedLogs:
    """The log files that `digests` name, with the time at which each was made, where known.

    A mark stands for a place. It is made with a secret of this object's own, so nobody can make a
    place share the mark of another; that two named ones share it by chance changes nothing.
    """

    def __init__(self, digests: Iterable[tuple[datetime | None, AuthenticDigest]]) -> None:
        self._digests = list(digests)
        self._secret = urandom(_MARK_BYTES)
        said = sorted(
            self._mark(ref.location) << _NUMBER_BITS | number
            for number, (_, authentic) in enumerate(self._digests)
            for ref in authentic.digest.log_files
        )
        self._marks = array("Q", (one >> _NUMBER_BITS for one in said))
        self._numbers = array("I", (one % (1 << _NUMBER_BITS) for one in said))
        shared = {one for one, other in pairwise(self._marks) if one == other}
        self._again = self._gather(shared) if shared else {}
        self._alone = len(said) - sum(mark in shared for mark in self._marks)

    def _gather(self, shared: set[int]) -> dict[S3Location, _Said]:
        """What is said of the places of these marks: it need not be the same."""
        again: dict[S3Location, _Said] = {}
        for number, (_, authentic) in enumerate(self._digests):
            for ref in authentic.digest.log_files:
                if self._mark(ref.location) in shared:
                    refs = again.setdefault(ref.location, (number, []))[1]
                    if ref not in refs:
                        refs.append(ref)
        return again

    def _mark(self, location: S3Location) -> int:
        hashed = blake2b(location.uri.encode(), digest_size=_MARK_BYTES, key=self._secret)
        return int.from_bytes(hashed.digest(), "big")

    def __len__(self) -> int:
        return self._alone + len(self._again)

    def __contains__(self, location: S3Location) -> bool:
        mark = self._mark(location)
        place = bisect_left(self._marks, mark)
        return place < len(self._marks) and self._marks[place] == mark

    def delivered_by(self, location: S3Location) -> datetime | None:
        """The latest time at which CloudTrail can have written a named log file, where known."""
        if location in self._again:
            return None
        number = self._numbers[bisect_left(self._marks, self._mark(location))]
        made, _ = self._digests[number]
        return None if made is None else made + _DELIVERY_SLACK

    def __iter__(self) -> Iterator[NamedLog]:
        for number, (_, authentic) in enumerate(self._digests):
            digest = authentic.digest
            told: set[S3Location] = set()
            for ref in digest.log_files:
                refs: tuple[LogFileRef, ...] = (ref,)
                said = self._again.get(ref.location) if self._again else None
                if said is not None:
                    first, several = said
                    if first != number or ref.location in told:
                        continue
                    told.add(ref.location)
                    refs = tuple(several)
                yield NamedLog(ref.location, refs, digest.location, digest.window)


class Drawn(Iterator[NamedLog]):
    """Log files that several threads draw, each of them once, and how many of each digest were.

    Whoever fetches may still be at it when everything stops and the rest is drawn to be counted:
    two threads must not be in one generator.
    """

    def __init__(self, logs: Iterable[NamedLog]) -> None:
        self._logs, self._lock = iter(logs), Lock()
        self.by_digest = Counter[S3Location]()

    def __next__(self) -> NamedLog:
        with self._lock:
            log = next(self._logs)
            self.by_digest[log.digest] += 1
            return log
