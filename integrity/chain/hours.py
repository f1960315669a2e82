"""The last hours of a chain, sealed when they were proven: to be left alone while nothing changes.

Each verification of a service looks again at the hours before it, for what comes late or is
changed. What they held is kept as one seal of their listing, so that unchanged hours need no read.

1. Digests belong to the hours by the time in their names.
2. Log files belong to them by LastModified, which S3 sets and nobody else can: what is written or
   written over later is not of them. The minute in a name says less, for a log file that is named
   before a digest's end may be delivered, and digested, after it.
3. Log files that were there and that no digest named yet are told apart, by a hash of their place.

Nothing here lists or decides whether the hours are proven.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from integrity.chain.model import Listed, S3Location
from integrity.chain.seal import SealedHours, entry_of, make_seal
from integrity.chain.times import HOUR

MOST_APART = 64
"""More log files than so many are not told apart: then the hours are not sealed."""

_MARK_BYTES = 16


@dataclass(frozen=True, slots=True)
class Shown:
    """What the listings showed of a chain: its digests with their end times, and log files.

    Of these it has all that were written since an hour before the hours that are meant.
    """

    digests: Sequence[tuple[datetime, Listed]]
    logs: Sequence[Listed]


def written_since(start: datetime) -> datetime:
    """The digest that ends at `start` names log files that were written an hour before."""
    return start - HOUR


def is_unchanged(hours: SealedHours, shown: Shown) -> bool:
    """Whether all of it is there as it was sealed, and nothing else."""
    return _seal(hours, shown) == hours


def is_open(listed: Listed, hours: SealedHours) -> bool:
    """Whether a log file is none of the sealed ones, and came later or was told apart."""
    return listed.last_modified > hours.written or _mark(listed.location) in hours.apart


def seal_hours(
    shown: Shown,
    *,
    start: datetime,
    end: datetime,
    named: Iterable[S3Location],
    unnamed: Iterable[S3Location],
    before: SealedHours | None = None,
    heard: bool = False,
) -> SealedHours | None:
    """The hours from `start` to `end`, of which all is proven; None where no seal can hold them.

    `named` are the log files that the digests name; those of digests that `before` holds need not
    be among them. `unnamed` ones were there and are to be judged later.
    """
    written = {listed.location: listed.last_modified for listed in shown.logs}
    named, unnamed = list(named), list(unnamed)
    if any(location not in written for location in (*named, *unnamed)):
        return None
    earliest = written_since(start) if before is None else before.written
    until = max([earliest, *(written[location] for location in named)])
    apart = sorted(_mark(location) for location in unnamed if written[location] <= until)
    if len(apart) > MOST_APART:
        return None
    blank = SealedHours(
        start=start,
        end=end,
        written=until,
        seal=make_seal((), ()),
        apart=tuple(apart),
        heard=heard,
    )
    return _seal(blank, shown)


def _seal(hours: SealedHours, shown: Shown) -> SealedHours:
    """The same hours, sealed as they are shown now."""
    since = written_since(hours.start)
    digests = [entry_of(listed) for end, listed in shown.digests if hours.window.holds(end)]
    logs = [
        entry_of(listed)
        for listed in shown.logs
        if listed.last_modified >= since and not is_open(listed, hours)
    ]
    return replace(hours, seal=make_seal(digests, logs))


def _mark(location: S3Location) -> str:
    place = location.uri.encode(errors="surrogatepass")
    return hashlib.blake2b(place, digest_size=_MARK_BYTES).hexdigest()
