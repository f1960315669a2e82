"""What a verification is asked to do: one trail, one window, what to leave out, how long to wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from integrity.chain.limits import Limits
from integrity.chain.model import Trail, TimeWindow
from integrity.chain.times import DAY, HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One trail to verify over one window.

    `account_ids` and `source_regions` narrow what is verified (None: all that the bucket shows);
    `ignored` holds `ACCOUNT` or `ACCOUNT/REGION`, chains that a person says have ended. `grace` is
    how late the newest digest may be; `redelivery_grace` how long a missing one may still come.
    """

    trail: Trail
    window: TimeWindow
    account_ids: tuple[str, ...] | None = None
    source_regions: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    grace: timedelta = HOUR
    redelivery_grace: timedelta = DAY
    unreferenced: bool = True
    allow_gaps: bool = False
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 32
