"""Finds the log files of a segment that no digest names, and reads the digests that could.

Most log files are named by a digest of the span. For what is left, the digests over their names and
over their LastModified are read, wherever these lie, of this trail and of the others in the bucket;
the judgement itself is `chain.unnamed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.link import Entry, merge, subtract
from integrity.chain.model import (
    ChainId,
    ChainKind,
    Listed,
    Root,
    S3Location,
    TimeWindow,
)
from integrity.chain.times import DAY, HOUR
from integrity.chain.unnamed import Claim, Unnamed, Vouchers, judge_unnamed, unnamed, vouchers
from integrity.structs import replace
from integrity.verify.digests import DigestReader
from integrity.verify.job import Job
from integrity.verify.keyring import KeyRing
from integrity.verify.listing import DigestFolders
from integrity.verify.log_listing import LogListing
from integrity.verify.span import DigestSpan
from integrity.verify.tools import Tools


@dataclass(slots=True)
class UnnamedLogs:
    """Counts and findings; `earliest` is the first time of a log file that is unattested, and
    that no other trail can have written. `open` are those to be judged later: pending ones, and
    those that are named for a time after the window."""

    unattested: int = 0
    unreferenced: int = 0
    pending: int = 0
    earliest: datetime | None = None
    open: list[S3Location] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class UnnamedFinder:
    """Judges the log files that a span's digests do not name."""

    def __init__(
        self,
        chain: ChainId,
        *,
        job: Job,
        tools: Tools,
        ring: KeyRing,
        folders: DigestFolders,
        beside: tuple[Root, ...] = (),
    ) -> None:
        self._chain, self._job, self._tools, self._beside = chain, job, tools, beside
        self._ring, self._folders = ring, folders
        self._unsigned_writers = job.unsigned_writers(chain.account_id, chain.region)

    def find(self, listing: LogListing, digests: DigestSpan, window: TimeWindow) -> UnnamedLogs:
        """Counts and findings about the log files of `window` that no digest of the span names."""
        every = [self._unnamed(listed) for listed in listing.left]
        later = [log for log in every if log.named_for is not None and log.named_for > window.end]
        left = [log for log in every if log.named_for is None or window.holds(log.named_for)]
        result = self._find(left, digests) if left else UnnamedLogs()
        result.open += [log.listed.location for log in later]
        return result

    def _find(self, left: list[Unnamed], digests: DigestSpan) -> UnnamedLogs:
        own = self._own(left, digests)
        others = self._others(left)
        known = _named_of({log.listed.location for log in left}, (*own, *others))
        believed = [span for span in others if span.authentic]
        digests_read = vouchers(
            _entries(own),
            _entries(others),
            [_newest(own), *(span.newest for span in believed)],
        )
        return self._judge([log for log in left if log.listed.location not in known], digests_read)

    def _unnamed(self, listed: Listed) -> Unnamed:
        chain = self._chain
        roots = (chain.root, *self._beside)
        return unnamed(listed, roots, chain.account_id, chain.region)

    def _own(self, left: list[Unnamed], digests: DigestSpan) -> list[DigestSpan]:
        """This trail's digests over every time that matters, the span's own first."""
        beyond = [piece for times in _times(left) for piece in subtract(times, [digests.span])]
        return [digests, *(self._read(self._chain, piece, self._beside) for piece in beyond)]

    def _others(self, left: list[Unnamed]) -> list[DigestSpan]:
        """Other trails' digests over the same times, as far as the listings show such trails."""
        others = {
            replace(name.chain, kind=ChainKind.STANDARD)
            for name, _ in self._folders.shelf.digests.values()
        }
        others = {
            chain
            for chain in others
            if (chain.trail_name, chain.home_region)
            != (self._chain.trail_name, self._chain.home_region)
        }
        return [self._read(chain, times) for chain in sorted(others) for times in _times(left)]

    def _read(self, chain: ChainId, times: TimeWindow, beside: tuple[Root, ...] = ()) -> DigestSpan:
        reader = DigestReader(
            chain,
            times,
            beside=beside,
            job=self._job,
            tools=self._tools,
            ring=self._ring,
            folders=self._folders,
            reach=DAY,
        )
        return reader.read()

    def _judge(self, left: list[Unnamed], digests_read: Vouchers) -> UnnamedLogs:
        result = UnnamedLogs()
        excused: list[Unnamed] = []
        for log in left:
            claim = judge_unnamed(log, digests_read, self._tools.now)
            if claim is Claim.PENDING:
                result.pending += 1
                result.open.append(log.listed.location)
            elif claim is Claim.UNATTESTED:
                result.unattested += 1
                if not self._unsigned_writers:
                    result.earliest = min(log.time, result.earliest or log.time)
            elif self._unsigned_writers:
                result.unattested += 1
                excused.append(log)
            else:
                result.unreferenced += 1
                result.findings.append(self._found(log))
        if excused:
            result.findings.append(self._note(excused))
        return result

    def _found(self, log: Unnamed) -> Finding:
        return find(
            Reason.LOG_UNREFERENCED,
            self._place,
            _hour_around(log),
            s3_uri=log.listed.location.uri,
            last_modified=log.listed.last_modified,
        )

    def _note(self, logs: list[Unnamed]) -> Finding:
        """AWS documents several trails in one bucket; what one without validation writes, nobody
        signs.
        """
        first, last = logs[0].listed.location.uri, logs[-1].listed.location.uri
        trails = ", ".join(trail.arn for trail in self._unsigned_writers)
        finding = find(
            Reason.LOG_UNREFERENCED,
            self._place,
            TimeWindow(min(log.time for log in logs) - HOUR, max(log.time for log in logs)),
            outcome=Outcome.VALID,
            detail=f"{len(logs)} log files; {trails} writes here too, with validation off",
            next_step="switch log file validation on for that trail",
        )
        return replace(finding, count=len(logs), first=first, last=last)

    @property
    def _place(self) -> Place:
        return Place(self._chain.account_id, self._chain.region)


def _times(left: list[Unnamed]) -> list[TimeWindow]:
    """Spans of digest ends: a digest over a time ends within an hour after it."""
    return merge(
        TimeWindow(window.start, window.end + HOUR) for log in left for window in log.windows()
    )


def _entries(spans: Iterable[DigestSpan]) -> list[Entry]:
    entries: dict[S3Location, Entry] = {}
    for span in spans:
        for entry in span.entries:
            known = entries.get(entry.location)
            if known is None or not known.is_authentic:
                entries[entry.location] = entry
    return list(entries.values())


def _newest(spans: Iterable[DigestSpan]) -> datetime | None:
    return max((span.newest for span in spans if span.newest is not None), default=None)


def _named_of(asked: set[S3Location], spans: Iterable[DigestSpan]) -> set[S3Location]:
    """Those of the asked log files that an authentic digest of these spans names."""
    return {
        ref.location
        for span in spans
        for signed in span.authentic.values()
        for ref in signed.digest.log_files
        if ref.location in asked
    }


def _hour_around(log: Unnamed) -> TimeWindow:
    start = log.time.replace(minute=0, second=0, microsecond=0)
    return TimeWindow(start, start + HOUR)
