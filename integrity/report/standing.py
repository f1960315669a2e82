"""How the watched trails stand, at a glance: values, and their one JSON form.

Made of what the service keeps, and of nothing that it would have to look for. It repeats the last
ticks; it verifies nothing, so "proven" means: proven when it was looked at last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from integrity.chain.findings import Outcome
from integrity.chain.known import KnownChain
from integrity.chain.model import ChainKind, TimeWindow
from integrity.chain.population import Pair
from integrity.chain.seal import SealedMonth
from integrity.chain.times import HOUR, day_of
from integrity.report.recent import RecentHours
from integrity.state import Audience, Incident, RunSummary, TrailState


class PastStanding(Struct, frozen=True, kw_only=True):
    """The watched past of a chain: so many days, from the `first` to the `last` of them.

    All that are sealed have been listed since `listed_since`, all days read since `read_since`;
    null: one of them never was.
    """

    days: int
    sealed: int
    first: datetime
    last: datetime
    listed_since: datetime | None
    read_since: datetime | None


class ChainStanding(Struct, frozen=True, kw_only=True):
    """One chain. It is proven without a break up to `proven_until`; null: none of it is.

    `newest_digest_end` is of the newest authentic digest, `lost` counts known digests that are gone
    or changed. `hours` has a letter for each hour of the document's window; `?` is an hour of which
    no record tells. A backfill chain has none, and its past is that of the standard chain.
    """

    account_id: str
    region: str
    kind: ChainKind
    root: str
    proven_until: datetime | None
    looked_at_until: datetime | None
    newest_digest_end: datetime | None
    lost: int
    hours: str
    past: PastStanding | None = None


class OpenIncident(Struct, frozen=True, kw_only=True):
    """An incident that is not over."""

    incident_id: str
    outcome: Outcome
    reason: str
    account_id: str
    region: str
    window: TimeWindow
    count: int
    first_seen: datetime
    last_seen: datetime
    told: tuple[Audience, ...]


class LastTick(Struct, frozen=True, kw_only=True):
    """The newest tick that was kept."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    window: TimeWindow
    outcome: Outcome
    findings: int
    record_uri: str


class TrailStanding(Struct, frozen=True, kw_only=True):
    """One trail. Without a tick nothing is known of it.

    `records_amiss` counts records of the window's ticks that are gone, or are not what was written.
    """

    trail_arn: str
    last_tick: LastTick | None
    records_amiss: int
    chains: tuple[ChainStanding, ...]
    incidents: tuple[OpenIncident, ...]


class Standing(Struct, frozen=True, kw_only=True):
    """All trails at `at`. The next tick is due at `next_tick` if somebody makes it by the schedule.

    `window` is that of the letters of hours; `unsent` and `dead` count messages that have not
    arrived, and those of them that are not tried any more.
    """

    at: datetime
    next_tick: datetime
    window: TimeWindow
    unsent: int
    dead: int
    trails: tuple[TrailStanding, ...]


def encode_standing(standing: Standing) -> bytes:
    """The JSON document, without a line's end. Times are RFC 3339 in UTC, to the second."""
    return msgspec.json.encode(standing)


def window_of(now: datetime, days: int) -> TimeWindow:
    """So many whole UTC days before the one of `now`, and that one up to its last begun hour."""
    day = day_of(now)
    hours = (now - day) // HOUR + 1
    return TimeWindow(day - days * 24 * HOUR, day + hours * HOUR)


def stand(
    trail_arn: str,
    state: TrailState,
    newest: RunSummary | None,
    recent: RecentHours,
    window: TimeWindow,
    *,
    months: Iterable[SealedMonth] = (),
    records_amiss: int,
) -> TrailStanding:
    """How a trail stands, by what is kept of it."""
    known = () if state.checkpoint is None else state.checkpoint.chains
    hours = dict(recent.letters(window))
    past = _past(months)
    chains = [_chain(one, hours, past) for one in known]
    named = {(one.account_id, one.region, one.root) for one in chains}
    # An expected chain of which no digest was ever there is in the records alone.
    chains += [_unknown(place, letters) for place, letters in hours.items() if place not in named]
    return TrailStanding(
        trail_arn=trail_arn,
        last_tick=None if newest is None else _tick(newest),
        records_amiss=records_amiss,
        chains=tuple(sorted(chains, key=lambda one: (one.account_id, one.region, one.kind))),
        incidents=tuple(_incident(one) for one in state.incidents),
    )


def _past(months: Iterable[SealedMonth]) -> dict[Pair, PastStanding]:
    """By account and region."""
    kept: dict[Pair, list[SealedMonth]] = {}
    for month in months:
        kept.setdefault((month.account_id, month.region), []).append(month)
    return {pair: _past_of(own) for pair, own in kept.items()}


def _past_of(months: Sequence[SealedMonth]) -> PastStanding:
    days = [day for month in months for day in month.days]
    listed = [one.listed for one in months if any(day.seal is not None for day in one.days)]
    return PastStanding(
        days=len(days),
        sealed=sum(day.seal is not None for day in days),
        first=min(day.day for day in days),
        last=max(day.day for day in days),
        listed_since=_since(listed),
        read_since=_since([day.proven for day in days]),
    )


def _since(times: Sequence[datetime | None]) -> datetime | None:
    """The earliest; None where one is missing, or all are."""
    known = [time for time in times if time is not None]
    return min(known, default=None) if len(known) == len(times) else None


def _chain(
    known: KnownChain,
    hours: dict[tuple[str, str, str], str],
    past: Mapping[Pair, PastStanding],
) -> ChainStanding:
    chain = known.chain
    place = (chain.account_id, chain.region, chain.root.uri)
    return ChainStanding(
        account_id=chain.account_id,
        region=chain.region,
        kind=chain.kind,
        root=chain.root.uri,
        proven_until=known.verified,
        looked_at_until=known.attempted,
        newest_digest_end=None if known.head is None else known.head.end,
        lost=len(known.lost),
        hours=hours.get(place, "") if chain.kind is ChainKind.STANDARD else "",
        past=past.get(place[:2]) if chain.kind is ChainKind.STANDARD else None,
    )


def _unknown(place: tuple[str, str, str], letters: str) -> ChainStanding:
    account_id, region, root = place
    return ChainStanding(
        account_id=account_id,
        region=region,
        kind=ChainKind.STANDARD,
        root=root,
        proven_until=None,
        looked_at_until=None,
        newest_digest_end=None,
        lost=0,
        hours=letters,
    )


def _tick(run: RunSummary) -> LastTick:
    return LastTick(
        run_id=run.run_id,
        started_at=run.started_at,
        finished_at=run.finished_at,
        window=run.window,
        outcome=run.outcome,
        findings=run.findings,
        record_uri=run.record_uri,
    )


def _incident(one: Incident) -> OpenIncident:
    return OpenIncident(
        incident_id=one.id,
        outcome=one.outcome,
        reason=one.reason,
        account_id=one.account_id,
        region=one.region,
        window=one.window,
        count=one.count,
        first_seen=one.first_seen,
        last_seen=one.last_seen,
        told=one.told,
    )
