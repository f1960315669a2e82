"""What a chain's digests add up to, and how the record says it: counts, the head, which of them
nothing is wrong with. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from integrity.chain.acts import TrailAct
from integrity.chain.evidence import EventRecord
from integrity.chain.findings import Outcome, worst
from integrity.chain.link import Entry, Standing
from integrity.chain.model import S3Location
from integrity.chain.seal import SealedHours
from integrity.record import DigestCounts, Head, LogCounts, SegmentResult, UnchangedHours


def named_logs(entries: Iterable[Entry]) -> LogCounts:
    """The log files that these digests name, by how they came out."""
    counts = LogCounts()
    for entry in entries:
        counts += LogCounts(entry.logs.valid, entry.logs.invalid, entry.logs.undetermined)
    return counts


def all_logs(entries: Iterable[Entry], segments: Iterable[SegmentResult]) -> LogCounts:
    """Those, and the ones that no digest names."""
    total = named_logs(entries)
    for segment in segments:
        total += LogCounts(
            unattested=segment.unattested,
            unreferenced=segment.unreferenced,
            pending=segment.pending,
        )
    return total


def outcomes_of(logs: LogCounts) -> Sequence[Outcome]:
    """What these log files make of their chain."""
    counts = {Outcome.INVALID: logs.invalid, Outcome.UNDETERMINED: logs.undetermined}
    return [outcome for outcome, number in counts.items() if number]


def is_proven(entry: Entry, outcomes: Mapping[S3Location, Outcome]) -> bool:
    """Whether the digest covers its time, and neither it nor a log file of it has a finding."""
    has_flaw = entry.location in outcomes or entry.logs.invalid or entry.logs.undetermined
    return entry.covers and not has_flaw


_INVALID = (Standing.MISSING, Standing.BROKEN)


def digest_counts(entries: Iterable[Entry], outcomes: dict[S3Location, Outcome]) -> DigestCounts:
    """Each digest once, by the worst that was found of it or else by how it stands."""
    tally = dict.fromkeys(Outcome, 0)
    for entry in entries:
        standing = Outcome.UNDETERMINED
        if entry.is_authentic:
            standing = Outcome.VALID
        elif entry.standing in _INVALID:
            standing = Outcome.INVALID
        tally[worst([standing, outcomes.get(entry.location, Outcome.VALID)])] += 1
    return DigestCounts(tally[Outcome.VALID], tally[Outcome.INVALID], tally[Outcome.UNDETERMINED])


def unread_hours(hours: SealedHours) -> UnchangedHours:
    """What was not read again, for the record."""
    seal = hours.seal
    return UnchangedHours(hours.start, hours.end, digest_files=seal.digests, log_files=seal.logs)


def head_of(entries: Sequence[Entry]) -> Head | None:
    """The newest authentic digest, for the record."""
    for entry in reversed(entries):
        if entry.is_authentic:
            return Head(entry.location.uri, entry.window.end, entry.sha256, entry.signature)
    return None


def event_record(act: TrailAct | None) -> EventRecord | None:
    """The event that ended a chain, for the record."""
    if act is None:
        return None
    return EventRecord(
        event_name=act.event_name,
        time=act.time,
        by=act.by,
        event_id=act.event_id,
        s3_uri=act.log.uri,
        sha256=act.sha256,
    )
