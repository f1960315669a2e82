"""Which events explain a finding: what could have brought it about, and what only lies beside it.

1. A gap, a stale head, or a trail that is off is explained by an act that switched the trail off
   for that chain, within the hour before its edge, that nothing took back before the edge: a last
   digest covers the hour of the act. What came after the edge explains nothing.
2. A file that is gone is explained by a call that deleted this very key, one that is altered by a
   call that wrote it, at the moment that S3 names where it names one, and never before the file's
   own hour.
3. What a lifecycle removed is explained by whoever wrote the lifecycle.
4. A head that was rewound is files that are gone: no act on the trail explains it.

Everything else on the trail or the bucket within the hour of an edge is told as near. An
explanation changes no outcome. (AWS: API_StopLogging; CloudTrail digest file structure; Amazon S3
events in CloudTrail.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from integrity.chain.acts import Aspect
from integrity.chain.evidence import EventRecord, EventWitness, Explanation
from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.model import S3Location, TimeWindow
from integrity.chain.times import HOUR, parse_instant

_MOST_EVENTS = 10
_MOMENT = timedelta(minutes=5)
"""What S3 calls the time of a write, and what CloudTrail does, may differ by so much."""


class Touch(StrEnum):
    """What a call did to an object, or to the bucket's own rules."""

    WRITTEN = "written"
    DELETED = "deleted"
    RULES = "rules"
    LIFECYCLE = "lifecycle"


class Deed(Struct, frozen=True, kw_only=True):
    """A call that succeeded: on the trail, with what it switched; or on a bucket or an object.

    `key` is empty where it was the bucket's.
    """

    event: EventRecord
    off: frozenset[Aspect] = frozenset()
    on: frozenset[Aspect] = frozenset()
    bucket: str = ""
    key: str = ""
    touch: Touch | None = None


GONE = frozenset({Reason.DIGEST_MISSING, Reason.DIGEST_LATE, Reason.LOG_MISSING})
"""Findings of objects that are not there."""

ALTERED = frozenset(
    {
        Reason.DIGEST_MALFORMED,
        Reason.DIGEST_MOVED,
        Reason.DIGEST_CLAIM_MISMATCH,
        Reason.DIGEST_SIGNATURE_MISSING,
        Reason.DIGEST_SIGNATURE_INVALID,
        Reason.DIGEST_KEY_UNKNOWN,
        Reason.LOG_HASH_MISMATCH,
        Reason.LOG_MALFORMED,
        Reason.LOG_TRAILING_DATA,
    }
)
"""Findings of objects that are there, with other content or metadata than CloudTrail's."""

_UNCOVERED = frozenset({Reason.CHAIN_GAP, Reason.HEAD_STALE, Reason.NO_DIGESTS, Reason.TRAIL_OFF})


class Question(Struct, frozen=True):
    """What an explanation of a finding would have to be.

    `stop` and `start` are when the trail must have been switched off, and on again; or `objects`
    were touched so within `moments`. With `about_trail` it is a matter of the trail.
    """

    stop: TimeWindow | None = None
    start: TimeWindow | None = None
    objects: frozenset[S3Location] = frozenset()
    bucket: str = ""
    touches: frozenset[Touch] = frozenset()
    moments: tuple[TimeWindow, ...] = field(default_factory=tuple)

    @property
    def about_trail(self) -> bool:
        return self.stop is not None

    @property
    def windows(self) -> tuple[TimeWindow, ...]:
        """The times in which an event may matter."""
        return tuple(one for one in (self.stop, self.start, *self.moments) if one is not None)


def question_of(finding: Finding, *, bucket: str, now: datetime) -> Question | None:
    """What to look for, or None where events explain nothing of the kind.

    `bucket` is the trail's own, for findings that name no object.
    """
    if finding.outcome is Outcome.VALID or finding.count > 1:
        return None
    window = finding.window
    if finding.reason is Reason.CHAIN_GAP:
        return Question(
            stop=_before(window), start=TimeWindow(window.end - HOUR, window.end + HOUR)
        )
    if finding.reason in _UNCOVERED:
        known = parse_instant(finding.actual or "")
        # Of a head that nobody saw, or a trail that is gone, it is not known since when.
        return Question(stop=window if known is None else _before(TimeWindow(known, known)))
    if finding.reason is Reason.OBJECT_EXPIRED:
        return Question(
            bucket=_place(finding.s3_uri).bucket or bucket,
            touches=frozenset({Touch.LIFECYCLE}),
            moments=(TimeWindow(window.start, max(window.end, now)),),
        )
    return _of_objects(finding)


def _of_objects(finding: Finding) -> Question | None:
    touches = {
        Reason.HEAD_REWOUND: Touch.DELETED,
        Reason.LOG_UNREFERENCED: Touch.WRITTEN,
        **dict.fromkeys(GONE, Touch.DELETED),
        **dict.fromkeys(ALTERED, Touch.WRITTEN),
    }
    if finding.last_modified is not None:
        touches[Reason.OBJECT_UNREADABLE] = Touch.WRITTEN
    touch = touches.get(finding.reason)
    places = {_place(one.s3_uri) for one in finding.originals} | {_place(finding.s3_uri)}
    places.discard(_NOWHERE)
    if touch is None or not places:
        return None
    times = {one.gone_at for one in finding.originals}
    if finding.last_modified is not None:
        times.add(finding.last_modified)
    moments = [TimeWindow(time - _MOMENT, time + _MOMENT) for time in sorted(times)]
    # Where nobody knows when, it was soon, or it cannot be looked for.
    moments = moments or [TimeWindow(finding.window.start, finding.window.end + HOUR)]
    bucket = min(places).bucket
    return Question(
        objects=frozenset(places),
        bucket=bucket,
        touches=frozenset({touch}),
        moments=tuple(moments[:_MOST_EVENTS]),
    )


def explain(
    question: Question,
    deeds: Iterable[Deed],
    aspects: frozenset[Aspect],
    *,
    asked: Sequence[EventWitness],
    unread: int = 0,
) -> Explanation:
    """What these deeds say to a question about a chain that lives by `aspects`."""
    known = _in_order(deeds)
    causes = _acts(question, known, aspects) if question.about_trail else _touches(question, known)
    ids = {deed.event.event_id for deed in causes}
    near = [
        deed.event
        for deed in known
        if deed.event.event_id not in ids and any(_is_near(deed, one) for one in question.windows)
    ]
    return Explanation(
        events=tuple(dict.fromkeys(deed.event for deed in causes))[:_MOST_EVENTS],
        near=tuple(dict.fromkeys(near))[:_MOST_EVENTS],
        asked=tuple(asked),
        unread=unread,
    )


def _acts(question: Question, deeds: list[Deed], aspects: frozenset[Aspect]) -> list[Deed]:
    """The act that switched the trail off before the edge, and the one that switched it on."""
    stop = question.stop
    before = [deed for deed in deeds if stop is not None and deed.event.time <= stop.end]
    standing = [
        deed
        for number, deed in enumerate(before)
        if (ended := deed.off & aspects)
        and stop is not None
        and stop.start <= deed.event.time
        and not any(ended & later.on for later in _not_before(before, number))
    ]
    if not standing:
        return []
    stopped, start = standing[-1], question.start
    started = [
        deed
        for deed in deeds
        if start is not None
        and deed.on & aspects
        and start.holds(deed.event.time)
        and deed.event.time > stopped.event.time
    ]
    return [stopped, *started[:1]]


def _not_before(deeds: list[Deed], number: int) -> list[Deed]:
    """The others that are not earlier: in one second, the one that takes back is the later."""
    own = deeds[number]
    return [deed for deed in deeds if deed is not own and deed.event.time >= own.event.time]


def _touches(question: Question, deeds: list[Deed]) -> list[Deed]:
    found = []
    for deed in deeds:
        is_meant = deed.touch in question.touches and deed.bucket == question.bucket
        if question.objects:
            is_meant = is_meant and S3Location(deed.bucket, deed.key) in question.objects
            is_meant = is_meant and any(one.holds(deed.event.time) for one in question.moments)
        if is_meant:
            found.append(deed)
    return found


def _is_near(deed: Deed, window: TimeWindow) -> bool:
    """An object's deed is near only to be a cause; there may be thousands."""
    return not deed.key and window.start - HOUR <= deed.event.time <= window.end + HOUR


def _in_order(deeds: Iterable[Deed]) -> list[Deed]:
    """Each event once, a log file's word before the Event history's."""
    order = sorted(deeds, key=lambda deed: deed.event.witness is not EventWitness.LOG_FILE)
    unique: dict[tuple[str, str], Deed] = {}
    for deed in order:
        unique.setdefault((deed.event.event_id or str(deed.event), deed.key), deed)
    return sorted(
        unique.values(), key=lambda deed: (deed.event.time, deed.event.event_id, deed.key)
    )


def _before(window: TimeWindow) -> TimeWindow:
    return TimeWindow(window.start - HOUR, window.start)


_NOWHERE = S3Location("", "")


def _place(uri: str | None) -> S3Location:
    bucket, _, key = (uri or "").removeprefix("s3://").partition("/")
    return S3Location(bucket, key)
