"""The record of one trail's verification, and its one JSON form, both ways.

The record is the truth: text, pages, metrics and alarms only repeat it. It is decoded strictly, so
a record that was read back is equal to the one that was written. It holds no rule of judgement; how
outcomes became what they are is `chain` and `verify.join`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from integrity.chain.evidence import EventRecord
from integrity.chain.findings import Finding, Outcome, Reason, worst
from integrity.chain.link import Entry
from integrity.chain.model import ChainId, ChainKind, PublicKey, TimeWindow, VerifiedEvent
from integrity.chain.retention import Expiry
from integrity.chain.times import format_instant
from integrity.errors import UsageError

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Tool:
    """Which program judged."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What was asked for.

    `account_ids` and `source_regions` are null where nothing narrows the run. Without `log_files`
    those that digests name were not read, and count as undetermined.
    """

    start: datetime
    end: datetime
    account_ids: tuple[str, ...] | None = None
    source_regions: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    unreferenced: bool = True
    allow_gaps: bool = False
    log_files: bool = True

    @property
    def window(self) -> TimeWindow:
        return TimeWindow(self.start, self.end)

    @property
    def narrowed(self) -> bool:
        """Whether less than the whole trail was asked for."""
        return self.account_ids is not None or self.source_regions is not None or bool(self.ignored)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """Who verified, when, from what. `judged_at` is the one `now` that every judgement used.

    An `interrupted` run holds what was judged until then. `stored_bytes` of log files were read, as
    they are stored; `previous_sha256` is of the record that was written before this one. One that
    went on after an interruption, at the times `resumed_at`, speaks of each object as of when it
    was read, between `started_at` and `finished_at`.
    """

    id: str
    caller_arn: str | None
    configuration_sha256: str
    source: str
    started_at: datetime
    finished_at: datetime
    judged_at: datetime
    interrupted: bool = False
    stored_bytes: int = 0
    previous_sha256: str | None = None
    resumed_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """A number of things that should be there and how many of them are."""

    expected: int
    found: int


class Origin(StrEnum):
    """Whose word it is that so many accounts, or regions, are expected.

    `bucket`: only what the bucket itself shows, which whoever owns it can change.
    """

    BUCKET = "bucket"
    TRAIL = "trail"
    TRAIL_STATUS = "trail_status"
    REGIONS = "regions"
    ORGANIZATION = "organization"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Population:
    """How many accounts, regions and chains were expected and found, and who was asked.

    `notes` has a line for each witness that could not be asked, with the permission that it needs;
    `unasked` names the calls in short, `organizations:ListAccounts denied`.
    """

    method: tuple[str, ...]
    accounts: Expected
    chains: Expected
    notes: tuple[str, ...] = ()
    regions: Expected = Expected(0, 0)
    accounts_from: Origin = Origin.BUCKET
    regions_from: Origin = Origin.BUCKET
    unasked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One public key that a signature was verified with. `sha256` is of its DER."""

    region: str
    fingerprint: str
    sha256: str
    not_before: datetime
    not_after: datetime
    fetched_at: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class DigestCounts:
    """Every digest that is expected, once; a missing one is invalid."""

    valid: int = 0
    invalid: int = 0
    undetermined: int = 0

    @property
    def total(self) -> int:
        return self.valid + self.invalid + self.undetermined

    def __add__(self, other: DigestCounts) -> DigestCounts:
        return DigestCounts(
            self.valid + other.valid,
            self.invalid + other.invalid,
            self.undetermined + other.undetermined,
        )


@dataclass(frozen=True, slots=True)
class LogCounts:
    """Every log file that an authentic digest names, once (the first three); and the others.

    `unattested`, `unreferenced` and `pending` are null where the log folders were not listed.
    """

    valid: int = 0
    invalid: int = 0
    undetermined: int = 0
    unattested: int | None = 0
    unreferenced: int | None = 0
    pending: int | None = 0

    @property
    def total(self) -> int:
        """How many log files authentic digests name."""
        return self.valid + self.invalid + self.undetermined

    def __add__(self, other: LogCounts) -> LogCounts:
        return LogCounts(
            self.valid + other.valid,
            self.invalid + other.invalid,
            self.undetermined + other.undetermined,
            _add(self.unattested, other.unattested),
            _add(self.unreferenced, other.unreferenced),
            _add(self.pending, other.pending),
        )


def _add(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True, slots=True)
class Totals:
    """The counts of all chains together."""

    digest_files: DigestCounts = DigestCounts()
    backfill_digest_files: DigestCounts = DigestCounts()
    log_files: LogCounts = LogCounts()


class ChainState(StrEnum):
    """`new`: begins in the window. `ended`: AWS or a person says that it ended before it."""

    OPEN = "open"
    NEW = "new"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Head:
    """The newest authentic digest of a chain in the window."""

    s3_uri: str
    end: datetime
    sha256: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """One chain's part of the record. `hours` has a letter for each clock hour of the window.

    P proven with logs, E proven and empty, G gap, M missing, X invalid, U undetermined, `.` not
    due. `ended_at` is the end of an ended chain's newest digest, where there is one; `ended_by` the
    verified event that ended it, where one did.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
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


@dataclass(frozen=True, slots=True)
class PastCounts:
    """What one tick did for the days of the past, each of one account's region.

    So many are `watched`, and of these `sealed`; `listed` were listed again, `differing` of them
    differ from their seals; `read` is how many were verified whole.
    """

    watched: int = 0
    sealed: int = 0
    listed: int = 0
    differing: int = 0
    read: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The record of one trail, and the only thing that reports and alarms are made of.

    `looks` are the narrow runs of the same tick over windows of open incidents and of past days;
    they count for nothing else here, and neither does what was `acknowledged`. `past` is null where
    no past is watched.
    """

    schema_version: int = SCHEMA_VERSION
    tool: Tool
    trail_arn: str
    requested: Requested
    run: RunInfo
    population: Population
    keys: tuple[KeyRecord, ...]
    outcome: Outcome
    totals: Totals
    chains: tuple[ChainResult, ...]
    findings: tuple[Finding, ...]
    accepted: tuple[Acceptance, ...] = ()
    looks: tuple[Run, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()
    past: PastCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentResult:
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
    did not show.
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

    @property
    def log_files(self) -> int:
        """How many log files were checked."""
        return sum(entry.logs.total for entry in self.entries)


class ExitStatus:
    """The exit status of every command that verifies."""

    VALID = 0
    INVALID = 1
    USAGE = 2
    UNDETERMINED = 3
    FAULT = 70
    INTERRUPTED = 130


_STATUS = {
    Outcome.VALID: ExitStatus.VALID,
    Outcome.UNDETERMINED: ExitStatus.UNDETERMINED,
    Outcome.INVALID: ExitStatus.INVALID,
}


def exit_status(run: Run) -> int:
    """What the process ends with.

    `--allow-gaps` forgives gaps in which no log file was delivered.
    """
    if run.requested.allow_gaps and _only_empty_gaps(run):
        return ExitStatus.VALID
    return _STATUS[run.outcome]


def worst_status(statuses: list[int]) -> int:
    """Of several trails' statuses the worst: interrupted, invalid, usage, undetermined, valid."""
    order = (
        ExitStatus.VALID,
        ExitStatus.UNDETERMINED,
        ExitStatus.USAGE,
        ExitStatus.INVALID,
        ExitStatus.INTERRUPTED,
    )
    return max(statuses, key=order.index, default=ExitStatus.UNDETERMINED)


def _only_empty_gaps(run: Run) -> bool:
    serious = [finding for finding in run.findings if finding.outcome is not Outcome.VALID]
    return (
        bool(serious)
        and all(finding.reason is Reason.CHAIN_GAP for finding in serious)
        and run.totals.log_files.unattested == 0
    )


def outcome_of(chains: tuple[ChainResult, ...], findings: tuple[Finding, ...]) -> Outcome:
    """The run's outcome: the worst of its parts, and without a chain `undetermined`."""
    if not chains:
        return worst([Outcome.UNDETERMINED, *(finding.outcome for finding in findings)])
    return worst([chain.outcome for chain in chains] + [finding.outcome for finding in findings])


def encode(run: Run) -> bytes:
    """The record as one line of JSON, UTF-8, times as `2026-03-01T00:00:00Z`."""
    return msgspec.json.encode(run)


def decode(document: bytes) -> Run:
    """A record read back. Raises UsageError where it is not one, or of another schema version."""
    try:
        version = msgspec.json.decode(document, type=_Versioned).schema_version
        if version != SCHEMA_VERSION:
            raise UsageError(
                f"the record has schema version {version}; this program reads version "
                f"{SCHEMA_VERSION}: use the version of integrity that wrote it, or a newer one"
            )
        run = msgspec.json.decode(document, type=Run)
        times = list(_times(msgspec.to_builtins(run, builtin_types=(datetime,))))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"this is no record of integrity ({error}): expected the JSON that "
            f"`integrity verify --format json` writes"
        ) from error
    if any(time.tzinfo is None for time in times):
        raise UsageError("this is no record of integrity: a time in it has no zone, expected …Z")
    return run


def _times(value: object) -> Iterator[datetime]:
    """Every time in a record; its parts are objects, lists and plain values."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _times(part)


class _Versioned(msgspec.Struct):
    schema_version: int
