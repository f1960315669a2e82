"""What a tick found, one trace for each thing, each in its family.

A finding whose outcome is `valid` is a note and leaves none. What cannot be read is told apart by
whether its neighbours can: an object rewritten after delivery that cannot be read is `hidden` where
other files of its chain and day were read validly, and only `unread` in a night in which nothing
was. What expired is retention unless it is too young for it, or its rule is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from integrity.chain.findings import Finding, Outcome, Place, Reason
from integrity.chain.model import ChainKind, TimeWindow
from integrity.chain.times import DAY, HOUR, day_of, parse_instant
from integrity.chain.trouble import REWRITTEN
from integrity.incidents.causes import NATURES, OF_REASON, Cause
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Notice, Recorded, Remark, Tick
from integrity.record import ChainResult, ChainState, Run
from integrity.state import Incident


class Trace(Struct, frozen=True, kw_only=True):
    """One thing that was found. `is_single`: an object, unreadable beside readable ones."""

    cause: Cause
    reason: str
    outcome: Outcome
    place: Place
    window: TimeWindow
    subject: str
    count: int = 1
    detail: str = ""
    finding: Finding | None = None
    is_single: bool = False
    by_main: bool = True
    record_uri: str


def find_traces(
    tick: Tick, incidents: Iterable[Incident], policy: Policy, now: datetime
) -> list[Trace]:
    """Everything that one tick found, each once, the main run's first.

    What the main run answers for at every tick is its alone to find: a look at a past window knows
    nothing of how a trail or a chain is now.
    """
    sorter = _Sorter([one for one in incidents if one.cause == Cause.EXPIRED_EARLY], policy, now)
    traces = [
        _noticed(notice, tick.main.uri) for notice in (*tick.notices, *_new_chains(tick.main))
    ]
    known: set[tuple[object, ...]] = set()
    for recorded in tick.runs:
        for finding in recorded.run.findings:
            trace = sorter.trace(finding, recorded, by_main=recorded is tick.main)
            if trace is None or (NATURES[trace.cause].by_tick and not trace.by_main):
                continue
            mark = (trace.cause, trace.reason, trace.place, trace.window, trace.subject)
            if mark not in known:
                known.add(mark)
                traces.append(trace)
    return traces


def _noticed(notice: Notice, record_uri: str) -> Trace:
    return Trace(
        cause=notice.cause,
        reason=notice.remark.value,
        outcome=notice.outcome,
        place=Place(notice.account_id, notice.region),
        window=notice.window,
        subject=notice.subject,
        detail=notice.detail,
        record_uri=record_uri,
    )


def _new_chains(main: Recorded) -> Iterator[Notice]:
    for chain in main.run.chains:
        if chain.state is ChainState.NEW:
            window = chain.covered[0] if chain.covered else main.run.requested.window
            yield Notice(
                remark=Remark.NEW_CHAIN,
                account_id=chain.account_id,
                region=chain.region,
                window=window,
                detail=f"under {chain.root}",
                subject=chain.root,
            )


class _Sorter:
    def __init__(self, early: list[Incident], policy: Policy, now: datetime) -> None:
        self._early, self._policy, self._now = early, policy, now

    def trace(self, finding: Finding, recorded: Recorded, *, by_main: bool) -> Trace | None:
        cause = OF_REASON.get(finding.reason)
        if finding.outcome is Outcome.VALID or cause is None:
            return None
        is_single = False
        if cause is Cause.UNREAD:
            beside = reads_beside(recorded.run, finding)
            cause = _unread(finding, beside=beside)
            uri = finding.s3_uri
            is_single = beside and uri is not None and not uri.endswith("/")
        elif cause is Cause.EXPIRED and self._is_early(finding):
            cause = Cause.EXPIRED_EARLY
        return Trace(
            cause=cause,
            reason=finding.reason.value,
            outcome=finding.outcome,
            place=Place(finding.account_id, finding.region),
            window=_where(finding),
            subject=finding.s3_uri or finding.first or "",
            count=finding.count,
            detail=finding.detail,
            finding=finding,
            is_single=is_single,
            by_main=by_main,
            record_uri=recorded.uri,
        )

    def _is_early(self, finding: Finding) -> bool:
        """Once too early is too early for ever: an object does not grow old by being gone."""
        if self._now - finding.window.end < timedelta(days=self._policy.retention_days):
            return True
        place = (finding.account_id, finding.region)
        if any(
            (one.account_id, one.region) == place and one.window.overlaps(finding.window)
            for one in self._early
        ):
            return True
        rules = self._policy.known_rules
        rule = finding.detail.partition(f"; {finding.count} of them")[0]
        return rules is not None and not any(rule.endswith(known) for known in rules)


def _unread(finding: Finding, *, beside: bool) -> Cause:
    uri, region = finding.s3_uri or "", re.escape(finding.region)
    if uri.endswith("/") and not re.search(rf"/CloudTrail(-Digest)?/{region}/", uri):
        return Cause.UNLISTED  # a folder above the chains': every run looks into it
    return Cause.HIDDEN if beside and REWRITTEN in finding.detail else Cause.UNREAD


def _where(finding: Finding) -> TimeWindow:
    """The hours that have to be verified for it to be found again.

    A log file that no digest names may lie in another day's folder than it is named or was written
    for; then it is found where that day is listed.
    """
    if finding.reason is not Reason.LOG_UNREFERENCED:
        return finding.window
    folders = rf"/CloudTrail/{re.escape(finding.region)}/([0-9]{{4}})/([0-9]{{2}})/([0-9]{{2}})/"
    folder = re.search(folders, finding.s3_uri or "")
    day = folder and parse_instant("-".join(folder.groups()) + "T00:00:00Z")
    if day is None or day == day_of(finding.window.start):
        return finding.window
    return TimeWindow(day, day + HOUR)


def reads_beside(run: Run, finding: Finding) -> bool:
    """Whether the run read other log files of the same chain and day validly.

    So say the hours that are proven with logs; or, of a run over nothing but that day and its
    edges, the count of valid log files. Beside a digest, valid digests say so too.
    """
    chains = [
        chain
        for chain in run.chains
        if (chain.account_id, chain.region) == (finding.account_id, finding.region)
    ]
    day = TimeWindow(day_of(finding.window.start), day_of(finding.window.start) + DAY)
    asked = run.requested.window
    is_narrow = day.start - HOUR <= asked.start and asked.end <= day.end + HOUR
    if is_narrow and any(chain.log_files.valid for chain in chains):
        return True
    proven = "PE" if "/CloudTrail-Digest/" in (finding.s3_uri or "") else "P"
    return any(_letters(chain, asked, day, proven) for chain in chains)


def _letters(chain: ChainResult, asked: TimeWindow, day: TimeWindow, proven: str) -> bool:
    if chain.kind is not ChainKind.STANDARD:
        return False
    first = day_of(asked.start) + HOUR * ((asked.start - day_of(asked.start)) // HOUR)
    return any(
        letter in proven and day.start <= first + number * HOUR < day.end
        for number, letter in enumerate(chain.hours)
    )
