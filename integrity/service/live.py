"""Events seen live: what the rules match is kept as letters, and remembered until it is proven.

An event of the trail's own log group or bucket should stand in one of its log files before long. So
one that matched is remembered, and the ticks look for it (`reconcile`). What CloudTrail's digests
never name (Insight and network activity events), what belongs to no chain, and what came another
way is told and not remembered. First it is remembered, then told: whoever dies in between is handed
the same payload again, and repeats nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from integrity.chain.names import ACCOUNT_ID, is_region_name
from integrity.rules.messages import address_match, write_match
from integrity.rules.model import Event, Match
from integrity.rules.reading import read_event
from integrity.service.ports import StateStore
from integrity.state import Letter, Sighting

_EVENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ACCOUNT = re.compile(ACCOUNT_ID)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_SIGNED = frozenset({"", "Management", "Data"})
"""The categories of events whose log files digests name; old events have none."""


class Origin(Struct, frozen=True, kw_only=True):
    """Whence live events come.

    `is_reconciled`: the trail, and no other, writes there, so that its log files hold them too.
    """

    trail_arn: str
    is_reconciled: bool = False


class Taken(Struct, frozen=True):
    """What became of some events: how many there were, matched, and were none."""

    seen: int = 0
    matched: int = 0
    unread: int = 0


class LiveEvents:
    """Rules, by what matches events against them, and the store that keeps what matched."""

    def __init__(
        self,
        match: Callable[[Iterable[Event]], Iterator[Match]],
        store: StateStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._match, self._store, self._clock = match, store, clock

    def take(self, raws: Iterable[bytes], origin: Origin) -> Taken:
        """Keep what is to be told of them. Raises AccessError as the store does."""
        now = self._clock()
        read = [read_event(raw) for raw in raws]
        events = [event for event in read if event is not None]
        letters: list[Letter] = []
        sightings: list[Sighting] = []
        matched = 0
        for match in self._match(events):
            matched += 1
            message = write_match(match, trail_arn=origin.trail_arn, now=now)
            letters += address_match(message, match.rule)
            if origin.is_reconciled and (seen := _sighting(match.event, origin, now)) is not None:
                sightings.append(seen)
        if sightings:
            self._store.sightings.remember(sightings)
        if letters:
            self._store.keep_letters(letters)
        return Taken(len(read), matched, len(read) - len(events))


def _sighting(event: Event, origin: Origin, now: datetime) -> Sighting | None:
    """What is to be looked for; None where no log file of a trail's chains would hold it."""
    named = _EVENT_ID.fullmatch(event.id) and _NAME.fullmatch(event.name)
    placed = _ACCOUNT.fullmatch(event.account_id) and is_region_name(event.region)
    if not named or not placed or event.time is None or event.category not in _SIGNED:
        return None
    return Sighting(
        trail_arn=origin.trail_arn,
        event_id=event.id,
        event_name=event.name,
        account_id=event.account_id,
        region=event.region,
        time=event.time,
        seen_at=now,
    )
