"""Which time of a chain nobody vouches for, and why: gaps, a rewound or stale head, no digests at
all.

1. The head is rewound where AWS says that it delivered a later digest than there is.
2. A chain that is expected and has no digest in the window has `no_digests`.
3. Time between digests that none accounts for is a `chain_gap`; so is the time before the first
   one, unless the chain demonstrably began there.
4. The head is stale where its newest digest ends before what is due.

Time is judged once: what a missing or broken digest accounts for is that digest's own finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from integrity.chain.findings import Finding, Place, Reason, find
from integrity.chain.link import Entry, clip, covered, in_order, merge, subtract
from integrity.chain.model import ChainId, TimeWindow, TrailStatus
from integrity.chain.times import HOUR, format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that is known of a standard chain beside its links.

    `entries` are the digests of the window in order, `neighbours` the nearest ones outside.
    `newest` is the end of the newest digest in the bucket. `first_unattested` is the earliest log
    file that no digest could vouch for. `complete` is False where a folder could not be listed:
    then absence means nothing. `is_named` marks the trail's home region in its own account, and
    what the command line names.
    """

    chain: ChainId
    window: TimeWindow
    now: datetime
    grace: timedelta
    entries: Sequence[Entry]
    neighbours: Sequence[Entry]
    newest: datetime | None
    redelivered: bool
    first_unattested: datetime | None
    has_logs: bool
    complete: bool
    is_named: bool
    is_multi_region: bool
    is_ignored: bool
    status: TrailStatus | None

    @property
    def place(self) -> Place:
        return Place(self.chain.account_id, self.chain.region)

    @property
    def due(self) -> datetime:
        """Until when there should be digests. In a past window there is no grace."""
        return min(self.window.end, self.now - HOUR - self.grace)

    @property
    def delivered(self) -> datetime | None:
        """When AWS delivered the latest digest, so it says."""
        return self.status.latest_digest_delivery if self.status is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """A chain's time, judged.

    `is_new`: it began in the window. `is_ended`: a person says it ended.
    """

    covered: tuple[TimeWindow, ...] = ()
    gaps: tuple[TimeWindow, ...] = ()
    stale: tuple[TimeWindow, ...] = ()
    is_new: bool = False
    is_ended: bool = False
    findings: tuple[Finding, ...] = field(default_factory=tuple)


def judge_coverage(chain: Situation) -> Coverage | None:
    """The time of a chain, or None where no chain of the trail is to be expected."""
    if not chain.entries and not _is_expected(chain):
        return None
    window = chain.window
    vouched = tuple(clip(covered([*chain.entries, *chain.neighbours]), window))
    if not chain.complete:
        return Coverage(covered=vouched)
    known = in_order([*chain.entries, *chain.neighbours])
    rewound = _rewound(chain)
    if not chain.entries:
        return _without_digests(chain, rewound)
    begin, head = _begin(known), max(entry.window.end for entry in known if entry.is_there)
    open_time = subtract(window, merge(entry.window for entry in known if _accounts(entry)))
    before = _clip(open_time, window.start, begin)
    between = _clip(open_time, begin, head)
    after = _clip(open_time, head, chain.due)
    starts = known[0].is_authentic and known[0].previous is None
    is_new = starts and bool(before) and not _was_on_before(chain, known[0], begin)
    gaps = between if is_new else [*before, *between]
    findings = [_gap(chain, gap) for gap in gaps]
    is_ended = chain.is_ignored and bool(after)
    if rewound is not None:
        findings.append(rewound)
    elif after and not is_ended:
        findings.append(_stale(chain, head))
    return Coverage(
        covered=vouched,
        gaps=tuple(gaps),
        stale=() if is_ended else tuple(after),
        is_new=is_new,
        is_ended=is_ended,
        findings=tuple(findings),
    )


def _accounts(entry: Entry) -> bool:
    """Whether its hour is somebody's finding or nobody's worry: all but empty beginnings."""
    return entry.covers or not entry.is_authentic


def _clip(windows: Sequence[TimeWindow], start: datetime, end: datetime) -> list[TimeWindow]:
    return clip(windows, TimeWindow(start, end)) if start < end else []


def _begin(known: Sequence[Entry]) -> datetime:
    """Since when the chain accounts for time. A chain begins where its starting digest ends."""
    return min(
        (entry.window.start for entry in known if _accounts(entry)), default=known[0].window.end
    )


def _was_on_before(chain: Situation, first: Entry, begin: datetime) -> bool:
    """Whether the trail demonstrably logged before the first digest that is left of it."""
    if chain.first_unattested is not None and chain.first_unattested < begin:
        return True
    if chain.status is None:
        return False
    started = chain.status.started
    return chain.status.stopped is not None or (
        started is not None and started < first.window.end - HOUR
    )


def _is_expected(chain: Situation) -> bool:
    """A chain without a digest in the window: was there one, or should there be?"""
    older = [entry for entry in chain.neighbours if entry.window.end < chain.window.start]
    newer = [entry for entry in chain.neighbours if entry.window.end > chain.window.end]
    if older or chain.is_named or not chain.complete:
        return True
    if chain.is_multi_region and chain.has_logs:
        return True
    if newer:
        return newer[0].previous is not None
    return chain.delivered is not None


def _rewound(chain: Situation) -> Finding | None:
    """LatestDigestDeliveryTime is a time of delivery: a digest's end lies an hour and a delay
    before it.
    """
    if chain.delivered is None or chain.redelivered:
        return None
    if chain.newest is not None and chain.newest >= chain.delivered - HOUR - chain.grace:
        return None
    start = chain.newest or chain.window.start
    window = TimeWindow(min(start, chain.delivered), chain.delivered)
    newest = format_instant(chain.newest) if chain.newest is not None else "none"
    return find(
        Reason.HEAD_REWOUND,
        chain.place,
        window,
        expected=format_instant(chain.delivered),
        actual=newest,
        detail=f"latest delivery {format_instant(chain.delivered)}, newest here {newest}",
    )


def _without_digests(chain: Situation, rewound: Finding | None) -> Coverage:
    missing = _clip([chain.window], chain.window.start, chain.due)
    if rewound is not None:
        return Coverage(stale=tuple(missing), findings=(rewound,))
    if chain.is_ignored:
        return Coverage(is_ended=True)
    detail = "" if missing else "none is due yet: a digest comes about 30 minutes after its hour"
    finding = find(Reason.NO_DIGESTS, chain.place, chain.window, detail=detail)
    return Coverage(stale=tuple(missing), findings=(finding,))


def _gap(chain: Situation, gap: TimeWindow) -> Finding:
    return find(Reason.CHAIN_GAP, chain.place, gap)


def _stale(chain: Situation, head: datetime) -> Finding:
    window = TimeWindow(max(head, chain.window.start), chain.due)
    error = chain.status.latest_digest_error if chain.status is not None else ""
    detail = f"newest digest ends {format_instant(head)}"
    if error:
        detail += f"; AWS reports the delivery error {error}"
    return find(Reason.HEAD_STALE, chain.place, window, detail=detail)
