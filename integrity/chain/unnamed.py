"""Log files that no digest names: which of them nobody vouches for, and which only not yet.

A log file's name is its newest event, rounded up to five minutes; it is delivered later, and
digested in the hour of its delivery. So a digest that could name it lies over the minute in its
name (with slack on both sides) or over its LastModified, wherever that is. Only if each of these
was read and does not name it, it is unreferenced. Pure: whoever calls has read the digests.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from integrity.chain.link import Entry, Standing, covered, merge
from integrity.chain.model import Listed, Root, TimeWindow
from integrity.chain.names import parse_log
from integrity.chain.times import DAY, HOUR

NAME_SLACK = timedelta(minutes=10)
_PENDING_AGE = DAY
_LATEST_DELIVERY = timedelta(days=30)

_EXCUSES = (
    Standing.MISSING,
    Standing.LATE,
    Standing.EXPIRED,
    Standing.BROKEN,
    Standing.UNREADABLE,
    Standing.UNPROVEN,
)


class Claim(StrEnum):
    """What can be said of a log file that no digest names."""

    UNREFERENCED = "unreferenced"
    UNATTESTED = "unattested"
    PENDING = "pending"


class Unnamed(Struct, frozen=True):
    """A listed log file.

    `named_for` is the minute in its name, None where the name is not credible.
    """

    listed: Listed
    named_for: datetime | None

    @property
    def time(self) -> datetime:
        """The time that it belongs to, as far as can be told."""
        return self.named_for or self.listed.last_modified

    def windows(self) -> list[TimeWindow]:
        """The times whose digests could name it."""
        delivered = TimeWindow(self.listed.last_modified, self.listed.last_modified)
        if self.named_for is None:
            return [delivered]
        return [TimeWindow(self.named_for - NAME_SLACK, self.named_for + NAME_SLACK), delivered]


def unnamed(listed: Listed, roots: Collection[Root], account_id: str, region: str) -> Unnamed:
    """A log file as its place and name present it; a name from after its own writing is not
    credible, nor one of another place than it lies in.
    """
    name = parse_log(listed.location)
    if (
        name is None
        or name.root not in roots
        or (name.account_id, name.region) != (account_id, region)
        or name.time > listed.last_modified + HOUR
    ):
        return Unnamed(listed, None)
    return Unnamed(listed, name.time)


class Vouchers(Struct, frozen=True):
    """The digests that could name a log file, read, of this trail and of others in its bucket.

    `doubtful` are the hours of digests that are gone or not to be believed, `vouched` is the time
    that this trail's authentic digests cover, `newest` the end of each trail's newest digest (None
    where this trail has none).
    """

    doubtful: Sequence[TimeWindow]
    vouched: Sequence[TimeWindow]
    newest: Sequence[datetime | None]

    def excuse(self, log: Unnamed) -> bool:
        """Whether a digest that could name it is missing, late, broken or unreadable."""
        windows = log.windows()
        return any(_meet(hour, window) for hour in self.doubtful for window in windows)

    def cover(self, time: datetime) -> bool:
        """Whether an authentic digest of this trail vouches for that time."""
        return any(window.holds(time) for window in self.vouched)

    def await_digest(self, delivered: datetime) -> bool:
        """Whether some trail's digest over that delivery is not there yet."""
        return any(newest is None or delivered > newest for newest in self.newest)


def vouchers(
    own: Sequence[Entry], others: Sequence[Entry], newest: Sequence[datetime | None]
) -> Vouchers:
    """Another trail's doubtful digest counts only where an authentic digest of that trail names it.

    So junk under a made-up trail's name excuses nothing.
    """
    doubtful = [entry.window for entry in own if entry.standing in _EXCUSES]
    doubtful += [entry.window for entry in others if entry.standing in _EXCUSES and entry.named]
    return Vouchers(merge(doubtful), covered(own), newest)


def judge_unnamed(log: Unnamed, vouchers: Vouchers, now: datetime) -> Claim:
    """What to say of a log file that none of the digests that were read names."""
    delivered = log.listed.last_modified
    lateness = delivered - log.time
    if vouchers.excuse(log):
        return Claim.UNATTESTED
    recent = now - delivered <= _PENDING_AGE and lateness <= _LATEST_DELIVERY
    if recent and vouchers.await_digest(delivered):
        return Claim.PENDING
    if log.named_for is None:
        return Claim.UNREFERENCED
    if not vouchers.cover(log.named_for):
        return Claim.UNATTESTED
    if not vouchers.cover(delivered) and lateness <= DAY:
        return Claim.UNATTESTED
    return Claim.UNREFERENCED


def _meet(one: TimeWindow, other: TimeWindow) -> bool:
    """Whether two windows share at least an instant."""
    return one.start <= other.end and other.start <= one.end
