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
from datetime import datetime
from itertools import chain

from msgspec import Struct

from integrity.chain.model import Listed, S3Location
from integrity.chain.seal import SealedHours, entry_of, make_seal
from integrity.chain.times import HOUR
from integrity.chain.trouble import is_archived
from integrity.structs import replace

MOST_APART = 64
"""More log files than so many are not told apart: then the hours are not sealed."""

_MARK_BYTES = 16


class Shown(Struct, frozen=True):
    """What the listings showed of a chain: its digests with their end times, and log files.

    Of these it has all that were written since an hour before the hours that are meant.
    """

    digests: Sequence[tuple[datetime, Listed]]
    logs: Sequence[Listed]


def written_since(start: datetime) -> datetime:
    """The digest that ends at `start` names log files that were written an hour before."""
    return start - HOUR


def is_unchanged(hours: SealedHours, shown: Shown) -> bool:
    """Whether all of it is there as it was sealed, and nothing else.

    What a lifecycle rule has put into an archive keeps its time, and can be read by nobody.
    """
    held = _held(hours, shown)
    return _seal(hours, held) == hours and not any(map(is_archived, chain(*held)))


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
    return _seal(blank, _held(blank, shown))


def _held(hours: SealedHours, shown: Shown) -> tuple[list[Listed], list[Listed]]:
    """What of it belongs to the hours: digests, and log files."""
    since = written_since(hours.start)
    digests = [listed for end, listed in shown.digests if hours.window.holds(end)]
    logs = [
        listed
        for listed in shown.logs
        if listed.last_modified >= since and not is_open(listed, hours)
    ]
    return digests, logs


def _seal(hours: SealedHours, held: tuple[list[Listed], list[Listed]]) -> SealedHours:
    """The same hours, sealed as they are shown now."""
    return replace(hours, seal=make_seal(*(map(entry_of, kind) for kind in held)))


def _mark(location: S3Location) -> str:
    place = location.uri.encode(errors="surrogatepass")
    return hashlib.blake2b(place, digest_size=_MARK_BYTES).hexdigest()
