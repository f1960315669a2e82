"""Which time a tick looks at: from where the last one stopped, with an overlap, up to now. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from integrity.chain.model import TimeWindow
from integrity.state import Checkpoint


def next_window(
    checkpoint: Checkpoint | None, now: datetime, *, overlap: timedelta, first: timedelta
) -> TimeWindow:
    """From `overlap` before what was attempted; without a checkpoint the last `first` before now.

    The overlap is for digests that come late or again. How far a finding lies back does not matter:
    it lives on as an incident, with a window of its own.
    """
    start = now - first if checkpoint is None else min(checkpoint.attempted, now) - overlap
    return TimeWindow(start.replace(microsecond=0), now.replace(microsecond=0))
