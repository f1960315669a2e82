"""A verification that goes on where it was interrupted, from the segments that were finished.

What is kept is the time of judgement, what was asked for the plan, and what came of each segment
that met no trouble: the same parts give the same record, whoever joins them and when. What another
program, another question or another time began is refused, never mixed in. The parts are the word
of whoever keeps them; they are read strictly, and what they say is not verified again.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from integrity import __version__
from integrity.chain.findings import Reason
from integrity.chain.limits import MIB
from integrity.chain.model import TimeWindow
from integrity.chain.times import format_instant
from integrity.errors import UsageError
from integrity.record import SegmentResult
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.listing import CLOUDTRAIL_BEGAN
from integrity.verify.plan import Ground
from integrity.verify.ports import Parts
from integrity.verify.segment import Segment

T = TypeVar("T")

_MAX_PART_BYTES = 64 * MIB
"""More than this, inflated, is not kept: its segment is read again."""

_QUICKLY = 1
_BEGUN, _GROUND = "begun", "ground"
_TROUBLE = frozenset({Reason.OBJECT_UNREADABLE, Reason.KEYS_UNAVAILABLE})


class Begun(Struct, frozen=True, kw_only=True):
    """What was begun. `asked_sha256` is of all that was asked but the window and the pace."""

    version: str
    trail_arn: str
    asked_sha256: str
    window: TimeWindow
    started_at: datetime
    judged_at: datetime
    resumed_at: tuple[datetime, ...] = ()


class Keeping(Struct, frozen=True):
    """Where the parts of one trail's verification are kept.

    Unless the time that is asked for `is_fixed`, what was interrupted goes on with its own: an hour
    later "the last 90 days" are still the same.
    """

    parts: Parts
    is_fixed: bool


@dataclass(slots=True)
class Resumption:
    """A verification that may have been begun before. `left` counts what has to be read again."""

    begun: Begun
    job: Job
    _parts: Parts
    left: int = 0

    def ground(self, survey: Callable[[], Ground]) -> Ground:
        """What was asked for the plan when it was begun; asked now where it was not yet."""
        known = _load(self._parts, _GROUND, Ground)
        if known is None:
            known = survey()
            _save(self._parts, _GROUND, known)
        return known

    def recall(self, segment: Segment) -> SegmentResult | None:
        """What came of a segment, where it was finished."""
        result = _load(self._parts, _name_of(segment.chain, segment.span), SegmentResult)
        if result is not None and (result.chain, result.span) != (segment.chain, segment.span):
            raise _damaged("a segment has another's name")
        return result

    def keep(self, result: SegmentResult) -> None:
        """Keep what came of a segment, if nothing of it would come out otherwise next time."""
        trouble = any(finding.reason in _TROUBLE for finding in result.findings)
        name = _name_of(result.chain, result.span)
        if trouble or not result.complete or not _save(self._parts, name, result):
            self.left += 1


def resume(keeping: Keeping, job: Job, now: datetime, judged_at: datetime) -> Resumption:
    """Go on with what was begun, or begin. Raises UsageError where it is another verification."""
    begun = _load(keeping.parts, _BEGUN, Begun)
    if begun is None:
        begun = Begun(
            version=__version__,
            trail_arn=job.trail.arn,
            asked_sha256=_asked_sha256(job),
            window=job.window,
            started_at=now,
            judged_at=judged_at,
        )
    else:
        _refuse_other(begun, job, is_fixed=keeping.is_fixed)
        begun = replace(begun, resumed_at=(*begun.resumed_at, now))
    _save(keeping.parts, _BEGUN, begun)
    return Resumption(begun, replace(job, window=begun.window), keeping.parts)


def _refuse_other(begun: Begun, job: Job, *, is_fixed: bool) -> None:
    if begun.version != __version__:
        other = f"by version {begun.version} of integrity, and this is {__version__}"
    elif (begun.trail_arn, begun.asked_sha256) != (job.trail.arn, _asked_sha256(job)):
        other = "for another trail, place, selection or way to judge"
    elif is_fixed and begun.window != job.window:
        window = begun.window
        other = f"for {format_instant(window.start)} to {format_instant(window.end)}"
    else:
        return
    raise UsageError(
        f"what --resume names was begun {other}: ask for the same again, or name another file to "
        "begin anew"
    )


def _asked_sha256(job: Job) -> str:
    no_time = TimeWindow(CLOUDTRAIL_BEGAN, CLOUDTRAIL_BEGAN)
    asked = replace(job, known=(), concurrency=1, window=no_time)
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def _name_of(*what: object) -> str:
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()


def _load(parts: Parts, name: str, form: type[T]) -> T | None:
    part = parts.load(name)
    if part is None:
        return None
    inflater = zlib.decompressobj()
    try:
        document = inflater.decompress(part, _MAX_PART_BYTES)
        if not inflater.eof:
            raise _damaged("a part of it is cut short, or too large")
        return msgspec.msgpack.decode(document, type=form)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(str(error)) from error


def _save(parts: Parts, name: str, part: object) -> bool:
    """Whether it was small enough to be kept."""
    document = msgspec.msgpack.encode(part)
    if len(document) > _MAX_PART_BYTES:
        return False
    parts.save(name, zlib.compress(document, _QUICKLY))
    return True


def _damaged(why: str) -> UsageError:
    return UsageError(
        f"what --resume names is not what an interrupted verification left ({why}): name another "
        "file to begin anew"
    )
