"""Past days to the runs that verify them, and such a run to what is known of its days.

A run says what is wrong with what there is. That less is there than once was proven only the seals
can say: neither the last digest of a day nor a log file that no digest names is missed by the
digests that are left. What retention took is not missed. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from integrity.chain.findings import Finding, Outcome, Place, Reason, find, worst
from integrity.chain.model import ChainKind, Root, TimeWindow
from integrity.chain.names import digest_folder, log_folder
from integrity.chain.population import Pair
from integrity.chain.seal import Seal, SealedDay
from integrity.chain.times import DAY, day_folder, format_instant
from integrity.incidents.causes import NATURES, OF_REASON
from integrity.record import Run
from integrity.structs import replace
from integrity.verify.days import DayKey

_LONGEST = 31 * DAY
_GONE = (
    frozenset({Reason.DIGEST_MISSING, Reason.DIGEST_LATE}),
    frozenset({Reason.LOG_MISSING}),
)
_EXPIRED = frozenset({Reason.OBJECT_EXPIRED})


class Proof(Struct, frozen=True):
    """Regions of one account to verify over whole days, and the days that this proves."""

    account_id: str
    regions: tuple[str, ...]
    window: TimeWindow
    days: tuple[DayKey, ...]


def make_proofs(days: Collection[DayKey], now: datetime, *, wide: bool) -> list[Proof]:
    """As few runs as verify all these days and little else.

    A `wide` one goes on for another day: there lie the digests that name late log files.
    """
    regions: dict[tuple[str, datetime], list[str]] = defaultdict(list)
    for account_id, region, day in sorted(days):
        regions[account_id, day].append(region)
    proofs: list[Proof] = []
    for (account_id, day), own in sorted(regions.items()):
        last = proofs[-1] if proofs else None
        keys = tuple((account_id, region, day) for region in own)
        if (
            last is not None
            and (last.account_id, last.regions, last.window.end) == (account_id, tuple(own), day)
            and last.window.end - last.window.start < _LONGEST
        ):
            window = TimeWindow(last.window.start, day + DAY)
            proofs[-1] = replace(last, window=window, days=(*last.days, *keys))
        else:
            proofs.append(Proof(account_id, tuple(own), TimeWindow(day, day + DAY), keys))
    return [_widened(proof, now) for proof in proofs] if wide else proofs


def _widened(proof: Proof, now: datetime) -> Proof:
    window = TimeWindow(proof.window.start, max(proof.window.end, min(proof.window.end + DAY, now)))
    return replace(proof, window=window)


def proven(day: SealedDay, run: Run, key: DayKey, seal: Seal | None, now: datetime) -> SealedDay:
    """What is known of a day after a run over it, which was listed as `seal` before.

    Without a seal, a folder of it could not be listed: the run says so, and nothing is known.
    """
    outcome = _outcome(run, key)
    after = replace(day, tried=now, outcome=outcome)
    if seal is None:
        return replace(after, outcome=worst([outcome, Outcome.UNDETERMINED]))
    after = replace(after, seal=seal, proven=now)
    if outcome is Outcome.VALID and any(after.lacks):
        return replace(after, outcome=Outcome.INVALID)
    has_expired = outcome is Outcome.UNDETERMINED and _found(run, key, _EXPIRED)
    if outcome is Outcome.VALID or has_expired:
        return replace(after, digests=seal.digests, logs=seal.logs)
    return after


def unread(day: SealedDay, seal: Seal, now: datetime) -> SealedDay:
    """A day that was due and cannot be read, as it lies in an archive: its listing is held fast."""
    after = replace(day, tried=now)
    if day.seal is not None:
        return after
    return replace(after, seal=seal, digests=seal.digests, logs=seal.logs)


def add_missed(run: Run, days: Mapping[DayKey, SealedDay], roots: Mapping[Pair, Root]) -> Run:
    """A run over days of which less is left than there was, with that among its findings."""
    asked = run.requested
    findings: list[Finding] = []
    for key, day in sorted(days.items(), key=lambda item: item[0]):
        pair = key[:2]
        is_in = (asked.account_ids is None or pair[0] in asked.account_ids) and (
            asked.source_regions is None or pair[1] in asked.source_regions
        )
        if is_in and pair in roots and any(day.lacks) and asked.window.overlaps(day.window):
            findings += _missed(run, key, day, roots[pair])
    if not findings:
        return run
    places = {(finding.account_id, finding.region) for finding in findings}
    chains = tuple(
        replace(chain, outcome=Outcome.INVALID)
        if (chain.account_id, chain.region) in places and chain.kind is ChainKind.STANDARD
        else chain
        for chain in run.chains
    )
    return replace(run, chains=chains, findings=(*run.findings, *findings), outcome=Outcome.INVALID)


def _missed(run: Run, key: DayKey, day: SealedDay, root: Root) -> Iterator[Finding]:
    account_id, region, midnight = key
    folders = (digest_folder(root, account_id, region), log_folder(root, account_id, region))
    reasons = (Reason.DIGEST_MISSING, Reason.LOG_MISSING)
    were = (day.digests, day.logs)
    for reason, folder, gone, most, lack in zip(
        reasons, folders, _GONE, were, day.lacks, strict=True
    ):
        missed = lack - _found(run, key, gone)
        if missed <= 0:
            continue
        finding = find(
            reason,
            Place(account_id, region),
            day.window,
            s3_uri=f"s3://{root.bucket}/{folder}{day_folder(midnight)}",
            expected=str(most),
            actual=str(most - lack),
            detail=f"{missed} of {most} files that were here when the day was proven are gone, and "
            f"no digest that is left names them; seen on {format_instant(day.tried or midnight)}",
        )
        yield replace(finding, count=missed)


def _outcome(run: Run, key: DayKey) -> Outcome:
    """A day's own outcome. What every tick answers for, the head and the trail, is not a day's."""
    account_id, region, _ = key
    here = [one for one in run.chains if (one.account_id, one.region) == (account_id, region)]
    if not here or any(chain.log_files.pending for chain in here):
        return Outcome.UNDETERMINED
    own = (
        finding.outcome
        for finding in _overlapping(run, key)
        if (cause := OF_REASON.get(finding.reason)) is None or not NATURES[cause].by_tick
    )
    return worst([Outcome.VALID, *own])


def _found(run: Run, key: DayKey, reasons: frozenset[Reason]) -> int:
    return sum(one.count for one in _overlapping(run, key) if one.reason in reasons)


def _overlapping(run: Run, key: DayKey) -> Iterable[Finding]:
    account_id, region, day = key
    window = TimeWindow(day, day + DAY)
    return (
        finding
        for finding in run.findings
        if (finding.account_id, finding.region) == (account_id, region)
        and finding.window.overlaps(window)
    )
