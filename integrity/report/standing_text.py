"""How the watched trails stand, as text for people: a few lines a trail, then a line a chain.

Pure: values in, lines out. Whatever comes from a bucket passes `terminal.escape`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from integrity.chain.model import ChainKind
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.report.standing import ChainStanding, OpenIncident, Standing, TrailStanding
from integrity.report.words import counted


def render_standing(standing: Standing) -> Iterator[str]:
    """All of it."""
    messages = f"{standing.unsent} {counted(standing.unsent, 'message')} waiting"
    dead = f", {standing.dead} of them given up on (integrity outbox list)" if standing.dead else ""
    yield f"{format_instant(standing.at)}; next tick {format_instant(standing.next_tick)}; " + (
        f"{messages}{dead}"
    )
    for trail in standing.trails:
        yield ""
        yield from _trail(trail)


def last_tick_in_words(trail: TrailStanding) -> str:
    """What the newest tick said, and when."""
    tick = trail.last_tick
    if tick is None:
        return "none yet: nothing is known of this trail"
    found = f"{tick.findings} {counted(tick.findings, 'finding')}"
    return f"{format_instant(tick.started_at)}, {tick.outcome.value}, {found}"


def proven_in_words(trail: TrailStanding) -> str:
    """Up to when all standard chains are proven, and how many lag behind the others."""
    standard = [chain for chain in trail.chains if chain.kind is ChainKind.STANDARD]
    ends = [chain.proven_until for chain in standard]
    known = [end for end in ends if end is not None]
    said = f"{len(standard)} {counted(len(standard), 'chain')}"
    if not known:
        return f"{said}, nothing proven"
    unproven = len(ends) - len(known)
    also = f"; nothing of {unproven}" if unproven else ""
    return f"{said}, up to {format_instant(min(known))} at least{also}"


def past_in_words(trail: TrailStanding) -> str:
    """How much of the past is watched, and since when all of it was listed and read."""
    past = [chain.past for chain in trail.chains if chain.past is not None]
    if not past:
        return ""
    days, sealed = sum(one.days for one in past), sum(one.sealed for one in past)
    first = format_instant(min(one.first for one in past))[:10]
    said = f"{sealed} of {days} {counted(days, 'day')} sealed, since {first}"
    return f"{said}; {_all('listed', [one.listed_since for one in past])}; " + _all(
        "read", [one.read_since for one in past]
    )


def _all(done: str, since: Sequence[datetime | None]) -> str:
    known = [time for time in since if time is not None]
    if len(known) < len(since):
        return f"not all {done} yet"
    return f"all {done} since {format_instant(min(known))}"


def _trail(trail: TrailStanding) -> Iterator[str]:
    yield f"Trail      {escape(trail.trail_arn)}"
    yield f"Last tick  {last_tick_in_words(trail)}"
    yield f"Proven     {proven_in_words(trail)}"
    past = past_in_words(trail)
    if past:
        yield f"Past       {past}"
    if trail.records_amiss:
        yield (
            f"Records    {trail.records_amiss} of the last days gone, or not what was written: "
            "see docs/trust.md"
        )
    yield f"Incidents  {len(trail.incidents) or 'none'} open"
    for incident in trail.incidents:
        yield f"  {_incident(incident)}"
    for chain in trail.chains:
        yield _chain(chain)


def _incident(one: OpenIncident) -> str:
    return "  ".join(
        (
            one.incident_id,
            one.outcome.value.upper(),
            escape(one.reason),
            escape(f"{one.account_id}/{one.region}"),
            f"{format_instant(one.window.start)}/{format_instant(one.window.end)}",
            f"{one.count} {counted(one.count, 'object')}",
            f"since {format_instant(one.first_seen)}",
        )
    )


def _chain(chain: ChainStanding) -> str:
    kind = "" if chain.kind is ChainKind.STANDARD else " (backfill)"
    name = escape(f"{chain.account_id} {chain.region}{kind}")
    lost = f"  LOST {chain.lost}" if chain.lost else ""
    until = chain.proven_until
    proven = "nothing proven" if until is None else f"proven up to {format_instant(until)}"
    return f"  {name:<32} {proven:<33}  {chain.hours}{lost}".rstrip()
