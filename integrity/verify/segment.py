"""The unit of work: one account and source region of a trail, over a span of whole days.

A segment is small and picklable, so any engine may check it (`checking`), anywhere, twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from integrity.chain.known import Recall
from integrity.chain.model import ChainId, PublicKey, Root, TimeWindow, TrailStatus
from integrity.chain.seal import SealedHours
from integrity.chain.times import HOUR
from integrity.events.search import Wanted
from integrity.structs import replace

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)


class Segment(Struct, frozen=True, kw_only=True):
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

    def span_after(self, end: datetime) -> TimeWindow:
        """Of these end times those after `end`."""
        return replace(self.span, start=end + _SECOND)

    @property
    def log_window(self) -> TimeWindow:
        """The minutes in the names of the log files that belong to it; both ends are in it."""
        end = self.window.end if self.is_last else self.window.end - _MINUTE
        return TimeWindow(self.window.start, end)
