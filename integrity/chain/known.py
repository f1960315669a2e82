"""What earlier verifications know of a chain, and what the next one is to know of it.

A digest that was authentic once cannot become absent, or another one, by itself. Here is which of
the known digests a verification looks at, and how its answers advance what is known: the head goes
on, what is gone or changed is lost until it is back or a person settles it, and trouble changes
nothing. What a lost digest means is `recall`'s to say; nothing here reads or judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from msgspec import Struct

from integrity.chain.limits import Limits
from integrity.chain.link import Entry, Standing, merge
from integrity.chain.model import ChainId, ChainKind, S3Location, TimeWindow
from integrity.chain.seal import SealedHours
from integrity.structs import replace

BACKFILL_MEMORY = timedelta(days=90)
"""How long a backfill digest is remembered: nobody else says how many there were."""


class KnownDigest(Struct, frozen=True, kw_only=True):
    """A digest file that was found authentic. `sha256` is of its stored content, inflated.

    `version_id` is null where the bucket keeps no versions. `was_head` marks one that was its
    chain's head when it was lost; `heard` one whose events the rules were given, all of them.
    """

    location: S3Location
    end: datetime
    sha256: str
    signature: str
    version_id: str | None = None
    was_head: bool = False
    heard: bool = False


class KnownChain(Struct, frozen=True, kw_only=True):
    """One chain, standard or backfill, as it was left; there is one for each, wherever it lies.

    `head` is its newest authentic digest; `recent` are the others of the time in which digests are
    still redelivered, so that one that goes is missing and not late, and of a backfill chain those
    of the last 90 days. `lost` are known digests that were found gone or changed, until they are
    back or a person settles it. The chain is looked at up to `attempted`, whatever came of it, and
    proven without a break up to `verified`. A standard chain's last `hours` are sealed where all of
    them were proven.
    """

    chain: ChainId
    head: KnownDigest | None
    recent: tuple[KnownDigest, ...] = ()
    lost: tuple[KnownDigest, ...] = ()
    attempted: datetime
    verified: datetime | None = None
    hours: SealedHours | None = None

    @property
    def held(self) -> tuple[KnownDigest, ...]:
        """The digests that were there when they were looked at last."""
        return self.recent if self.head is None else (self.head, *self.recent)

    @property
    def since(self) -> datetime | None:
        """The earliest time at which the trail demonstrably wrote this chain."""
        return min((digest.end for digest in (*self.held, *self.lost)), default=None)


class Recall(Struct, frozen=True):
    """A known digest that is to be looked at. `is_lost`: it was found gone or changed before."""

    chain: ChainId
    digest: KnownDigest
    is_lost: bool


def heard_of(known: Iterable[Recall]) -> frozenset[S3Location]:
    """The digests whose events the rules were given before, all of them."""
    return frozenset(one.digest.location for one in known if one.digest.heard)


def unheard(known: Iterable[KnownChain], before: Iterable[KnownChain]) -> tuple[KnownChain, ...]:
    """What is known, without what was heard since `before`: the rules are to be given it again,
    so no hours are left alone.
    """
    heard = {digest.location for chain in before for digest in chain.held if digest.heard}

    def forget(digest: KnownDigest) -> KnownDigest:
        return replace(digest, heard=digest.location in heard)

    return tuple(
        replace(
            chain,
            head=None if chain.head is None else forget(chain.head),
            recent=tuple(map(forget, chain.recent)),
            hours=None,
        )
        for chain in known
    )


def recalls(
    known: Iterable[KnownChain], span: TimeWindow, *, beyond: TimeWindow | None, limits: Limits
) -> Iterator[Recall]:
    """What to look at for the digests that end in `span`: all that is known of them.

    Of those that end outside of `beyond`, where it is given, the head and the newest lost ones: a
    read each.
    """
    for chain in known:
        far: list[KnownDigest] = []
        if beyond is not None:
            lost = sorted((d for d in chain.lost if not beyond.holds(d.end)), key=_order)
            head = [] if chain.head is None or beyond.holds(chain.head.end) else [chain.head]
            far = [*lost[-limits.max_lost_reads :], *head]
        for digest in (*chain.lost, *chain.held):
            if span.holds(digest.end) or digest in far:
                yield Recall(chain.chain, digest, is_lost=digest in chain.lost)


class Seen(Struct, frozen=True, kw_only=True):
    """What one verification saw of a chain that lies at `chain` now.

    `entries` are its digests, of the window and beside it, by place; `proven` is the time of those
    in which nothing is wrong. `complete` is False where something was not looked at; a chain that
    `begins` in the window does so then. `hours` are sealed for the next verification.
    """

    chain: ChainId
    window: TimeWindow
    entries: Mapping[S3Location, Entry]
    proven: Sequence[TimeWindow]
    complete: bool
    begins: datetime | None = None
    hours: SealedHours | None = None


def is_gone(entry: Entry) -> bool:
    """Whether a known digest is not there, and retention does not explain it."""
    return entry.standing in (Standing.MISSING, Standing.LATE)


def is_changed(digest: KnownDigest, entry: Entry) -> bool:
    """Whether an authentic digest lies there, and another one than was known."""
    return entry.is_authentic and entry.sha256 != digest.sha256


def cut_tail(known: KnownChain, entries: Mapping[S3Location, Entry]) -> frozenset[KnownDigest]:
    """The head, where it is gone, and the known digests before it that are gone with it.

    What has come since does not matter: it comes within the hour. Backfill digests have no order in
    time: none of them is a head that others follow.
    """
    if known.head is None or known.chain.kind is not ChainKind.STANDARD:
        return frozenset()

    def is_cut(digest: KnownDigest) -> bool:
        return digest.location in entries and is_gone(entries[digest.location])

    return frozenset(takewhile(is_cut, (known.head, *reversed(known.recent))))


def advance(
    known: KnownChain | None,
    seen: Seen,
    now: datetime,
    *,
    grace: timedelta,
    limits: Limits,
) -> KnownChain | None:
    """What is known of the chain after this verification; None: no digest of it ever was.

    The head moves to the newest authentic digest, and back only where it was lost itself: it is
    kept as lost then, and the newest one that is there takes its place, so that it is missed too.
    Twice with the same `seen` is the same as once.
    """
    lost = _lost(known, seen, limits)
    there = _there(known, seen, lost)
    if known is None and not there:
        return None
    head = there[-1] if there else None
    since = now - BACKFILL_MEMORY
    most = limits.max_known_backfills
    if seen.chain.kind is ChainKind.STANDARD:
        since = head.end - grace if head is not None else now
        most = limits.max_known_recent
    recent = [digest for digest in there[:-1] if digest.end >= since]
    return KnownChain(
        chain=seen.chain,
        head=head,
        recent=tuple(recent[-most:]),
        lost=lost,
        attempted=_attempted(known, seen, now),
        verified=_verified(known, seen),
        hours=seen.hours if seen.complete or known is None else known.hours,
    )


def settle(known: KnownChain) -> KnownChain:
    """A person says that what was lost is not expected any more."""
    return replace(known, lost=())


def _lost(known: KnownChain | None, seen: Seen, limits: Limits) -> tuple[KnownDigest, ...]:
    if known is None:
        return ()
    lost = {digest.location: digest for digest in known.lost if not _is_back(digest, seen)}
    tail = cut_tail(known, seen.entries)
    for digest in known.held:
        entry = seen.entries.get(digest.location)
        if entry is not None and (
            is_gone(entry) or entry.standing is Standing.BROKEN or is_changed(digest, entry)
        ):
            was_head = digest is known.head or digest in tail
            lost[digest.location] = replace(digest, was_head=was_head)
    newest = sorted(lost.values(), key=lambda digest: (digest.was_head, *_order(digest)))
    return tuple(sorted(newest[-limits.max_known_lost :], key=_order))


def _is_back(digest: KnownDigest, seen: Seen) -> bool:
    entry = seen.entries.get(digest.location)
    return entry is not None and entry.is_authentic and entry.sha256 == digest.sha256


def _there(known: KnownChain | None, seen: Seen, lost: Iterable[KnownDigest]) -> list[KnownDigest]:
    """All digests that are held and not contradicted, in order. Nobody stands in for a lost one.

    One that expired is forgotten, save a head that nothing followed: how far the chain was is still
    known.
    """
    there: dict[S3Location, KnownDigest] = {}
    expired: list[KnownDigest] = []
    for digest in known.held if known is not None else ():
        entry = seen.entries.get(digest.location)
        if entry is not None and entry.standing is Standing.EXPIRED:
            expired.append(digest)
        else:
            there[digest.location] = digest
    for place, entry in seen.entries.items():
        if entry.is_authentic:
            there[place] = _known(entry, there.get(place))
    for digest in lost:
        there.pop(digest.location, None)
    in_order = sorted(there.values(), key=_order)
    head = known.head if known is not None else None
    if head in expired and (not in_order or _order(in_order[-1]) < _order(head)):
        in_order.append(head)
    return in_order


def _known(entry: Entry, before: KnownDigest | None) -> KnownDigest:
    """What was heard once stays so, even where it is seen as another span's neighbour."""
    heard = before is not None and before.heard and before.sha256 == entry.sha256
    return KnownDigest(
        location=entry.location,
        end=entry.window.end,
        sha256=entry.sha256,
        signature=entry.signature,
        version_id=entry.version_id,
        heard=heard or entry.heard,
    )


def _order(digest: KnownDigest) -> tuple[datetime, S3Location]:
    return digest.end, digest.location


def _attempted(known: KnownChain | None, seen: Seen, now: datetime) -> datetime:
    """Time that nobody looked at is not left behind."""
    start, end = seen.window.start, max(seen.window.start, min(seen.window.end, now))
    if known is None:
        return end if seen.complete else start
    if not seen.complete or start > known.attempted:
        return known.attempted
    return max(known.attempted, end)


def _verified(known: KnownChain | None, seen: Seen) -> datetime | None:
    """The end of the proven time that goes on from where it ended before."""
    before = known.verified if known is not None else None
    start = before or seen.begins or seen.window.start
    return next((time.end for time in merge(seen.proven) if time.holds(start)), before)
