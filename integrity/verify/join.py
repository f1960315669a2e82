"""Segment results to the record: links, coverage, the head, the counts. Pure, in order, no I/O.

The same results give the same record, whatever engine made them and in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from integrity.chain.acts import NO_ACTS, Acts, TrailAct
from integrity.chain.coverage import Coverage, Situation, judge_coverage
from integrity.chain.findings import Finding, Outcome, Reason, worst
from integrity.chain.fold import fold
from integrity.chain.known import KnownChain, Seen, advance
from integrity.chain.link import Entry, Standing, check_links, hour_letters, in_order
from integrity.chain.model import ChainKind, PublicKey, S3Location, TimeWindow
from integrity.chain.population import Expectation
from integrity.chain.recall import Contradiction, check_known
from integrity.chain.replica import tell_replica
from integrity.record import ChainResult, ChainState, SegmentResult
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.tally import (
    all_logs,
    digest_counts,
    event_record,
    head_of,
    is_proven,
    named_logs,
    outcomes_of,
    unread_hours,
)


class JoinedChain(Struct, frozen=True):
    """A standard chain, its backfill chain where it has digests, and what was found.

    `keys` signed it; `newest` is the end of the newest digest that was seen of it; `is_there`
    whether any was in the window. `asks`: verified events of the trail may say more of it. `known`
    is what the next verification is to know, in place of what `was_known`.
    """

    results: tuple[ChainResult, ...]
    findings: tuple[Finding, ...]
    keys: tuple[PublicKey, ...]
    newest: datetime | None
    is_there: bool
    asks: bool = False
    stored_bytes: int = 0
    was_known: tuple[KnownChain, ...] = ()
    known: tuple[KnownChain, ...] = ()


def join_chain(
    segments: Sequence[SegmentResult],
    job: Job,
    now: datetime,
    expected: Expectation,
    known: Sequence[KnownChain] = (),
    *,
    acts: Acts = NO_ACTS,
    ending: TrailAct | None = None,
) -> JoinedChain | None:
    """The judgement of one account's region. None where no chain of the trail is expected in it.

    `known` is what earlier verifications know of its standard and its backfill chain. `acts` on the
    trail, and the one `ending` that ended the chain, stand in verified log files.
    """
    ordered = sorted(segments, key=lambda segment: segment.span)
    return _Join(ordered, job, now, expected, known, acts, ending).join()


class _Join:
    def __init__(
        self,
        segments: list[SegmentResult],
        job: Job,
        now: datetime,
        expected: Expectation,
        known: Sequence[KnownChain],
        acts: Acts,
        ending: TrailAct | None,
    ) -> None:
        self._segments, self._job = segments, job
        self._now, self._expected = now, expected
        self._acts, self._ending = acts, ending
        self._chain, self._unchanged = segments[0].chain, segments[0].unchanged
        entries = {entry.location: entry for segment in segments for entry in segment.entries}
        self._entries = in_order(entries.values())
        self._neighbours = in_order(
            entry
            for segment in segments
            for entry in segment.neighbours
            if entry.location not in entries
        )
        self._uris = {location.uri: location for location in entries}
        self._known = {one.chain.kind: one for one in known}
        remembered = [entry for segment in segments for entry in segment.remembered]
        judged = [e for e in self._neighbours if e.standing is not Standing.UNJUDGED]
        # What was looked up is told last: it may be better known than a neighbour.
        everything = (*judged, *self._entries, *remembered)
        self._seen = {entry.location: entry for entry in everything}
        self._contradictions = self._contradicted()
        self._before = [entry for entry in self._neighbours if self._ends_unchanged(entry)]

    def _ends_unchanged(self, entry: Entry) -> bool:
        """Whether it is the digest up to which nothing was read again: it was, for the link."""
        ends = self._unchanged is not None and entry.window.end == self._unchanged.end
        return ends and entry.chain.kind is ChainKind.STANDARD

    @property
    def _window(self) -> TimeWindow:
        """The time that this run has to answer for by itself."""
        window = self._job.window
        return window if self._unchanged is None else replace(window, start=self._unchanged.end)

    def join(self) -> JoinedChain | None:
        coverage = judge_coverage(self._situation())
        if coverage is None:
            return None
        found = self._found(coverage)
        outcomes = self._outcomes(found)
        results = [self._standard(coverage, found, outcomes)]
        if self._of_kind(ChainKind.BACKFILL):
            results.append(self._backfill(found, outcomes))
        told = tell_replica(found, self._entries)
        folded = fold(told, most=self._job.limits.max_findings_per_reason)
        return JoinedChain(
            results=tuple(results),
            findings=tuple(folded),
            keys=tuple(dict.fromkeys(key for segment in self._segments for key in segment.keys)),
            newest=self._newest(),
            asks=coverage.asks,
            is_there=any(entry.is_there for entry in (*self._before, *self._entries)),
            stored_bytes=sum(segment.stored_bytes for segment in self._segments),
            was_known=tuple(self._known.values()),
            known=tuple(self._advanced(coverage, outcomes, is_clean=not found)),
        )

    def _contradicted(self) -> dict[ChainKind, Contradiction]:
        """What contradicts an earlier verification, where anybody wants to know."""
        if self._job.accepting:
            return {}
        checked = {kind: check_known(one, self._seen) for kind, one in self._known.items()}
        return {kind: one for kind, one in checked.items() if one is not None}

    def _found(self, coverage: Coverage) -> list[Finding]:
        """All findings in order. That a head is gone is told once, as the chain's own."""
        gone = {place.uri for one in self._contradictions.values() for place in one.gone}
        found = [
            finding
            for segment in self._segments
            for finding in segment.findings
            if finding.reason is not Reason.DIGEST_MISSING or finding.s3_uri not in gone
        ]
        links = check_links([*self._entries, *self._neighbours])
        found += [finding for finding in links if finding.s3_uri in self._uris]
        found += coverage.findings
        late = self._contradictions.get(ChainKind.BACKFILL)
        found += [] if late is None else [late.finding]
        return sorted(found, key=lambda finding: (finding.window, finding.s3_uri or ""))

    def _advanced(
        self,
        coverage: Coverage,
        outcomes: Mapping[S3Location, Outcome],
        *,
        is_clean: bool,
    ) -> Iterator[KnownChain]:
        complete = all(segment.complete for segment in self._segments)
        for kind in ChainKind:
            is_standard = kind is ChainKind.STANDARD
            advanced = advance(
                self._known.get(kind),
                Seen(
                    chain=replace(self._chain, kind=kind),
                    window=self._job.window,
                    entries={p: e for p, e in self._seen.items() if e.chain.kind is kind},
                    proven=[e.window for e in self._of_kind(kind) if is_proven(e, outcomes)],
                    complete=complete,
                    begins=coverage.begins,
                    hours=self._segments[-1].hours if is_clean and is_standard else None,
                ),
                self._now,
                grace=self._job.redelivery_grace,
                limits=self._job.limits,
            )
            if advanced is not None:
                yield advanced

    def _newest(self) -> datetime | None:
        ends = [segment.newest for segment in self._segments if segment.newest is not None]
        return max(ends, default=None)

    def _situation(self) -> Situation:
        job, chain, segments = self._job, self._chain, self._segments
        rewound = self._contradictions.get(ChainKind.STANDARD)
        unattested = [s.first_unattested for s in segments if s.first_unattested is not None]
        return Situation(
            chain=chain,
            window=self._window,
            now=self._now,
            grace=job.grace,
            entries=[*self._before, *self._of_kind(ChainKind.STANDARD)],
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
            rewound=rewound.finding if rewound is not None else None,
        )

    def _of_kind(self, kind: ChainKind) -> list[Entry]:
        return [entry for entry in self._entries if entry.chain.kind is kind]

    def _standard(
        self, coverage: Coverage, found: Sequence[Finding], outcomes: dict[S3Location, Outcome]
    ) -> ChainResult:
        entries, unchanged = self._of_kind(ChainKind.STANDARD), self._unchanged
        every = (*self._entries, *self._seen.values())
        backfill = {e.location.uri for e in every if e.chain.kind is ChainKind.BACKFILL}
        own = [finding for finding in found if finding.s3_uri not in backfill]
        unread = () if self._job.log_files else outcomes_of(named_logs(entries))
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
            ended_by=event_record(coverage.ended_by),
            outcome=worst([Outcome.VALID, *(finding.outcome for finding in own), *unread]),
            covered=coverage.covered,
            hours=hour_letters(
                self._job.window,
                entries,
                outcomes,
                gaps=coverage.gaps,
                stale=coverage.stale,
                unchanged=[] if unchanged is None else [unchanged.window],
            ),
            head=head_of([*self._before, *entries]),
            digest_files=digest_counts(entries, outcomes),
            log_files=all_logs(entries, self._segments),
            unchanged=None if unchanged is None else unread_hours(unchanged),
        )

    def _backfill(
        self, found: Sequence[Finding], outcomes: dict[S3Location, Outcome]
    ) -> ChainResult:
        entries = self._of_kind(ChainKind.BACKFILL)
        uris = {entry.location.uri for entry in entries}
        own = [finding.outcome for finding in found if finding.s3_uri in uris]
        logs = named_logs(entries)
        return ChainResult(
            account_id=self._chain.account_id,
            region=self._chain.region,
            kind=ChainKind.BACKFILL,
            root=self._chain.root.uri,
            state=ChainState.OPEN,
            outcome=worst([Outcome.VALID, *own, *outcomes_of(logs)]),
            covered=(),
            hours="",
            head=head_of(entries),
            digest_files=digest_counts(entries, outcomes),
            log_files=logs,
        )

    def _outcomes(self, found: Iterable[Finding]) -> dict[S3Location, Outcome]:
        """Of each digest that a finding speaks of, the worst that is said of it."""
        outcomes: dict[S3Location, Outcome] = {
            place: Outcome.INVALID for one in self._contradictions.values() for place in one.changed
        }
        for finding in found:
            location = self._uris.get(finding.s3_uri or "")
            if location is not None:
                so_far = outcomes.get(location, Outcome.VALID)
                outcomes[location] = worst([so_far, finding.outcome])
        return outcomes
