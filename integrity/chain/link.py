"""The digests of one chain, in order: broken links, missing hours, coverage.

Links follow `previousDigestS3Object`, never the order of names: after a restart within the hour two
chains of one account and region interleave by end time. Order is used only to predict the hours
that nobody names, and those only between two digests that are both there. Pure: what is absent was
found to be so by whoever made the entries.

1. `check_links`: an authentic digest's predecessor, where it is authentic too, is the one it names.
2. `predicted_hours`: a digest that is there but says nothing trustworthy of its predecessor, or one
   that is absent, has hours before it, back to the next older digest.
3. `covered`: the hours of authentic digests. A starting digest without log files covers no time:
   CloudTrail dates it to the hour before logging began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct

from integrity.chain.decode import HASH_ALGORITHM
from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.model import ChainId, Predecessor, S3Location, TimeWindow
from integrity.chain.names import DigestName
from integrity.chain.times import HOUR, day_of
from integrity.structs import replace


class Standing(StrEnum):
    """How a digest stands.

    The last three are not there; an unjudged one lies outside of what was asked; of an unproven one
    nobody has a signature, so far.
    """

    AUTHENTIC = "authentic"
    BROKEN = "broken"
    UNREADABLE = "unreadable"
    UNPROVEN = "unproven"
    UNJUDGED = "unjudged"
    MISSING = "missing"
    LATE = "late"
    EXPIRED = "expired"


_NOT_THERE = (Standing.MISSING, Standing.LATE, Standing.EXPIRED)


class LogTally(Struct, frozen=True, gc=False):
    """How many of a digest's log files came out how."""

    valid: int = 0
    invalid: int = 0
    undetermined: int = 0

    @property
    def total(self) -> int:
        return self.valid + self.invalid + self.undetermined

    def plus(self, outcome: Outcome, number: int = 1) -> LogTally:
        """This tally with so many more log files."""
        return LogTally(
            self.valid + number * (outcome is Outcome.VALID),
            self.invalid + number * (outcome is Outcome.INVALID),
            self.undetermined + number * (outcome is Outcome.UNDETERMINED),
        )


class Entry(Struct, frozen=True, gc=False, kw_only=True):
    """One digest of a chain, as far as it could be judged.

    `window` is the signed one of an authentic digest, else the hour that its name stands for.
    `named` says that an authentic digest names it as its predecessor, or that it is known from an
    earlier verification. `heard`: the rules were given the events of all its log files.
    """

    chain: ChainId
    location: S3Location
    window: TimeWindow
    standing: Standing
    named: bool = False
    sha256: str = ""
    signature: str = ""
    previous: Predecessor | None = None
    log_files: int = 0
    logs: LogTally = LogTally()
    last_modified: datetime | None = None
    version_id: str | None = None
    heard: bool = False

    def with_logs(self, logs: LogTally, *, heard: bool = False) -> Entry:
        """The same digest, its log files checked."""
        return replace(self, logs=logs, heard=heard)

    @property
    def is_there(self) -> bool:
        return self.standing not in _NOT_THERE

    @property
    def is_authentic(self) -> bool:
        return self.standing is Standing.AUTHENTIC

    @property
    def covers(self) -> bool:
        """Whether CloudTrail vouches for the whole window with this digest."""
        return self.is_authentic and (self.previous is not None or self.log_files > 0)


def share(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The same entries, of which equal parts of neighbours are held once.

    A digest says of the one before it what that one is: half of what an entry takes.
    """
    shared: list[Entry] = []
    for entry in entries:
        shared.append(_beside(shared[-1], entry) if shared else entry)
    return tuple(shared)


def _beside(before: Entry, entry: Entry) -> Entry:
    chain, previous = before.chain, entry.previous
    if previous is not None:
        said = Predecessor(before.location, before.sha256, previous.algorithm, before.signature)
        previous = said if said == previous else previous
    return replace(entry, chain=chain if chain == entry.chain else entry.chain, previous=previous)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By end time; where two end together, by place."""
    return sorted(entries, key=lambda entry: (entry.window.end, entry.location))


def check_links(entries: Sequence[Entry]) -> list[Finding]:
    """A finding for each authentic digest that names another predecessor than the authentic one
    there.
    """
    by_location = {entry.location: entry for entry in entries if entry.is_authentic}
    findings = []
    for entry in by_location.values():
        if entry.previous is None:
            continue
        predecessor = by_location.get(entry.previous.location)
        if predecessor is not None:
            findings += _check_link(entry, entry.previous, predecessor)
    return findings


def _check_link(entry: Entry, named: Predecessor, predecessor: Entry) -> list[Finding]:
    if named.algorithm == HASH_ALGORITHM and named.sha256 != predecessor.sha256:
        field, expected, actual = "previousDigestHashValue", named.sha256, predecessor.sha256
    elif named.signature != predecessor.signature:
        field, expected, actual = "previousDigestSignature", named.signature, predecessor.signature
    else:
        return []
    finding = find(
        Reason.DIGEST_LINK_MISMATCH,
        Place(entry.chain.account_id, entry.chain.region),
        entry.window,
        s3_uri=entry.location.uri,
        expected=expected,
        actual=actual,
        detail=f"{field}; the predecessor is {predecessor.location.uri}",
    )
    return [finding]


def predicted_hours(entries: Iterable[Entry], span: TimeWindow) -> list[DigestName]:
    """The digests that lie between two that are there, named by nobody, ending in `span`.

    Counted back by the hour from the later one; what is left of less than an hour is a gap.
    """
    predicted = []
    for earlier, later in pairwise(in_order(entries)):
        if not later.is_authentic:
            predicted += list(_hours_between(earlier, later, span))
    return predicted


def _hours_between(earlier: Entry, later: Entry, span: TimeWindow) -> Iterator[DigestName]:
    end = later.window.end - HOUR
    if end > span.end:
        end -= HOUR * -(-(end - span.end) // HOUR)
    while end - HOUR >= earlier.window.end and end >= span.start:
        yield DigestName(later.chain, end)
        end -= HOUR


def foreign(entries: Iterable[Entry]) -> list[Entry]:
    """Standard digests that nobody wrote: not authentic, named by no authentic digest, in a covered
    hour.
    """
    entries = list(entries)
    vouched = covered(entries)
    return [
        entry
        for entry in entries
        if entry.standing in (Standing.BROKEN, Standing.UNPROVEN)
        and not entry.named
        and not subtract(entry.window, vouched)
    ]


def covered(entries: Iterable[Entry]) -> list[TimeWindow]:
    """The time that authentic digests vouch for, merged, in order."""
    return merge(entry.window for entry in entries if entry.covers)


def merge(windows: Iterable[TimeWindow]) -> list[TimeWindow]:
    """Windows that touch or overlap become one; in order."""
    merged: list[TimeWindow] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end:
            merged[-1] = TimeWindow(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def subtract(span: TimeWindow, windows: Iterable[TimeWindow]) -> list[TimeWindow]:
    """What is left of `span` without `windows` (merged and in order)."""
    left: list[TimeWindow] = []
    start = span.start
    for window in windows:
        if window.start > start and start < span.end:
            left.append(TimeWindow(start, min(window.start, span.end)))
        start = max(start, window.end)
    if start < span.end:
        left.append(TimeWindow(start, span.end))
    return left


def clip(windows: Iterable[TimeWindow], span: TimeWindow) -> list[TimeWindow]:
    """The parts of `windows` inside `span`."""
    return [
        TimeWindow(max(window.start, span.start), min(window.end, span.end))
        for window in windows
        if window.overlaps(span)
    ]


_LETTERS = "SEP.GUMX"


def hour_letters(
    span: TimeWindow,
    entries: Iterable[Entry],
    outcomes: dict[S3Location, Outcome],
    *,
    gaps: Iterable[TimeWindow],
    stale: Iterable[TimeWindow],
    unchanged: Iterable[TimeWindow] = (),
) -> str:
    """A letter for each clock hour that `span` touches: the worst of what touches that hour.

    `outcomes` holds the digests that findings speak of; `stale` is time that should be covered by
    now, `unchanged` what was not read again: a letter of what was read stands before it.
    """
    first = day_of(span.start) + HOUR * ((span.start - day_of(span.start)) // HOUR)
    letters = ["."] * max(1, -(-(span.end - first) // HOUR))

    def mark(window: TimeWindow, letter: str) -> None:
        start = max(0, (window.start - first) // HOUR)
        end = min(len(letters), -(-(window.end - first) // HOUR))
        for hour in range(start, end):
            if letters[hour] == "." or _LETTERS.index(letter) > _LETTERS.index(letters[hour]):
                letters[hour] = letter

    for entry in entries:
        letter = _letter(entry, outcomes)
        if letter:
            mark(entry.window, letter)
    for window in unchanged:
        mark(window, "S")
    for window in gaps:
        mark(window, "G")
    for window in stale:
        mark(window, "U")
    return "".join(letters)


def _letter(entry: Entry, outcomes: dict[S3Location, Outcome]) -> str:
    if entry.standing is Standing.MISSING:
        return "M"
    outcome = outcomes.get(entry.location, Outcome.VALID)
    if outcome is Outcome.INVALID or entry.logs.invalid:
        return "X"
    if outcome is Outcome.UNDETERMINED or entry.logs.undetermined or not entry.is_authentic:
        return "U"
    if not entry.covers:
        return ""
    return "P" if entry.log_files else "E"
