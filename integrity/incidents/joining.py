"""Which traces are one matter: those that touch each other, and the open incidents they touch.

A trace joins the open incident of its family, account and region that it overlaps, or else that it
neighbours; of several the one that fits it closest. What joins none is a new matter, together with
what it touches. Open incidents are never merged: each was told, and each is resolved, by its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from integrity.chain.model import TimeWindow
from integrity.incidents.causes import NATURES
from integrity.incidents.traces import Trace
from integrity.state import Incident

_NONE = timedelta(0)


@dataclass(slots=True)
class Joined:
    """The traces of each open incident, by its id, and new matters of one trace or more.

    `shown` are the incidents in whose windows something of their family lies, whatever it joined.
    """

    open: dict[str, list[Trace]] = field(default_factory=dict)
    new: list[list[Trace]] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)


def join_traces(traces: Iterable[Trace], incidents: Sequence[Incident]) -> Joined:
    """Each trace in exactly one place."""
    joined, alike = Joined(), _by_family(incidents)
    for cluster in _clusters(traces):
        hull = hull_of(trace.window for trace in cluster)
        reach = NATURES[cluster[0].cause].reach
        near = [
            one
            for one in alike.get(_family(cluster[0]), ())
            if reach is None or _apart(one.window, hull) <= reach
        ]
        if not near:
            joined.new.append(cluster)
            continue
        for trace in cluster:
            nearest = min(near, key=lambda one, window=trace.window: _fit(one, window))  # type: ignore[misc]
            joined.open.setdefault(nearest.id, []).append(trace)
            joined.shown.update(one.id for one in near if one.window.overlaps(trace.window))
    return joined


def hull_of(windows: Iterable[TimeWindow]) -> TimeWindow:
    """The smallest window over all of them, of which there is at least one."""
    windows = list(windows)
    return TimeWindow(min(one.start for one in windows), max(one.end for one in windows))


def _by_family(incidents: Iterable[Incident]) -> dict[tuple[str, str, str], list[Incident]]:
    families: dict[tuple[str, str, str], list[Incident]] = {}
    for one in incidents:
        families.setdefault((one.cause, one.account_id, one.region), []).append(one)
    return families


def _family(trace: Trace) -> tuple[str, str, str]:
    return (trace.cause.value, trace.place.account_id, trace.place.region)


def _clusters(traces: Iterable[Trace]) -> list[list[Trace]]:
    clusters: list[list[Trace]] = []
    end: datetime | None = None
    for trace in sorted(traces, key=_order):
        reach = NATURES[trace.cause].reach
        last = clusters[-1][0] if clusters else None
        if (
            last is not None
            and end is not None
            and (last.cause, last.place) == (trace.cause, trace.place)
            and (reach is None or trace.window.start <= end + reach)
        ):
            clusters[-1].append(trace)
            end = max(end, trace.window.end)
        else:
            clusters.append([trace])
            end = trace.window.end
    return clusters


def _order(trace: Trace) -> tuple[str, str, str, TimeWindow, str, str]:
    place = trace.place
    return (
        trace.cause.value,
        place.account_id,
        place.region,
        trace.window,
        trace.subject,
        trace.reason,
    )


def _apart(one: TimeWindow, other: TimeWindow) -> timedelta:
    return max(_NONE, one.start - other.end, other.start - one.end)


def _fit(
    incident: Incident, window: TimeWindow
) -> tuple[bool, bool, timedelta, timedelta, datetime, str]:
    """What holds it already comes first: to join the same traces again moves none."""
    own = incident.window
    return (
        not (own.start <= window.start and window.end <= own.end),
        not own.overlaps(window),
        _apart(own, window),
        own.end - own.start,
        incident.first_seen,
        incident.id,
    )
