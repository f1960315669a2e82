"""Keeps a log file's inflated bytes while they are hashed, and searches those that were verified.

There may be several who want events of it, each with a bound of its own: what one of them is given
never takes from another.

Small files are kept as they come; of larger ones one at a time, up to the bound. A file over the
bound is hashed like any other and not searched, which is counted. Nothing looks into what was kept
but `KeptFile.search`, which is called once the hash has matched the signed one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from threading import BoundedSemaphore, Lock

from integrity.chain.content import Sink
from integrity.chain.limits import MIB, Limits
from integrity.chain.model import LogFileRef, S3Location, VerifiedEvent
from integrity.events.search import Wanted, search_log

_SMALL_BYTES = MIB
_LARGE = BoundedSemaphore(1)
"""One file at a time is kept that is not small, whatever the number of threads."""


Found = tuple[tuple[VerifiedEvent, ...], int]
"""Events by file, and how many files or events were not searched or are left out."""


class LogSearch:
    """The wanted events of one segment's verified log files; called from many threads.

    At most so many, and so many bytes, are kept. Log files that the digests of `heard` name are
    passed by.
    """

    def __init__(
        self,
        wanted: Iterable[Wanted],
        limits: Limits,
        *,
        most: int,
        most_bytes: int,
        heard: Collection[S3Location] = (),
    ) -> None:
        self._wanted, self.limits = tuple(wanted), limits
        self._most, self._most_bytes, self._heard = most, most_bytes, heard
        self._lock = Lock()
        self._size = 0
        self._found: list[tuple[S3Location, int, VerifiedEvent]] = []
        self._unread = 0

    @property
    def is_asked(self) -> bool:
        """Whether anybody wants anything."""
        return bool(self._wanted)

    def wants(self, digest: S3Location) -> bool:
        """Whether the log files that this digest names are to be searched."""
        return digest not in self._heard

    def search(self, body: bytes | bytearray | None, log: LogFileRef, digest: S3Location) -> None:
        """Take what is wanted out of a verified file; None: it was too large to be kept."""
        found = None if body is None else search_log(body, self._wanted, self.limits)
        with self._lock:
            if found is None:
                self._unread += 1
                return
            self._unread += found.too_large + bool(found.flaw)
            self._found += [
                (log.location, number, VerifiedEvent(event, log.location, log.sha256, digest))
                for number, event in enumerate(found.events)
            ]
            self._size += sum(map(len, found.events))
            if len(self._found) > 2 * self._most or self._size > 2 * self._most_bytes:
                self._cut()

    def _cut(self) -> None:
        """The same are left out, in whatever order the files came."""
        self._found.sort(key=lambda found: found[:2])
        sizes = accumulate(len(found.event) for _, _, found in self._found)
        fitting = sum(size <= self._most_bytes for size in sizes)
        kept = min(self._most, fitting)
        self._unread += len(self._found) - kept
        del self._found[kept:]
        self._size = sum(len(found.event) for _, _, found in self._found)

    def result(self) -> Found:
        """What was found."""
        with self._lock:
            self._cut()
            return tuple(event for _, _, event in self._found), self._unread


class Searches:
    """The searches of one segment: for what ends chains, and for what the rules ask."""

    def __init__(
        self,
        wanted: Wanted | None,
        rules: Iterable[Wanted],
        limits: Limits,
        *,
        heard: Collection[S3Location],
    ) -> None:
        room = limits.max_events * limits.max_event_bytes
        acts = () if wanted is None else (wanted,)
        self._acts = LogSearch(acts, limits, most=limits.max_events, most_bytes=room)
        self._asked = LogSearch(
            rules,
            limits,
            most=limits.max_rule_events,
            most_bytes=limits.max_rule_bytes,
            heard=heard,
        )
        self.all = [search for search in (self._acts, self._asked) if search.is_asked]

    @property
    def for_rules(self) -> bool:
        """Whether rules ask for anything."""
        return self._asked.is_asked

    @property
    def acts(self) -> Found:
        """What may end chains."""
        return self._acts.result()

    @property
    def asked(self) -> Found:
        """What the rules ask for."""
        return self._asked.result()


class KeptFile:
    """One log file on its way through the hash."""

    def __init__(self, searches: list[LogSearch], *, may_wait: bool) -> None:
        self._searches, self._may_wait = searches, may_wait
        self.has_no_room = False
        self._most = max(search.limits.max_searched_bytes for search in searches)
        self._is_large = False
        self._body: bytes | bytearray | None = None

    def begin(self) -> Sink:
        """What `read_member` hands the content to. A second reading begins from nothing."""
        self._body = b""
        return self._add

    def _add(self, window: bytes) -> None:
        if self._body is None:
            return
        size = len(self._body) + len(window)
        if size > self._most:
            self._body = None
            return
        if size > _SMALL_BYTES and not self._is_large:
            self._is_large = _LARGE.acquire(blocking=self._may_wait)
            if not self._is_large:
                self._body, self.has_no_room = None, True
                return
        if not self._body:
            # Most files are one window, and to copy it takes as long as to hash it.
            self._body = window
        elif isinstance(self._body, bytes):
            self._body = bytearray(self._body) + window
        else:
            self._body += window

    def search(self, log: LogFileRef, digest: S3Location) -> None:
        """Search the file, whose content has the hash that `digest` signs."""
        for search in self._searches:
            search.search(self._body, log, digest)

    def drop(self) -> None:
        """Let go of the content."""
        self._body = None
        if self._is_large:
            self._is_large = False
            _LARGE.release()


@contextmanager
def keeping(
    searches: Iterable[LogSearch], digest: S3Location, *, may_wait: bool = True
) -> Iterator[KeptFile | None]:
    """Room for a file that `digest` names until it is judged; None where nobody wants it.

    Another thread may have the room for a large one for as long as its transfer takes. Who reads
    for others as well does not wait: then the file `has_no_room`, and is for somebody who may.
    """
    asking = [search for search in searches if search.wants(digest)]
    kept = KeptFile(asking, may_wait=may_wait) if asking else None
    try:
        yield kept
    finally:
        if kept is not None:
            kept.drop()
