"""What a chain's digests add up to: counts, the head, which of them nothing is wrong with. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from integrity.chain.findings import Outcome, worst
from integrity.chain.link import Entry, Standing
from integrity.chain.model import S3Location
from integrity.chain.seal import SealedHours
from integrity.record import DigestCounts, Head, LogCounts, UnchangedHours


def named_logs(entries: Iterable[Entry]) -> LogCounts:
    """The log files that these digests name, by how they came out."""
    counts = LogCounts()
    for entry in entries:
        counts += LogCounts(entry.logs.valid, entry.logs.invalid, entry.logs.undetermined)
    return counts


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
