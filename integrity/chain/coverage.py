"""Which time of a chain nobody vouches for, and why: gaps, a rewound or stale head, no digests at
all.

1. The head is rewound where AWS says that it delivered a later digest than there is, or where an
   earlier verification knows one that is gone (`recall`).
2. A chain that is expected and has no digest in the window has `no_digests`.
3. Time between digests that none accounts for is a `chain_gap`; so is the time before the first
   one, unless the chain demonstrably began there.
4. The head is stale where its newest digest ends before what is due.
5. A chain that a person says has ended owes no more; nor one of which AWS says so, or a verified
   event that its digests reach, where no log file was delivered since.
6. What the bucket's lifecycle has removed is neither a gap nor a head that was rewound.

Time is judged once: what a missing or broken digest accounts for is that digest's own finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from integrity.chain.acts import NO_ACTS, Acts, TrailAct, reaches
from integrity.chain.findings import Finding, Place, Reason, find
from integrity.chain.link import Entry, clip, covered, in_order, merge, subtract
from integrity.chain.model import ChainId, TimeWindow
from integrity.chain.population import Expectation
from integrity.chain.retention import Expiry
from integrity.chain.times import HOUR, format_instant


class Situation(Struct, frozen=True, kw_only=True):
    """Everything that is known of a standard chain beside its links.

    `entries` are the digests of the window in order, `neighbours` the nearest ones outside.
    `newest` is the end of the newest digest in the bucket. `first_unattested` is the earliest log
    file that no digest could vouch for. `complete` is False where a folder could not be listed:
    then absence means nothing. `expected` is what was known before anything was read; `expiry` what
    the bucket's lifecycle does to the chain's digests, where that had to be asked. `acts` are those
    on the trail that verified events record, `ending` the one that ended its chains like this;
    `rewound` is what contradicts an earlier verification.
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
    expected: Expectation
    expiry: Expiry | None = None
    acts: Acts = NO_ACTS
    ending: TrailAct | None = None
    rewound: Finding | None = None

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
        status = self.expected.status
        return status.latest_digest_delivery if status is not None else None


class Coverage(Struct, frozen=True, kw_only=True):
    """A chain's time, judged.

    `is_new`: it began in the window, at `begins`. `is_ended`: somebody says that it ended, where
    its newest digest does, at `ended_at`; `ended_by` an event where nobody else does. `asks`: what
    verified events say of the trail may matter.
    """

    covered: tuple[TimeWindow, ...] = ()
    gaps: tuple[TimeWindow, ...] = ()
    stale: tuple[TimeWindow, ...] = ()
    is_new: bool = False
    begins: datetime | None = None
    is_ended: bool = False
    ended_at: datetime | None = None
    ended_by: TrailAct | None = None
    asks: bool = False
    findings: tuple[Finding, ...] = field(default_factory=tuple)


def judge_coverage(chain: Situation) -> Coverage | None:
    """The time of a chain, or None where no chain of the trail is to be expected."""
    if not chain.entries and not _is_expected(chain):
        return None
    window = chain.window
    vouched = tuple(clip(covered([*chain.entries, *chain.neighbours]), window))
    if not chain.complete:
        # What S3 says is not there is not there, whatever else it would not say.
        known_better = () if chain.rewound is None else (chain.rewound,)
        return Coverage(covered=vouched, findings=known_better)
    known = in_order([*chain.entries, *chain.neighbours])
    rewound = chain.rewound or _rewound(chain)
    if not chain.entries or not any(entry.is_there for entry in known):
        return _without_digests(chain, rewound)
    begin, head = _begin(known), max(entry.window.end for entry in known if entry.is_there)
    open_time = subtract(window, merge(entry.window for entry in known if _accounts(entry)))
    before = _clip(open_time, window.start, begin)
    between = _clip(open_time, begin, head)
    after = _clip(open_time, head, chain.due)
    starts = known[0].is_authentic and known[0].previous is None
    is_new = starts and bool(before) and not _was_on_before(chain, known[0], begin)
    expired, before = _parted(chain, [] if is_new else before)
    gaps = [*before, *between]
    findings = [*(_expired(chain, time) for time in expired), *(_gap(chain, gap) for gap in gaps)]
    is_ended = bool(after) and _has_ended(chain, head)
    is_stale = bool(after) and rewound is None and not is_ended
    if rewound is not None:
        findings.append(rewound)
    elif is_stale:
        findings.append(_stale(chain, head))
    return Coverage(
        covered=vouched,
        gaps=tuple(gaps),
        stale=(*expired, *(() if is_ended else after)),
        is_new=is_new,
        begins=begin if is_new else None,
        is_ended=is_ended,
        ended_at=head if is_ended else None,
        ended_by=_ended_by(chain) if is_ended else None,
        asks=is_stale,
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


def _parted(
    chain: Situation, before: Sequence[TimeWindow]
) -> tuple[list[TimeWindow], list[TimeWindow]]:
    """Time without digests before the first that is left: what the lifecycle took, and gaps."""
    since = chain.expected.since
    if since is not None and chain.first_unattested is None:
        before = _clip(before, max(since, chain.window.start), chain.window.end)
    if chain.expiry is None:
        return [], list(before)
    split = chain.expiry.before
    return _clip(before, chain.window.start, split), _clip(before, split, chain.window.end)


def _was_on_before(chain: Situation, first: Entry, begin: datetime) -> bool:
    """Whether the trail demonstrably logged before the first digest that is left of it."""
    if chain.first_unattested is not None and chain.first_unattested < begin:
        return True
    if chain.expected.known_since is not None and chain.expected.known_since < begin:
        return True
    if chain.expected.at_latest is not None and chain.expected.at_latest < first.window.end:
        return True
    status = chain.expected.status
    if status is None:
        return False
    return status.stopped is not None or (
        status.started is not None and status.started < first.window.end - HOUR
    )


def _is_expected(chain: Situation) -> bool:
    """A chain without a digest in the window: was there one, or should there be?"""
    older = [entry for entry in chain.neighbours if entry.window.end < chain.window.start]
    newer = [entry for entry in chain.neighbours if entry.window.end > chain.window.end]
    if older or chain.expected.is_due or not chain.complete or _was_known(chain):
        return True
    if chain.expected.by_logs and chain.has_logs:
        return True
    if newer:
        starts = newer[0].is_authentic and newer[0].previous is None
        return not starts or _was_on_before(chain, newer[0], chain.window.end)
    return chain.delivered is not None


def _was_known(chain: Situation) -> bool:
    """Whether an earlier verification saw a digest that does not lie after the window."""
    since = chain.expected.known_since
    return chain.rewound is not None or (since is not None and since <= chain.window.end)


def _has_ended(chain: Situation, head: datetime) -> bool:
    """A person's word is enough. AWS knows an account's state, not since when it has it: log files
    that came after the newest digest contradict it.
    """
    if chain.expected.is_ignored:
        return True
    late = chain.first_unattested is not None and chain.first_unattested >= head
    return bool(chain.expected.gone or _ended_by(chain)) and not late


def _ended_by(chain: Situation) -> TrailAct | None:
    """The verified act that ended the chain, where no person and no service says that it ended."""
    if chain.ending is None or chain.expected.is_ignored or chain.expected.gone:
        return None
    known = [*chain.entries, *chain.neighbours]
    return chain.ending if reaches(chain.ending, known) else None


def _rewound(chain: Situation) -> Finding | None:
    """LatestDigestDeliveryTime is a time of delivery: a digest's end lies an hour and a delay
    before it.
    """
    if chain.delivered is None or chain.redelivered:
        return None
    if chain.newest is not None and chain.newest >= chain.delivered - HOUR - chain.grace:
        return None
    if chain.expiry is not None and chain.delivered < chain.expiry.before:
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
    older = [e.window.end for e in chain.neighbours if e.window.end < chain.window.start]
    act = _ended_by(chain)
    says_so = (chain.expected.gone or act) and older and not chain.has_logs
    if chain.expected.is_ignored or says_so:
        return Coverage(is_ended=True, ended_at=max(older, default=None), ended_by=act)
    if chain.expiry is not None and chain.window.end <= chain.expiry.before:
        return Coverage(stale=tuple(missing), findings=(_expired(chain, chain.window),))
    detail = "none is due yet: a digest comes about 30 minutes after its hour"
    head = format_instant(max(older)) if older else None
    if missing:
        newest = f"newest digest ends {head}" if head else ""
        logs = "log files were delivered" if chain.has_logs else ""
        detail = _unsettled(chain, newest, logs)
    finding = find(Reason.NO_DIGESTS, chain.place, chain.window, actual=head, detail=detail)
    return Coverage(stale=tuple(missing), findings=(finding,), asks=True)


def _unsettled(chain: Situation, *seen: str) -> str:
    """Where a chain ends, somebody has to say whether it was ended."""
    told = chain.expected
    unread = chain.acts.unread and (
        f"{chain.acts.unread} log files or events of the trail's home region could not be searched "
        "for what ended it"
    )
    return "; ".join(part for part in (*seen, told.why, told.gone, unread, told.settles) if part)


def _gap(chain: Situation, gap: TimeWindow) -> Finding:
    return find(Reason.CHAIN_GAP, chain.place, gap)


def _expired(chain: Situation, time: TimeWindow) -> Finding:
    detail = chain.expiry.detail if chain.expiry is not None else ""
    return find(Reason.OBJECT_EXPIRED, chain.place, time, detail=detail)


def _stale(chain: Situation, head: datetime) -> Finding:
    window = TimeWindow(max(head, chain.window.start), chain.due)
    status = chain.expected.status
    detail = _unsettled(chain, f"newest digest ends {format_instant(head)}")
    if status is not None and status.latest_digest_error:
        detail += f"; AWS reports the delivery error {status.latest_digest_error}"
    return find(Reason.HEAD_STALE, chain.place, window, actual=format_instant(head), detail=detail)
