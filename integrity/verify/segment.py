"""The unit of work: one account and source region of a trail, over a span of whole days.

Its digests are read and their log files checked (`checking`); but hours that the last verification
sealed at its begin are left alone while their listing is unchanged (`hours`).

A segment is small and picklable, so any engine may run it, anywhere, twice. Its result is small
too; links, coverage and the head are judged later, from the results alone (`join`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from integrity.chain.known import Recall
from integrity.chain.model import ChainId, PublicKey, Root, TimeWindow, TrailStatus
from integrity.chain.seal import SealedHours
from integrity.chain.times import HOUR
from integrity.events.search import Wanted
from integrity.record import SegmentResult
from integrity.verify.checking import SegmentCheck
from integrity.verify.hours import find_unchanged
from integrity.verify.job import Job
from integrity.verify.parallel import Budget
from integrity.verify.tools import Tools

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)

_SHOWN = Budget(16_000)
"""So many log files of sealed hours are in memory at a time as their listing shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A chain (and its backfill chain) over a part of the window.

    Digests that end in [start, end + 1 h] belong to a window, as with the AWS CLI. Between segments
    an instant belongs to the earlier one. Older parts of the chain may lie under the roots
    `beside`. `keys` were asked for once per region; `witness` is what GetTrailStatus said before
    anything was listed; `known` are digests that earlier verifications saw, `hours` the ones at its
    begin that the last one sealed. The events that are `wanted` are taken out of its verified log
    files, and those that the job's rules ask for.
    """

    chain: ChainId
    window: TimeWindow
    beside: tuple[Root, ...] = ()
    is_first: bool = True
    is_last: bool = True
    keys: tuple[PublicKey, ...] = ()
    witness: TrailStatus | None = None
    wanted: Wanted | None = None
    known: tuple[Recall, ...] = ()
    hours: SealedHours | None = None

    @property
    def span(self) -> TimeWindow:
        """The end times of the digests that belong to it."""
        start = self.window.start if self.is_first else self.window.start + _SECOND
        return TimeWindow(start, self.window.end + HOUR if self.is_last else self.window.end)

    @property
    def log_window(self) -> TimeWindow:
        """The minutes in the names of the log files that belong to it; both ends are in it."""
        end = self.window.end if self.is_last else self.window.end - _MINUTE
        return TimeWindow(self.window.start, end)


def check_segment(segment: Segment, job: Job, tools: Tools) -> SegmentResult:
    """Check one segment. Harmless to repeat.

    Where hours at its begin are unchanged and nothing is wrong with the others, it is these others
    that are read; else it is all of it, so that whatever is told is told of the whole.
    """
    hours = segment.hours
    # What ended chains may stand in any of its log files, and so may what rules were not asked.
    if hours is None or segment.wanted is not None or (job.rules and not hours.heard):
        return SegmentCheck(segment, job, tools).check()
    with _SHOWN.hold(hours.seal.logs):
        window = segment.log_window
        unchanged = find_unchanged(hours, segment.chain, segment.beside, window, tools)
        if unchanged is not None:
            check = SegmentCheck(segment, job, tools, unchanged)
            result = check.check()
            if check.is_proven or tools.stopping.is_set():
                return result
    return SegmentCheck(segment, job, tools).check()
