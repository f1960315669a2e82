"""When the service learned of each finding: at this tick, or when an open incident came to hold it.

1. What joins no open incident is new.
2. An object that its incident names was first seen when the incident came to name it.
3. An object that it does not name is new where it names all that it holds, or held other hours.
4. Else the incident's own first time stands, and says that it is the incident's: of more objects
   than it names, of findings folded into one, and of what is no object (a gap, a stale head).

Notes keep no time, for no incident is made of them. Pure; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from integrity.chain.evidence import FirstSeen, SeenOf
from integrity.incidents.causes import NATURES
from integrity.incidents.joining import join_traces
from integrity.incidents.named import MOST_SUBJECTS, named_by
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Recorded, Tick
from integrity.incidents.traces import Trace, find_traces
from integrity.incidents.whole import Mark, mark_of
from integrity.record import Run
from integrity.state import Incident
from integrity.structs import replace


def date_findings(run: Run, incidents: Sequence[Incident], policy: Policy, now: datetime) -> Run:
    """A tick's run and its looks, findings dated by the incidents that were open before it."""
    main, looks = Recorded(run, ""), tuple(Recorded(look, "") for look in run.looks)
    traces = find_traces(Tick(main=main, looks=looks), incidents, policy, now)
    joined, known = join_traces(traces, incidents), {one.id: one for one in incidents}
    new = [(trace, FirstSeen(now, SeenOf.FINDING)) for matter in joined.new for trace in matter]
    old = [
        (trace, _first_seen(known[name], trace, now))
        for name, found in joined.open.items()
        for trace in found
    ]
    seen = {mark_of(trace.finding): at for trace, at in (*new, *old) if trace.finding is not None}
    return _dated(replace(run, looks=tuple(_dated(look, seen) for look in run.looks)), seen)


def _first_seen(incident: Incident, trace: Trace, now: datetime) -> FirstSeen:
    own = FirstSeen(incident.first_seen, SeenOf.INCIDENT)
    subject, named = trace.subject if trace.count == 1 else "", named_by(incident)
    if subject in named:
        at = named[subject]
        return own if at is None else FirstSeen(at, SeenOf.FINDING)
    names_all = len(named) < MOST_SUBJECTS and incident.count <= len(named)
    if (subject and names_all) or not _held(incident, trace):
        return FirstSeen(now, SeenOf.FINDING)
    return own


def _held(incident: Incident, trace: Trace) -> bool:
    """Whether it held these hours, or holds whatever hour it is."""
    held, window = incident.window, trace.window
    is_within = held.start <= window.start and window.end <= held.end
    return is_within or held.overlaps(window) or NATURES[trace.cause].by_tick


def _dated(run: Run, seen: Mapping[Mark, FirstSeen]) -> Run:
    findings = (replace(one, first_seen=seen.get(mark_of(one))) for one in run.findings)
    return replace(run, findings=tuple(findings))
