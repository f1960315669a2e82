"""What is kept of a past day of an account's region, and of the last hours of a chain, so that a
change of it shows without a read.

Deletion and edits come after delivery. A seal is one hash over a listing: every digest file of the
trail and every log file, with size, ETag and LastModified, and how many there are. Whoever
changes, adds or removes an object changes the seal; S3 sets LastModified and nobody else can. A
seal says nothing of content: that it was proven when the listing was the same is for others to
know. Nothing here lists or decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from integrity.chain.findings import Outcome
from integrity.chain.model import Listed, TimeWindow
from integrity.chain.times import DAY


class Seal(Struct, frozen=True):
    """One listing: a SHA-256 over its objects in order, and how many there are."""

    sha256: str
    digests: int
    logs: int

    @property
    def is_empty(self) -> bool:
        return not (self.digests or self.logs)


def entry_of(listed: Listed) -> bytes:
    """One object of a listing as it is sealed. LastModified is in whole seconds, as S3 keeps it."""
    place = listed.location
    seconds = str(int(listed.last_modified.timestamp()))
    parts = (place.key, place.bucket, str(listed.size), listed.etag.strip('"'), seconds)
    encoded = [part.encode(errors="surrogatepass") for part in parts]
    # A key may hold any character: lengths keep the parts apart.
    return b"".join(b"%d:%b" % (len(part), part) for part in encoded)


def make_seal(digests: Iterable[bytes], logs: Iterable[bytes]) -> Seal:
    """The seal of digest files and log files, each as `entry_of` has it, in any order."""
    kinds = (sorted(digests), sorted(logs))
    sha256 = hashlib.sha256()
    for entries in kinds:
        sha256.update(b"%d;" % len(entries))
        for entry in entries:
            sha256.update(entry)
    return Seal(sha256.hexdigest(), *map(len, kinds))


class SealedDay(Struct, frozen=True, kw_only=True):
    """A past day of an account's region. `day` is its UTC midnight.

    `due` is when it is to be read for the first time; `tried` when it was last to be read,
    `proven` when it last was, to its end, with what `outcome` (None: never, it is in an archive).
    `seal` is the listing of that time.
    `digests` and `logs` are how many there were when all of it was valid: fewer than that is a
    finding, unless retention explains it.
    """

    day: datetime
    due: datetime
    seal: Seal | None = None
    digests: int = 0
    logs: int = 0
    tried: datetime | None = None
    proven: datetime | None = None
    outcome: Outcome | None = None

    @property
    def window(self) -> TimeWindow:
        return TimeWindow(self.day, self.day + DAY)

    @property
    def lacks(self) -> tuple[int, int]:
        """How many digest files and log files fewer there are than there were once."""
        if self.seal is None:
            return 0, 0
        return max(0, self.digests - self.seal.digests), max(0, self.logs - self.seal.logs)


class SealedMonth(Struct, frozen=True, kw_only=True):
    """The watched days of one month of an account's region, in order: they are listed together.

    `month` is its first UTC midnight, `listed` when its sealed days were all listed last.
    """

    account_id: str
    region: str
    month: datetime
    days: tuple[SealedDay, ...]
    listed: datetime | None = None


class SealedHours(Struct, frozen=True, kw_only=True):
    """The last hours of a standard chain as they were proven: what it is about stands in `hours`.

    Sealed are its digests, backfill ones too, that end from `start` to `end`, and the log files
    that were written from an hour before `start` until `written`. No digest named those `apart` by
    then, so they are none of them. `heard`: the rules were given all events.
    """

    start: datetime
    end: datetime
    written: datetime
    seal: Seal
    apart: tuple[str, ...] = ()
    heard: bool = False

    @property
    def window(self) -> TimeWindow:
        return TimeWindow(self.start, self.end)
