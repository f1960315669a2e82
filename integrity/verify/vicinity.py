"""The verified events around a moment: digests of a chain near it, and the log files they name.

What lies outside of what was asked for is read for the sake of its events alone. Nothing is
believed that was not verified, and what is wrong with these files is no finding: it is counted as
unread, and proves nothing then.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from integrity.chain.model import ChainId, TimeWindow, VerifiedEvent
from integrity.chain.times import HOUR, day_of
from integrity.events.search import Wanted
from integrity.record import SegmentResult
from integrity.structs import replace
from integrity.verify.checking import check_segment
from integrity.verify.job import Job
from integrity.verify.plan import Plan
from integrity.verify.ports import Untold
from integrity.verify.segment import Segment
from integrity.verify.tools import Tools

_DELIVERY = HOUR / 2


class Heard(Struct, frozen=True):
    """Events, and how many files or events could not be searched.

    `is_covered`: an authentic digest was there for the moment itself.
    """

    events: tuple[VerifiedEvent, ...] = ()
    unread: int = 0
    is_covered: bool = True


class Vicinity:
    """Reads around moments, each hour once and `most_hours` at most."""

    def __init__(self, job: Job, plan: Plan, tools: Tools, *, most_hours: int) -> None:
        self._job, self._plan = replace(job, unreferenced=False, known=(), rules=()), plan
        # Nobody is told of files outside of what was asked for.
        self._tools = replace(tools, progress=Untold())
        self._most_hours = most_hours
        self._heard: dict[tuple[ChainId, datetime], Heard] = {}

    def home_of(self, chain: ChainId) -> ChainId:
        """The chain that records what is done to this chain's trail."""
        trail = self._job.trail
        planned = [one for one in self._plan.segments if is_home(one, self._job)]
        asked_by = replace(chain, account_id=trail.account_id, region=trail.home_region)
        return planned[0] if planned else asked_by

    def around(self, chain: ChainId, moment: datetime, wanted: Wanted) -> Heard:
        """The wanted events in the chain's digests of the hours around a moment."""
        hour = day_of(moment) + (moment - day_of(moment)) // HOUR * HOUR
        if (chain, hour) not in self._heard:
            if len(self._heard) >= self._most_hours or self._tools.stopping.is_set():
                return Heard(unread=1)
            result = self.check(chain, hour, hour + HOUR, wanted)
            flawed = sum(not e.is_authentic or e.logs.valid < e.log_files for e in result.entries)
            unread = result.unread + flawed + (not result.complete)
            covered = any(e.is_authentic and e.window.holds(moment) for e in result.entries)
            self._heard[chain, hour] = Heard(result.events, unread, covered)
        return self._heard[chain, hour]

    def check(
        self, chain: ChainId, first: datetime, last: datetime, wanted: Wanted | None
    ) -> SegmentResult:
        """The chain's digests that end between an hour before `first` and soon after `last`."""
        expected = self._plan.expected.get(chain)
        segment = Segment(
            chain=chain,
            window=TimeWindow(first - HOUR, last + _DELIVERY),
            beside=expected.beside if expected is not None else (),
            wanted=wanted,
        )
        return check_segment(segment, self._job, self._tools)


def is_home(chain: ChainId, job: Job) -> bool:
    """Whether it is the chain of the trail's owner in its home region."""
    return (chain.account_id, chain.region) == (job.trail.account_id, job.trail.home_region)
