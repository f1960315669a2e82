"""Segment results to the record: links, coverage, the head, the counts. Pure, in order, no I/O.

The same results give the same record, whatever engine made them and in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrity.chain.acts import NO_ACTS, Acts, TrailAct
from integrity.chain.coverage import Coverage, Situation, judge_coverage
from integrity.chain.findings import Finding, Outcome, worst
from integrity.chain.fold import fold
from integrity.chain.link import Entry, Standing, check_links, hour_letters, in_order
from integrity.chain.model import ChainKind, PublicKey, S3Location
from integrity.chain.population import Expectation
from integrity.record import (
    ChainResult,
    ChainState,
    DigestCounts,
    EventRecord,
    Head,
    LogCounts,
    SegmentResult,
)
from integrity.verify.job import Job


@dataclass(frozen=True, slots=True)
class JoinedChain:
    """A standard chain, its backfill chain where it has digests, and what was found.

    `keys` signed it; `newest` is the end of the newest digest that was seen of it. `asks`: verified
    events of the trail may say more of it.
    """

    results: tuple[ChainResult, ...]
    findings: tuple[Finding, ...]
    keys: tuple[PublicKey, ...]
    newest: datetime | None
    asks: bool = False


def join_chain(
    segments: Sequence[SegmentResult],
    job: Job,
    now: datetime,
    expected: Expectation,
    *,
    acts: Acts = NO_ACTS,
    ending: TrailAct | None = None,
) -> JoinedChain | None:
    """The judgement of one account's region. None where no chain of the trail is expected in it.

    `acts` on the trail, and the one `ending` that ended the chain, stand in verified log files.
    """
    ordered = sorted(segments, key=lambda segment: segment.span)
    return _Join(ordered, job, now, expected, acts, ending).join()


class _Join:
    def __init__(
        self,
        segments: list[SegmentResult],
        job: Job,
        now: datetime,
        expected: Expectation,
        acts: Acts,
        ending: TrailAct | None,
    ) -> None:
        self._segments, self._job = segments, job
        self._now, self._expected = now, expected
        self._acts, self._ending = acts, ending
        self._chain = segments[0].chain
        entries = {entry.location: entry for segment in segments for entry in segment.entries}
        self._entries = in_order(entries.values())
        self._neighbours = in_order(
            entry
            for segment in segments
            for entry in segment.neighbours
            if entry.location not in entries
        )
        self._uris = {location.uri: location for location in entries}

    def join(self) -> JoinedChain | None:
        coverage = judge_coverage(self._situation())
        if coverage is None:
            return None
        found = [finding for segment in self._segments for finding in segment.findings]
        links = check_links([*self._entries, *self._neighbours])
        found += [finding for finding in links if finding.s3_uri in self._uris]
        found += coverage.findings
        found.sort(key=lambda finding: (finding.window, finding.s3_uri or ""))
        results = [self._standard(coverage, found)]
        if self._of_kind(ChainKind.BACKFILL):
            results.append(self._backfill(found))
        folded = fold(found, most=self._job.limits.max_findings_per_reason)
        return JoinedChain(
            results=tuple(results),
            findings=tuple(folded),
            keys=tuple(dict.fromkeys(key for segment in self._segments for key in segment.keys)),
            newest=self._newest(),
            asks=coverage.asks,
        )

    def _newest(self) -> datetime | None:
        ends = [segment.newest for segment in self._segments if segment.newest is not None]
        return max(ends, default=None)

    def _situation(self) -> Situation:
        job, chain, segments = self._job, self._chain, self._segments
        unattested = [s.first_unattested for s in segments if s.first_unattested is not None]
        return Situation(
            chain=chain,
            window=job.window,
            now=self._now,
            grace=job.grace,
            entries=self._of_kind(ChainKind.STANDARD),
            neighbours=[e for e in self._neighbours if e.chain.kind is ChainKind.STANDARD],
            newest=self._newest(),
            redelivered=any(segment.redelivered for segment in segments),
            first_unattested=min(unattested, default=None),
            has_logs=any(segment.has_logs for segment in segments),
            complete=all(segment.complete for segment in segments),
            expected=self._expected,
            expiry=segments[0].expiry,
            acts=self._acts,
            ending=self._ending,
        )

    def _of_kind(self, kind: ChainKind) -> list[Entry]:
        return [entry for entry in self._entries if entry.chain.kind is kind]

    def _standard(self, coverage: Coverage, found: Sequence[Finding]) -> ChainResult:
        entries = self._of_kind(ChainKind.STANDARD)
        backfill = {entry.location.uri for entry in self._of_kind(ChainKind.BACKFILL)}
        own = [finding for finding in found if finding.s3_uri not in backfill]
        outcomes = self._outcomes(own)
        state = ChainState.OPEN
        if coverage.is_ended:
            state = ChainState.ENDED
        elif coverage.is_new:
            state = ChainState.NEW
        return ChainResult(
            account_id=self._chain.account_id,
            region=self._chain.region,
            kind=ChainKind.STANDARD,
            root=self._chain.root.uri,
            state=state,
            ended_at=coverage.ended_at,
            ended_by=_event(coverage.ended_by),
            outcome=worst([Outcome.VALID, *(finding.outcome for finding in own)]),
            covered=coverage.covered,
            hours=hour_letters(
                self._job.window, entries, outcomes, gaps=coverage.gaps, stale=coverage.stale
            ),
            head=_head(entries),
            digest_files=_digest_counts(entries, outcomes),
            log_files=self._log_counts(entries),
        )

    def _backfill(self, found: Sequence[Finding]) -> ChainResult:
        entries = self._of_kind(ChainKind.BACKFILL)
        uris = {entry.location.uri for entry in entries}
        own = [finding for finding in found if finding.s3_uri in uris]
        outcomes = self._outcomes(own)
        logs = _named_logs(entries)
        of_logs = [Outcome.INVALID] * bool(logs.invalid) + [Outcome.UNDETERMINED] * bool(
            logs.undetermined
        )
        return ChainResult(
            account_id=self._chain.account_id,
            region=self._chain.region,
            kind=ChainKind.BACKFILL,
            root=self._chain.root.uri,
            state=ChainState.OPEN,
            outcome=worst([Outcome.VALID, *(finding.outcome for finding in own), *of_logs]),
            covered=(),
            hours="",
            head=_head(entries),
            digest_files=_digest_counts(entries, outcomes),
            log_files=logs,
        )

    def _outcomes(self, found: Iterable[Finding]) -> dict[S3Location, Outcome]:
        """Of each digest that a finding speaks of, the worst that is said of it."""
        outcomes: dict[S3Location, Outcome] = {}
        for finding in found:
            location = self._uris.get(finding.s3_uri or "")
            if location is not None:
                so_far = outcomes.get(location, Outcome.VALID)
                outcomes[location] = worst([so_far, finding.outcome])
        return outcomes

    def _log_counts(self, entries: Sequence[Entry]) -> LogCounts:
        total = _named_logs(entries)
        for segment in self._segments:
            total += LogCounts(
                unattested=segment.unattested,
                unreferenced=segment.unreferenced,
                pending=segment.pending,
            )
        return total


def _event(act: TrailAct | None) -> EventRecord | None:
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


def _named_logs(entries: Iterable[Entry]) -> LogCounts:
    counts = LogCounts()
    for entry in entries:
        counts += LogCounts(entry.logs.valid, entry.logs.invalid, entry.logs.undetermined)
    return counts


_INVALID = (Standing.MISSING, Standing.BROKEN)


def _digest_counts(entries: Iterable[Entry], outcomes: dict[S3Location, Outcome]) -> DigestCounts:
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


def _head(entries: Sequence[Entry]) -> Head | None:
    for entry in reversed(entries):
        if entry.is_authentic:
            return Head(entry.location.uri, entry.window.end, entry.sha256, entry.signature)
    return None
