"""Keeps a log file's inflated bytes while they are hashed, and searches those that were verified.

Small files are kept as they come; of larger ones one at a time, up to the bound. A file over the
bound is hashed like any other and not searched, which is counted. Nothing looks into what was kept
but `KeptFile.search`, which is called once the hash has matched the signed one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from integrity.chain.content import Sink
from integrity.chain.limits import MIB, Limits
from integrity.chain.model import LogFileRef, S3Location, VerifiedEvent
from integrity.events.search import Searched, Wanted, search_log

_SMALL_BYTES = MIB
_LARGE = BoundedSemaphore(1)
"""One file at a time is kept that is not small, whatever the number of threads."""


class LogSearch:
    """The wanted events of one segment's verified log files; called from many threads."""

    def __init__(self, wanted: Wanted, limits: Limits) -> None:
        self.wanted, self.limits = wanted, limits
        self._lock = Lock()
        self._found: list[tuple[S3Location, int, VerifiedEvent]] = []
        self._unread = 0

    def add(self, log: LogFileRef, digest: S3Location, found: Searched | None) -> None:
        """What was found in a file; None: it was too large to be searched."""
        with self._lock:
            if found is None:
                self._unread += 1
                return
            self._unread += found.too_large + bool(found.flaw)
            self._found += [
                (log.location, number, VerifiedEvent(event, log.location, log.sha256, digest))
                for number, event in enumerate(found.events)
            ]
            if len(self._found) > 2 * self.limits.max_events:
                self._cut()

    def _cut(self) -> None:
        """The same are left out, in whatever order the files came."""
        self._found.sort(key=lambda found: found[:2])
        self._unread += len(self._found[self.limits.max_events :])
        del self._found[self.limits.max_events :]

    def result(self) -> tuple[tuple[VerifiedEvent, ...], int]:
        """The events by file, and how many files or events were not searched or are left out."""
        with self._lock:
            self._cut()
            return tuple(event for _, _, event in self._found), self._unread


class KeptFile:
    """One log file on its way through the hash."""

    def __init__(self, search: LogSearch) -> None:
        self._search = search
        self._is_large = False
        self._body: bytearray | None = None

    def begin(self) -> Sink:
        """What `read_member` hands the content to. A second reading begins from nothing."""
        self._body = bytearray()
        return self._add

    def _add(self, window: bytes) -> None:
        if self._body is None:
            return
        size = len(self._body) + len(window)
        if size > self._search.limits.max_searched_bytes:
            self._body = None
            return
        if size > _SMALL_BYTES and not self._is_large:
            _LARGE.acquire()
            self._is_large = True
        self._body += window

    def search(self, log: LogFileRef, digest: S3Location) -> None:
        """Search the file, whose content has the hash that `digest` signs."""
        found = None
        if self._body is not None:
            found = search_log(self._body, self._search.wanted, self._search.limits)
        self._search.add(log, digest, found)

    def drop(self) -> None:
        """Let go of the content."""
        self._body = None
        if self._is_large:
            self._is_large = False
            _LARGE.release()


@contextmanager
def keeping(search: LogSearch | None) -> Iterator[KeptFile | None]:
    """Room for one file until it is judged; None where nobody wants events of it."""
    kept = KeptFile(search) if search is not None else None
    try:
        yield kept
    finally:
        if kept is not None:
            kept.drop()
