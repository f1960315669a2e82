"""Which windows of open incidents the next tick verifies beside its own.

An incident outlives the window of the ticks that found it. It is looked at again when `look_again`
has come, so that a reminder is true, a threshold is not passed in the dark, and a repair is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from integrity.chain.model import TimeWindow
from integrity.chain.times import HOUR
from integrity.incidents.causes import NATURES, Cause
from integrity.state import Incident


class Look(Struct, frozen=True):
    """One account's region to verify over a window, for the sake of these incidents."""

    account_id: str
    region: str
    window: TimeWindow
    incident_ids: tuple[str, ...]


def due_looks(
    incidents: Iterable[Incident], covered: TimeWindow, now: datetime, *, limit: int
) -> tuple[Look, ...]:
    """At most `limit` looks, those longest due first; what is left over stays due.

    `covered` is the window that the tick verifies anyway. Each window is an hour wider at both
    ends, for the neighbours of what lies there; those of a chain that then meet are one.
    """
    due = [one for one in incidents if _is_due(one, covered, now)]
    looks: list[Look] = []
    for incident in sorted(due, key=lambda one: (one.account_id, one.region, one.window, one.id)):
        own = incident.window
        window = TimeWindow(own.start - HOUR, max(own.end, min(own.end + HOUR, now)))
        look = Look(incident.account_id, incident.region, window, (incident.id,))
        last = looks[-1] if looks else None
        if last is not None and _meet(last, look):
            looks[-1] = _merged(last, look)
        else:
            looks.append(look)
    since = {incident.id: incident.look_again for incident in due}
    looks.sort(key=lambda look: min(since[incident_id] for incident_id in look.incident_ids))
    return tuple(looks[:limit])


def _is_due(incident: Incident, covered: TimeWindow, now: datetime) -> bool:
    own, nature = incident.window, NATURES[Cause(incident.cause)]
    if nature.by_tick or nature.is_noted or incident.look_again > now:
        return False
    return not (covered.start <= own.start and own.end <= covered.end)


def _meet(one: Look, other: Look) -> bool:
    same = (one.account_id, one.region) == (other.account_id, other.region)
    return same and other.window.start <= one.window.end


def _merged(one: Look, other: Look) -> Look:
    window = TimeWindow(one.window.start, max(one.window.end, other.window.end))
    return Look(one.account_id, one.region, window, one.incident_ids + other.incident_ids)
