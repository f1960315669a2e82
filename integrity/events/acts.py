"""Verified events of CloudTrail's own API to what they did to one trail.

An act counts where the trail's owner received it, in the home region, under the trail's name or
ARN, and the call did not fail. `requestParameters` say what was switched off; for what is on,
`responseElements` are believed too: they state the trail as it is after the call.
(AWS: CloudTrail record contents; API_UpdateTrail.)
"""

from __future__ import annotations

from collections.abc import Iterable

from integrity.chain.acts import Acts, Aspect, TrailAct
from integrity.chain.model import Trail, VerifiedEvent
from integrity.events.calls import CLOUDTRAIL, Call, Request, decode_call, is_about
from integrity.events.search import Wanted

_STOP, _DELETE, _UPDATE = "StopLogging", "DeleteTrail", "UpdateTrail"
_START, _CREATE = "StartLogging", "CreateTrail"

ACTS_ON_TRAILS = Wanted((_STOP, _DELETE, _UPDATE, _START, _CREATE), (CLOUDTRAIL,))
"""The events that begin or end chains."""

_OFF = {
    _STOP: frozenset({Aspect.LOGGING}),
    _DELETE: frozenset({Aspect.EXISTENCE}),
}
_ON = {
    _START: frozenset({Aspect.LOGGING}),
    _CREATE: frozenset(Aspect),
}


def read_acts(events: Iterable[VerifiedEvent], trail: Trail) -> Acts:
    """The acts on a trail that these events record, and how many of the events were no such form.

    Never raises for what an event may hold.
    """
    known, unread = [], 0
    for verified in events:
        call = decode_call(verified.event)
        if call is None:
            unread += 1
        elif call.eventName in ACTS_ON_TRAILS.names and is_about(call, trail):
            act = _act(call, verified)
            unread += act is None
            known += [act] if act is not None else []
    return Acts(tuple(known), unread)


def _act(call: Call, verified: VerifiedEvent) -> TrailAct | None:
    time = call.time
    if time is None:
        return None
    off, on = switched(call)
    return TrailAct(
        event_name=call.eventName,
        time=time,
        by=call.by,
        event_id=call.eventID,
        log=verified.log,
        sha256=verified.sha256,
        off=off,
        on=on,
    )


def switched(call: Call) -> tuple[frozenset[Aspect], frozenset[Aspect]]:
    """What a call on a trail switched off, and on."""
    off = _OFF.get(call.eventName, frozenset()) | _updated(call, to=False)
    return off, (_ON.get(call.eventName, frozenset()) | _updated(call, to=True)) - off


def _updated(call: Call, *, to: bool) -> frozenset[Aspect]:
    """What UpdateTrail asked to be so; on is also what it answers to be."""
    if call.eventName != _UPDATE:
        return frozenset()
    request, response = call.requestParameters or Request(), call.responseElements
    said = {
        Aspect.VALIDATION: [request.enableLogFileValidation],
        Aspect.REGIONS: [request.isMultiRegionTrail],
        Aspect.MEMBERS: [request.isOrganizationTrail],
    }
    if to and response is not None:
        said[Aspect.VALIDATION].append(response.logFileValidationEnabled)
        said[Aspect.REGIONS].append(response.isMultiRegionTrail)
        said[Aspect.MEMBERS].append(response.isOrganizationTrail)
    return frozenset(aspect for aspect, values in said.items() if to in values)
