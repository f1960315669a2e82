"""One chain's part of a record, and what persons have said of chains and incidents."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from integrity.chain.evidence import EventRecord
from integrity.chain.findings import Outcome
from integrity.chain.model import ChainKind, TimeWindow
from integrity.chain.times import format_instant
from integrity.record.counts import DigestCounts, LogCounts, UnchangedHours


class ChainState(StrEnum):
    """`new`: begins in the window. `ended`: AWS or a person says that it ended before it."""

    OPEN = "open"
    NEW = "new"
    ENDED = "ended"


class Head(Struct, frozen=True):
    """The newest authentic digest of a chain in the window."""

    s3_uri: str
    end: datetime
    sha256: str
    signature: str


class ChainResult(Struct, frozen=True, kw_only=True):
    """One chain's part of the record. `hours` has a letter for each clock hour of the window.

    P proven with logs, E proven and empty, G gap, M missing, X invalid, U undetermined, S
    `unchanged` and so not read, `.` not due. `ended_at` is the end of an ended chain's newest
    digest, where there is one; `ended_by` the verified event that ended it, where one did.
    """

    account_id: str
    region: str
    kind: ChainKind
    root: str
    state: ChainState
    outcome: Outcome
    covered: tuple[TimeWindow, ...]
    hours: str
    head: Head | None
    digest_files: DigestCounts
    log_files: LogCounts
    ended_at: datetime | None = None
    ended_by: EventRecord | None = None
    unchanged: UnchangedHours | None = None


class Acceptance(Struct, frozen=True, kw_only=True):
    """A person took what the bucket held for one chain's truth, though `lost` digests were known.

    `old` is the newest of these, a former head before others; `new` is the chain's head now, where
    it has one. `accepted_by` is the ARN of who did it.
    """

    account_id: str
    region: str
    kind: ChainKind
    old: Head
    new: Head | None
    lost: int
    accepted_by: str
    reason: str
    accepted_at: datetime


class Acknowledgement(Struct, frozen=True, kw_only=True):
    """A person knows of an incident, and is not reminded of it before `until`.

    `by` is the ARN of who says so. Where `until` is `at`, it takes back the one before.
    """

    by: str
    reason: str
    at: datetime
    until: datetime

    def told(self, now: datetime) -> str:
        """In a sentence, not escaped."""
        at, until = format_instant(self.at), format_instant(self.until)
        if self.until <= self.at:
            return f"no longer acknowledged, says {self.by} at {at}: {self.reason}"
        verb = "quiet" if now < self.until else "was quiet"
        return f"acknowledged by {self.by} at {at}, {verb} until {until}: {self.reason}"


class Acknowledged(Struct, frozen=True, kw_only=True):
    """An incident that was open when the tick began, and what persons said of it, newest last.

    The last one alone counts. It lowers nothing: the finding stands, and so does its outcome.
    """

    incident_id: str
    reason: str
    outcome: Outcome
    account_id: str
    region: str
    window: TimeWindow
    acknowledgements: tuple[Acknowledgement, ...]
