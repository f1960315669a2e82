"""Events that were seen live, held against the log files that CloudTrail signed.

1. Every tick looks for the events that wait among those it verifies: what is found is confirmed.
2. One that still waits when `after` is over is looked for again in its account and region, from its
   hour on for as long as that: log files may be late, and a tick passes by what it has heard.
3. It is `event_unconfirmed` where all of these hours are proven and nothing was left out, and still
   no log file holds it. Hours that are not proven speak for themselves; then it waits on, and is
   looked for again each time that `after` has passed, until the store forgets it.

Where the trail has no such chain nobody looks: the event is another trail's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from integrity.chain.estate import ExpirationRule
from integrity.chain.findings import Finding, Place, Reason, find, worst
from integrity.chain.known import unheard
from integrity.chain.model import ChainKind, TimeWindow
from integrity.chain.times import HOUR, format_instant
from integrity.events.search import Wanted
from integrity.incidents.looks import Look
from integrity.record import Run
from integrity.service.ports import OpenTrail, SightingStore
from integrity.state import Sighting
from integrity.structs import replace
from integrity.verify.parallel import Stopping
from integrity.verify.run import Verification

_MOST_WORDS = 500
_MOST_LOOKS = 20
_PROVEN, _DOUBTFUL = frozenset("PE"), frozenset("GMXU")


class _Named(msgspec.Struct):
    eventID: str = ""  # noqa: N815 - CloudTrail's own field name


_NAMED = msgspec.json.Decoder(_Named)


class Waiting:
    """The events of one trail that wait for their log file, as one tick finds them."""

    def __init__(
        self, store: SightingStore, trail_arn: str, *, after: timedelta, now: datetime
    ) -> None:
        self._store, self._trail_arn, self._after = store, trail_arn, after
        self.now = now
        self._sightings = {one.event_id: one for one in store.waiting(trail_arn, now)}
        self._confirmed: set[str] = set()

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What verification is to bring along: events of these names with one of these ids."""
        waiting = list(self._unconfirmed())[:_MOST_WORDS]
        if not waiting:
            return ()
        names = dict.fromkeys(one.event_name for one in waiting)
        words = dict.fromkeys(one.event_id.partition("-")[0] for one in waiting)
        return (Wanted(names=tuple(names), words=tuple(words)),)

    def hear(self, verification: Verification) -> None:
        """Confirm what its log files hold."""
        for event in verification.asked:
            try:
                event_id = _NAMED.decode(event.event).eventID
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if event_id in self._sightings:
                self._confirmed.add(event_id)

    def look_again(
        self,
        opened: OpenTrail,
        main: Verification,
        before: datetime | None,
        *,
        known_rules: tuple[ExpirationRule, ...] | None,
        stopping: Stopping,
    ) -> list[Run]:
        """The runs over the hours of events that wait too long, with what was not found in them.

        The tick before this one attempted no more than `before`.
        """
        known = unheard(main.known, ())

        def looked(look: Look) -> Verification:
            return opened.look(
                look, known=known, known_rules=known_rules, rules=self.wanted, stopping=stopping
            )

        looks = self._looks(main.run, before)
        return [self.judge(looked(look)) for look in looks if not stopping.is_set()]

    def _looks(self, main: Run, before: datetime | None) -> tuple[Look, ...]:
        """One look an account and region, over what its overdue events need."""
        chains = {(chain.account_id, chain.region) for chain in main.chains}
        needed: dict[tuple[str, str], list[TimeWindow]] = {}
        for one in self._unconfirmed():
            place = (one.account_id, one.region)
            if place in chains and self._is_due(one, before):
                needed.setdefault(place, []).append(self._hours(one))
        looks = [
            Look(account, region, _hull(windows), ())
            for (account, region), windows in sorted(needed.items())
        ]
        return tuple(looks[:_MOST_LOOKS])

    def judge(self, look: Verification) -> Run:
        """The run of a look, with a finding for each event that is still not confirmed there."""
        self.hear(look)
        run = look.run
        if run.run.interrupted or look.dropped:
            return run  # it may be in what was not read
        found = tuple(
            self._finding(one)
            for one in self._unconfirmed()
            if one.seen_at + self._after <= self.now and _proves(run, one, self._hours(one))
        )
        outcome = worst((run.outcome, *(finding.outcome for finding in found)))
        return replace(run, outcome=outcome, findings=(*run.findings, *found))

    def settle(self) -> None:
        """Forget what was confirmed. Raises AccessError as the store does: then the next tick."""
        if self._confirmed:
            self._store.forget(self._trail_arn, sorted(self._confirmed))

    def _unconfirmed(self) -> Iterator[Sighting]:
        return (one for one in self._sightings.values() if one.event_id not in self._confirmed)

    def _is_due(self, one: Sighting, before: datetime | None) -> bool:
        """Whether `after` has passed once more since the tick before."""
        past = timedelta(0) if before is None else max(timedelta(0), before - one.seen_at)
        return (self.now - one.seen_at) // self._after > past // self._after

    def _hours(self, one: Sighting) -> TimeWindow:
        """Whole hours: its own, and those in which a late log file may have come."""
        start = one.time.replace(minute=0, second=0, microsecond=0)
        return TimeWindow(start, start + HOUR * -(-self._after // HOUR))

    def _finding(self, one: Sighting) -> Finding:
        said = f"{one.event_name} {one.event_id} of {format_instant(one.time)}"
        finding = find(
            Reason.EVENT_UNCONFIRMED,
            Place(one.account_id, one.region),
            self._hours(one),
            detail=f"{said}, seen live at {format_instant(one.seen_at)}",
        )
        return replace(finding, first=said)


def _hull(windows: Iterable[TimeWindow]) -> TimeWindow:
    every = list(windows)
    return TimeWindow(min(one.start for one in every), max(one.end for one in every))


def _proves(run: Run, one: Sighting, hours: TimeWindow) -> bool:
    """Whether the run proves all of these hours, with what their log files hold."""
    asked = run.requested
    if not (asked.start <= hours.start and hours.end <= asked.end and asked.log_files):
        return False
    letters = [
        chain.hours[(hours.start - asked.start) // HOUR :][: (hours.end - hours.start) // HOUR]
        for chain in run.chains
        if (chain.account_id, chain.region) == (one.account_id, one.region)
        and chain.kind is ChainKind.STANDARD
    ]
    by_hour = [set(said) for said in zip(*letters, strict=True)]
    return bool(by_hour) and all(said & _PROVEN and not said & _DOUBTFUL for said in by_hour)
