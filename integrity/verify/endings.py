"""What ended the trail's chains, as verified events of its home region tell.

Acts on a trail are recorded in its owner's home region. While AWS does not say that it is on,
that chain's segments bring the events along. Where they do not, and where a chain ended before the
window, the home region's digests around an end or a gap are read once more with the log files that
they name, and the chain's own last digest: nothing is believed that was not verified. What is wrong
with these files is no finding, for they lie outside of what was asked; it only proves nothing then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from integrity.chain.acts import NO_ACTS, Acts, TrailAct, ending_act, may_have_ended, reaches
from integrity.chain.link import Entry
from integrity.chain.model import ChainId, S3Location, TimeWindow
from integrity.chain.times import HOUR, day_of
from integrity.events.acts import ACTS_ON_TRAILS, read_acts
from integrity.record import SegmentResult
from integrity.verify.job import Job
from integrity.verify.plan import Plan
from integrity.verify.segment import Segment, check_segment
from integrity.verify.tools import Tools

_DELIVERY = HOUR / 2
_MOST_HOURS = 24
"""In so many different hours before the window ends of chains are looked into."""


class Endings:
    """Hears the events of a run's segments, and reads what lies before its window."""

    def __init__(self, job: Job, plan: Plan, tools: Tools) -> None:
        self._job, self._plan = job, plan
        self._tools = replace(tools, progress=_Quiet())
        self._status = plan.trail_status(job)
        self._acts = NO_ACTS
        self._read: dict[datetime, Acts] = {}

    def hear(self, result: SegmentResult) -> None:
        """Take the acts out of what came of a segment."""
        self._acts += _acts_of(result, self._job)

    def settle(
        self, parts: Sequence[SegmentResult], gaps: Sequence[TimeWindow]
    ) -> tuple[list[SegmentResult], Acts]:
        """A chain's parts with its last digest judged, and the acts that matter to it."""
        chain = parts[0].chain
        home = self._home(chain)
        heard = any(segment.wanted for segment in self._plan.segments.get(home, ()))
        acts = self._acts
        for edge in (edge for gap in gaps if not heard for edge in (gap.start, gap.end)):
            acts += self._around(home, edge)
        last = max((e.window.end for e in _known(parts) if e.is_there), default=None)
        if last is None or not may_have_ended(chain, self._job.trail, self._status):
            return list(parts), acts
        if not heard or last - HOUR < self._job.window.start:
            acts += self._around(home, last)
        act = self.ending(acts, chain)
        if act is None or reaches(act, _known(parts)) or last > self._job.window.start:
            return list(parts), acts
        return _with(parts, self._check(chain, last, last).entries), acts

    def ending(self, acts: Acts, chain: ChainId) -> TrailAct | None:
        """The act that ended a chain, for all that AWS says now."""
        return ending_act(acts, chain, self._job.trail, self._status)

    def _home(self, chain: ChainId) -> ChainId:
        trail = self._job.trail
        planned = [one for one in self._plan.segments if is_home(one, self._job)]
        asked_by = replace(chain, account_id=trail.account_id, region=trail.home_region)
        return planned[0] if planned else asked_by

    def _around(self, home: ChainId, last: datetime) -> Acts:
        """The acts in the home region's digests of the hours around an end."""
        hour = day_of(last) + (last - day_of(last)) // HOUR * HOUR
        if hour not in self._read:
            if len(self._read) >= _MOST_HOURS or self._tools.stopping.is_set():
                return Acts(unread=1)
            result = self._check(home, hour, hour + HOUR)
            flawed = sum(not e.is_authentic or e.logs.valid < e.log_files for e in result.entries)
            found = _acts_of(result, self._job)
            self._read[hour] = replace(found, unread=found.unread + flawed + (not result.complete))
        return self._read[hour]

    def _check(self, chain: ChainId, first: datetime, last: datetime) -> SegmentResult:
        """The chain's digests that end between an hour before `first` and soon after `last`."""
        expected = self._plan.expected.get(chain)
        segment = Segment(
            chain=chain,
            window=TimeWindow(first - HOUR, last + _DELIVERY),
            beside=expected.beside if expected is not None else (),
            wanted=ACTS_ON_TRAILS if is_home(chain, self._job) else None,
        )
        job = replace(self._job, unreferenced=False, rules=())
        return check_segment(segment, job, self._tools)


def is_home(chain: ChainId, job: Job) -> bool:
    """Whether it is the chain of the trail's owner in its home region."""
    return (chain.account_id, chain.region) == (job.trail.account_id, job.trail.home_region)


def _acts_of(result: SegmentResult, job: Job) -> Acts:
    found = read_acts(result.events, job.trail)
    return replace(found, unread=found.unread + result.unread)


def _known(parts: Sequence[SegmentResult]) -> list[Entry]:
    return [entry for part in parts for entry in (*part.entries, *part.neighbours)]


def _with(parts: Sequence[SegmentResult], judged: Sequence[Entry]) -> list[SegmentResult]:
    """The parts of a chain, with what was known by name alone judged."""
    known = {entry.location for part in parts for entry in part.entries}
    more = tuple(entry for entry in judged if entry.location not in known)
    places = {entry.location for entry in more}
    left = [
        replace(part, neighbours=tuple(e for e in part.neighbours if e.location not in places))
        for part in parts
    ]
    return [replace(left[0], neighbours=(*left[0].neighbours, *more)), *left[1:]]


class _Quiet:
    """Nobody is told of files outside of what was asked for."""

    def expect(self, log_files: int) -> None: ...

    def done(self, log_files: int, stored_bytes: int) -> None: ...

    def valid_digest(self, location: S3Location) -> None: ...

    def valid_log(self, location: S3Location) -> None: ...
