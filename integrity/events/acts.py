"""Verified events of CloudTrail's own API to what they did to one trail.

An act counts where the trail's owner received it, in the home region, under the trail's name or
ARN, and the call did not fail. `requestParameters` say what was switched off; for what is on,
`responseElements` are believed too: they state the trail as it is after the call.
(AWS: CloudTrail record contents; API_UpdateTrail.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from integrity.chain.acts import Acts, Aspect, TrailAct
from integrity.chain.model import Trail, VerifiedEvent
from integrity.chain.times import parse_instant
from integrity.events.search import Wanted

_SOURCE = "cloudtrail.amazonaws.com"
_STOP, _DELETE, _UPDATE = "StopLogging", "DeleteTrail", "UpdateTrail"
_START, _CREATE = "StartLogging", "CreateTrail"

ACTS_ON_TRAILS = Wanted((_STOP, _DELETE, _UPDATE, _START, _CREATE), (_SOURCE,))
"""The events that begin or end chains."""

_OFF = {
    _STOP: frozenset({Aspect.LOGGING}),
    _DELETE: frozenset({Aspect.EXISTENCE}),
}
_ON = {
    _START: frozenset({Aspect.LOGGING}),
    _CREATE: frozenset(Aspect),
}


class _Identity(msgspec.Struct):
    arn: str | None = None
    principalId: str | None = None  # noqa: N815 - CloudTrail's own field names, here and below


class _Request(msgspec.Struct):
    name: str | None = None
    isMultiRegionTrail: bool | None = None  # noqa: N815
    isOrganizationTrail: bool | None = None  # noqa: N815
    enableLogFileValidation: bool | None = None  # noqa: N815


class _Response(msgspec.Struct):
    trailARN: str | None = None  # noqa: N815
    isMultiRegionTrail: bool | None = None  # noqa: N815
    isOrganizationTrail: bool | None = None  # noqa: N815
    logFileValidationEnabled: bool | None = None  # noqa: N815


class _Event(msgspec.Struct):
    eventTime: str  # noqa: N815
    eventName: str  # noqa: N815
    eventSource: str  # noqa: N815
    awsRegion: str  # noqa: N815
    recipientAccountId: str  # noqa: N815
    eventID: str = ""  # noqa: N815
    errorCode: Any = None  # noqa: N815
    userIdentity: _Identity | None = None  # noqa: N815
    requestParameters: _Request | None = None  # noqa: N815
    responseElements: _Response | None = None  # noqa: N815


_DECODER = msgspec.json.Decoder(_Event)


def read_acts(events: Iterable[VerifiedEvent], trail: Trail) -> Acts:
    """The acts on a trail that these events record, and how many of the events were no such form.

    Never raises for what an event may hold.
    """
    known, unread = [], 0
    for verified in events:
        try:
            event = _DECODER.decode(verified.event)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            unread += 1
            continue
        if _concerns(event, trail):
            act = _act(event, verified)
            unread += act is None
            known += [act] if act is not None else []
    return Acts(tuple(known), unread)


def _concerns(event: _Event, trail: Trail) -> bool:
    request, response = event.requestParameters, event.responseElements
    if event.errorCode is not None or request is None:
        return False
    if event.eventSource != _SOURCE or event.eventName not in ACTS_ON_TRAILS.names:
        return False
    if (event.recipientAccountId, event.awsRegion) != (trail.account_id, trail.home_region):
        return False
    answered = response.trailARN if response is not None else None
    return request.name in (trail.name, trail.arn) and answered in (None, trail.arn)


def _act(event: _Event, verified: VerifiedEvent) -> TrailAct | None:
    time = parse_instant(event.eventTime)
    if time is None:
        return None
    identity = event.userIdentity or _Identity()
    off = _OFF.get(event.eventName, frozenset()) | _switched(event, to=False)
    return TrailAct(
        event_name=event.eventName,
        time=time,
        by=identity.arn or identity.principalId or "",
        event_id=event.eventID,
        log=verified.log,
        sha256=verified.sha256,
        off=off,
        on=(_ON.get(event.eventName, frozenset()) | _switched(event, to=True)) - off,
    )


def _switched(event: _Event, *, to: bool) -> frozenset[Aspect]:
    """What UpdateTrail asked to be so; on is also what it answers to be."""
    if event.eventName != _UPDATE:
        return frozenset()
    request, response = event.requestParameters or _Request(), event.responseElements
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
