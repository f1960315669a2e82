"""What verified events say was done to a trail, and which of its chains that ended.

1. StopLogging, DeleteTrail and validation switched off end every chain of the trail; one region
   instead of all ends the chains outside of the home region; no organization any more ends those
   of its members.
2. An act stands until a later one, verified too, takes it back. Of two in the same second the one
   that takes back is the later.
3. It does not stand against AWS's present word that the trail exists, logs, signs and covers what
   it had ceased to.
4. It ends a chain only if the chain's authentic digests reach the act, and do not go on after it:
   an act does not explain hours that were signed before it, nor a beginning after it.

What a failed call asked for was not done. The name of an act is believed from an event of the trail
owner's home region alone, where such calls are made and recorded; `events.acts` sees to that.
(AWS: API_StopLogging, API_UpdateTrail; CloudTrail digest file structure.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from integrity.chain.link import Entry
from integrity.chain.model import ChainId, S3Location, Trail, TrailStatus
from integrity.chain.times import HOUR, format_instant


class Aspect(StrEnum):
    """What a chain lives by, and an act on its trail can switch."""

    EXISTENCE = "existence"
    LOGGING = "logging"
    VALIDATION = "validation"
    REGIONS = "regions"
    MEMBERS = "members"


AT_HOME = frozenset({Aspect.EXISTENCE, Aspect.LOGGING, Aspect.VALIDATION})
"""What the home region's chain lives by, and with it every other."""


class TrailAct(Struct, frozen=True, kw_only=True):
    """A call that succeeded: what it switched `off`, and `on`. `by` is the caller's ARN.

    It stands in the log file `log`, whose content `sha256` is signed.
    """

    event_name: str
    time: datetime
    by: str
    event_id: str
    log: S3Location
    sha256: str
    off: frozenset[Aspect] = frozenset()
    on: frozenset[Aspect] = frozenset()

    def __str__(self) -> str:
        return f"{self.event_name} by {self.by or 'nobody named'} at {format_instant(self.time)}"


class Acts(Struct, frozen=True):
    """The acts on a trail in the log files that were read. `unread`: so many files or events were
    not, for their size or form, and an act that was taken back may hide among them.
    """

    known: tuple[TrailAct, ...] = ()
    unread: int = 0

    def __add__(self, other: Acts) -> Acts:
        return Acts(tuple(dict.fromkeys(self.known + other.known)), self.unread + other.unread)


NO_ACTS = Acts()


def open_aspects(trail: Trail, status: TrailStatus | None) -> frozenset[Aspect]:
    """What may have been switched off for all that AWS says now. Who was not asked says nothing."""
    denied = set()
    if trail.looked_up:
        denied.add(Aspect.EXISTENCE)
        denied |= {Aspect.VALIDATION} if trail.validation else set()
        denied |= {Aspect.REGIONS} if trail.multi_region else set()
        denied |= {Aspect.MEMBERS} if trail.is_organization else set()
    if status is not None and status.is_logging:
        denied |= {Aspect.EXISTENCE, Aspect.LOGGING}
    return frozenset(Aspect) - denied


def ending_act(
    acts: Acts, chain: ChainId, trail: Trail, status: TrailStatus | None
) -> TrailAct | None:
    """The earliest act that ended the chain and was not taken back."""
    if acts.unread:
        return None
    standing = []
    for aspect in aspects_of(chain.account_id, chain.region, trail) & open_aspects(trail, status):
        resumed = [act.time for act in acts.known if aspect in act.on]
        if aspect is Aspect.LOGGING and status is not None and status.started is not None:
            resumed.append(status.started)
        standing += [
            act
            for act in acts.known
            if aspect in act.off and all(time < act.time for time in resumed)
        ]
    return min(standing, key=lambda act: (act.time, act.event_id), default=None)


def may_have_ended(chain: ChainId, trail: Trail, status: TrailStatus | None) -> bool:
    """Whether any act could have ended the chain, for all that AWS says now."""
    return bool(aspects_of(chain.account_id, chain.region, trail) & open_aspects(trail, status))


def aspects_of(account_id: str, region: str, trail: Trail) -> frozenset[Aspect]:
    """What the chain of an account's region lives by."""
    spared = set()
    if region == trail.home_region:
        spared.add(Aspect.REGIONS)
    if account_id == trail.account_id:
        spared.add(Aspect.MEMBERS)
    return frozenset(Aspect) - spared


def reaches(act: TrailAct, known: Sequence[Entry]) -> bool:
    """Whether the chain's digests go on up to the act, and end there.

    CloudTrail writes one more digest, over the hour of the act.
    """
    head = max((entry.window.end for entry in known if entry.is_there), default=None)
    if head is None or not act.time <= head < act.time + 2 * HOUR:
        return False
    ends = [entry for entry in known if entry.window.end == head]
    begun = [e for e in known if e.is_authentic and not e.covers and e.previous is None]
    return all(entry.is_authentic for entry in ends) and all(
        entry.window.end <= act.time for entry in begun
    )
