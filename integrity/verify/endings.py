"""What ended the trail's chains, as verified events of its home region tell.

Acts on a trail are recorded in its owner's home region. While AWS does not say that it is on,
that chain's segments bring the events along. Where they do not, and where a chain ended before the
window, the home region's digests around an end are read once more with the log files that they name
(`vicinity`), and the chain's own last digest.
"""

from __future__ import annotations

from collections.abc import Sequence

from integrity.chain.acts import NO_ACTS, Acts, TrailAct, ending_act, may_have_ended, reaches
from integrity.chain.link import Entry
from integrity.chain.model import ChainId
from integrity.chain.times import HOUR
from integrity.events.acts import ACTS_ON_TRAILS, read_acts
from integrity.record import SegmentResult
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.plan import Plan
from integrity.verify.tools import Tools
from integrity.verify.vicinity import Heard, Vicinity, is_home

_MOST_HOURS = 24
"""In so many different hours before the window ends of chains are looked into."""


class Endings:
    """Hears the events of a run's segments, and reads what lies before its window."""

    def __init__(self, job: Job, plan: Plan, tools: Tools) -> None:
        self._job, self._plan = job, plan
        self._status = plan.trail_status(job)
        self._acts = NO_ACTS
        self._vicinity = Vicinity(job, plan, tools, most_hours=_MOST_HOURS)

    def hear(self, result: SegmentResult) -> None:
        """Take the acts out of what came of a segment."""
        self._acts += _acts_of(Heard(result.events, result.unread), self._job)

    def settle(self, parts: Sequence[SegmentResult]) -> tuple[list[SegmentResult], Acts]:
        """A chain's parts with its last digest judged, and the acts that matter to it."""
        chain, acts = parts[0].chain, self._acts
        last = max((e.window.end for e in _known(parts) if e.is_there), default=None)
        if last is None or not may_have_ended(chain, self._job.trail, self._status):
            return list(parts), acts
        home = self._vicinity.home_of(chain)
        heard = any(segment.wanted for segment in self._plan.segments.get(home, ()))
        if not heard or last - HOUR < self._job.window.start:
            acts += _acts_of(self._vicinity.around(home, last, ACTS_ON_TRAILS), self._job)
        act = self.ending(acts, chain)
        if act is None or reaches(act, _known(parts)) or last > self._job.window.start:
            return list(parts), acts
        wanted = ACTS_ON_TRAILS if is_home(chain, self._job) else None
        return _with(parts, self._vicinity.check(chain, last, last, wanted).entries), acts

    def ending(self, acts: Acts, chain: ChainId) -> TrailAct | None:
        """The act that ended a chain, for all that AWS says now."""
        return ending_act(acts, chain, self._job.trail, self._status)


def _acts_of(heard: Heard, job: Job) -> Acts:
    found = read_acts(heard.events, job.trail)
    return replace(found, unread=found.unread + heard.unread)


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
