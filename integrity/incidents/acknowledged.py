"""What it means that a person has acknowledged an incident. Pure.

An acknowledgement quiets reminders until it ends, and nothing else: the incident stays open and
keeps its outcome, what gets worse is told in spite of it, and when it has ended the next tick
speaks. The last one alone counts, so a new one replaces it, and one that ends at once takes it
back. None is forgotten before the records have it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from integrity.chain.times import format_instant
from integrity.errors import UsageError
from integrity.record import Acknowledged, Acknowledgement
from integrity.state import Incident
from integrity.structs import replace

LONGEST = timedelta(days=366)
"""A year and a day: to be quiet for ever takes a person a year."""

MOST_KEPT = 50
"""So many of an incident are kept; each was in the record of the tick after it."""


def give(
    by: str, reason: str, now: datetime, until: timedelta | datetime | None
) -> Acknowledgement:
    """One for a span from now, or until a time; None takes back the one before.

    Raises UsageError for what does not lie ahead, or too far: an incident is not to be forgotten.
    """
    end = now if until is None else now + until if isinstance(until, timedelta) else until
    if until is not None and not now < end <= now + LONGEST:
        raise UsageError(
            f"it cannot be acknowledged until {format_instant(end)}: expected a time after now, "
            f"{format_instant(now)}, and at most {LONGEST.days} days ahead"
        )
    return Acknowledgement(by=by, reason=reason, at=now, until=end)


def acknowledge(incident: Incident, given: Acknowledgement) -> Incident:
    """The incident with one more acknowledgement. It is looked at again when that has ended."""
    return replace(
        incident,
        acknowledgements=(*incident.acknowledgements, given)[-MOST_KEPT:],
        look_again=min(incident.look_again, given.until),
    )


def last_of(incident: Incident) -> Acknowledgement | None:
    """The one that counts, whether it has ended or not."""
    return incident.acknowledgements[-1] if incident.acknowledgements else None


def in_force(incident: Incident, now: datetime) -> Acknowledgement | None:
    """The one that quiets it now."""
    last = last_of(incident)
    return last if last is not None and now < last.until else None


def has_run_out(incident: Incident, now: datetime) -> bool:
    """Whether one has ended, and nobody was told of the incident since."""
    last, notified = last_of(incident), incident.notified
    return last is not None and notified is not None and notified < last.until <= now


def acknowledged(incidents: Iterable[Incident]) -> tuple[Acknowledged, ...]:
    """What a tick's record says of the incidents that are open."""
    return tuple(
        Acknowledged(
            incident_id=one.id,
            reason=one.reason,
            outcome=one.outcome,
            account_id=one.account_id,
            region=one.region,
            window=one.window,
            acknowledgements=one.acknowledgements,
        )
        for one in incidents
        if one.acknowledgements
    )


def named(incidents: Iterable[Incident], start: str) -> Incident:
    """The open incident whose id begins so. Raises UsageError where none does, or several do."""
    found = [one for one in incidents if one.id.startswith(start)]
    standing = [one for one in found if one.resolved is None]
    if len(standing) == 1:
        return standing[0]
    if standing:
        ids = ", ".join(one.id for one in standing[:5])
        raise UsageError(f"{start} begins the id of {len(standing)} open incidents: {ids}")
    if found:
        over = found[-1]
        when = format_instant(over.resolved or over.last_seen)
        raise UsageError(
            f"the incident {over.id} was resolved at {when}: there is nothing to acknowledge"
        )
    raise UsageError(f"no incident has an id that begins with {start}: see `integrity incidents`")
