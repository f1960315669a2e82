"""Events of CloudTrail and S3 to deeds: what somebody did to the trail, its buckets, their objects.

Of the trail's home region alone, where calls on it are made and where its bucket usually lies.
A call that failed did nothing, and what CloudTrail itself writes into the bucket is no deed. What a
deed explains is `chain.explain`'s to say. (AWS: Amazon S3 events in CloudTrail.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from integrity.chain.evidence import EventRecord, EventWitness
from integrity.chain.explain import Deed, Touch
from integrity.chain.model import Trail, VerifiedEvent
from integrity.events.acts import ACTS_ON_TRAILS, switched
from integrity.events.calls import CLOUDTRAIL, S3, Call, decode_call, is_about
from integrity.events.search import Wanted

_SELECTORS = "PutEventSelectors"
_TOUCHES = {
    "DeleteObject": Touch.DELETED,
    "DeleteObjects": Touch.DELETED,
    "PutObject": Touch.WRITTEN,
    "CopyObject": Touch.WRITTEN,
    "CompleteMultipartUpload": Touch.WRITTEN,
}
_RULES = {
    "PutBucketLifecycle": Touch.LIFECYCLE,
    "PutBucketLifecycleConfiguration": Touch.LIFECYCLE,
    "PutBucketVersioning": Touch.RULES,
    "PutBucketPolicy": Touch.RULES,
    "DeleteBucketPolicy": Touch.RULES,
}

TRAIL_CALLS = (*ACTS_ON_TRAILS.names, _SELECTORS)
"""The names of calls on a trail that are looked for."""

BUCKET_CALLS = tuple(_RULES)
"""The names of calls on a bucket that are looked for."""


def wanted_of(bucket: str) -> Wanted:
    """Calls on any trail, and those that name this bucket."""
    return Wanted((*TRAIL_CALLS, *_TOUCHES, *_RULES), (CLOUDTRAIL, S3), holding=((S3, bucket),))


class Deeds(Struct, frozen=True):
    """Deeds, and how many events could not be read."""

    known: tuple[Deed, ...] = ()
    unread: int = 0

    def __add__(self, other: Deeds) -> Deeds:
        return Deeds(self.known + other.known, self.unread + other.unread)


def read_deeds(events: Iterable[VerifiedEvent], trail: Trail) -> Deeds:
    """What verified events record. Never raises for what an event may hold."""
    known, unread = [], 0
    for verified in events:
        call = decode_call(verified.event)
        unread += call is None
        known += list(_deeds(call, trail, verified))
    return Deeds(tuple(known), unread)


def read_history(events: Iterable[bytes], trail: Trail) -> Deeds:
    """The same of events that the Event history tells."""
    known, unread = [], 0
    for event in events:
        call = decode_call(event)
        unread += call is None
        known += list(_deeds(call, trail, None))
    return Deeds(tuple(known), unread)


def _deeds(call: Call | None, trail: Trail, verified: VerifiedEvent | None) -> Iterator[Deed]:
    time = call.time if call is not None else None
    if call is None or time is None:
        return
    event = EventRecord(
        event_name=call.eventName,
        time=time,
        by=call.by,
        event_id=call.eventID,
        s3_uri=verified.log.uri if verified is not None else None,
        sha256=verified.sha256 if verified is not None else None,
        witness=EventWitness.EVENT_HISTORY if verified is None else EventWitness.LOG_FILE,
    )
    if call.eventName in TRAIL_CALLS and is_about(call, trail):
        off, on = switched(call)
        yield Deed(event=event, off=off, on=on)
    elif call.eventSource == S3 and call.errorCode is None:
        yield from _on_bucket(call, event)


def _on_bucket(call: Call, event: EventRecord) -> Iterator[Deed]:
    request, identity = call.requestParameters, call.userIdentity
    if request is None or request.bucketName is None:
        return
    if identity is not None and identity.invokedBy == CLOUDTRAIL:
        return
    rule = _RULES.get(call.eventName)
    if rule is not None:
        yield Deed(event=event, bucket=request.bucketName, touch=rule)
    touch = _TOUCHES.get(call.eventName)
    for key in _keys(call, request.bucketName) if touch is not None else ():
        yield Deed(event=event, bucket=request.bucketName, key=key, touch=touch)


def _keys(call: Call, bucket: str) -> Iterator[str]:
    """The key that was asked for, or those that one call for many says it touched."""
    request = call.requestParameters
    if request is not None and request.key:
        yield request.key
        return
    for resource in call.resources or ():
        _, found, key = (resource.ARN or "").partition(f":s3:::{bucket}/")
        if found and key:
            yield key
