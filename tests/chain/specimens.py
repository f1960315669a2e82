"""Values of the core in few words: one chain of March 2026, its digests and their links."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from integrity.chain.link import Entry, Standing
from integrity.chain.model import ChainId, ChainKind, Predecessor, Root, S3Location, TimeWindow
from integrity.chain.names import digest_location
from integrity.structs import replace

START = datetime(2026, 3, 1, tzinfo=UTC)
CHAIN = ChainId(Root("trail-logs"), "111122223333", "us-east-1", "main", "us-east-1")
BACKFILL = replace(CHAIN, kind=ChainKind.BACKFILL)


def at(hours: float) -> datetime:
    """So many hours after the beginning of March 2026."""
    return START + timedelta(hours=hours)


def hours(start: float, end: float) -> TimeWindow:
    """A window counted in hours from the beginning of March 2026."""
    return TimeWindow(at(start), at(end))


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def entry(end: float, standing: Standing = Standing.AUTHENTIC, **changes: Any) -> Entry:
    """The digest of the hour that ends so many hours into March, with one log file."""
    chain = changes.pop("chain", CHAIN)
    location = digest_location(chain, at(end))
    made = Entry(
        chain=chain,
        location=location,
        window=hours(end - 1, end),
        standing=standing,
        sha256=sha256_of(location.key),
        signature=sha256_of(location.uri) * 8,
        log_files=1,
    )
    return replace(made, **changes)


def naming(predecessor: Entry, **changes: Any) -> Predecessor:
    """What an honest successor says of a digest."""
    location = predecessor.location
    return replace(
        Predecessor(location, predecessor.sha256, "SHA-256", predecessor.signature), **changes
    )


def linked(entries: Iterable[Entry]) -> list[Entry]:
    """The same digests, each authentic one naming the one before it."""
    chain: list[Entry] = []
    for one in entries:
        if chain and one.is_authentic:
            one = replace(one, previous=naming(chain[-1]))
        chain.append(one)
    return chain


def run_of(first: int, last: int) -> list[Entry]:
    """Linked digests that end at these hours and all between; the first one starts a chain."""
    return linked(entry(end) for end in range(first, last + 1))


def starting(end: float, **changes: Any) -> Entry:
    """The empty digest with which a chain begins, dated to the hour before logging did."""
    return entry(end, previous=None, log_files=0, **changes)


def location(key: str, bucket: str = "trail-logs") -> S3Location:
    return S3Location(bucket, key)
