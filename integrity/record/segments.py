"""What came of one segment, before chains are joined."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from integrity.chain.findings import Finding
from integrity.chain.link import Entry
from integrity.chain.model import ChainId, PublicKey, TimeWindow, VerifiedEvent
from integrity.chain.retention import Expiry
from integrity.chain.seal import SealedHours


class SegmentResult(Struct, frozen=True, kw_only=True):
    """What came of one segment: small, whatever the number of log files was.

    `entries` are the digests that end in `span`, `neighbours` the nearest ones beyond its ends.
    `newest` is the end of the chain's newest digest, as far as it was looked for; `redelivered`
    says that a digest was written at the moment that AWS names as its latest delivery.
    `first_unattested` is the time of the earliest log file that no digest could vouch for;
    `has_logs` whether any log file lies in the window; `complete` is False where a folder could not
    be listed. `expiry` is what the lifecycle does to the digests, where the span begins without.
    `events` are those that were wanted, out of verified log files; `unread` counts what of these
    was not searched or carried, for its size, number or form. `asked` and `dropped` are the same of
    what the rules ask for. `remembered` are digests that earlier verifications know and the span
    did not show. The `unchanged` hours at its begin were not read, and `hours` are sealed for the
    next verification.
    """

    chain: ChainId
    span: TimeWindow
    entries: tuple[Entry, ...]
    neighbours: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    unattested: int | None
    unreferenced: int | None
    pending: int | None
    first_unattested: datetime | None
    has_logs: bool
    newest: datetime | None
    redelivered: bool
    complete: bool
    keys: tuple[PublicKey, ...]
    stored_bytes: int
    expiry: Expiry | None = None
    events: tuple[VerifiedEvent, ...] = ()
    unread: int = 0
    asked: tuple[VerifiedEvent, ...] = ()
    dropped: int = 0
    remembered: tuple[Entry, ...] = ()
    unchanged: SealedHours | None = None
    hours: SealedHours | None = None

    @property
    def log_files(self) -> int:
        """How many log files were checked."""
        return sum(entry.logs.total for entry in self.entries)
