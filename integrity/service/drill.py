"""A drill: is anybody told, if something is found? Each hop of the way is tried, timed and judged.

    metric   a number of its own is put, which the drill's own alarm watches
    alarm    CloudWatch sees it: the alarm goes off
    action   CloudWatch tells the alarm's topics
    message  a synthetic finding goes to every destination, by way of the outbox
    topic    each topic on the way is there and has a confirmed subscription
    arrival  queues that are subscribed for it have both (where any was named)
    reader   nobody can see from here whether a person reads it

A hop is done, failed, or not seen; the drill has passed if every hop that has to be is done. It
touches no checkpoint, no incident, no letter of the store and no number of a real tick: what it
could not deliver is not tried again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from integrity.incidents.drill import write_drill
from integrity.metrics import Meter
from integrity.service.drill_ports import AlarmsView, Way
from integrity.service.drilled import Drilled, Hop, Sight
from integrity.service.followed import Followed
from integrity.service.outbox import Outbox, address
from integrity.state import Alarm, Audience, DeliveryError, Letter
from integrity.structs import replace

BETWEEN_LOOKS = 5.0
"""Seconds. An alarm looks at its metric once a minute, or every ten seconds."""

_GONE_OFF = "ALARM"
_TAKEN_AWAY = "gone"


@dataclass(slots=True)
class Drill:
    """One drill, made once. `timeout` bounds what it waits for in all."""

    way: Way
    id: str
    timeout: timedelta
    _began: float = 0.0
    _alarms: Sequence[Alarm] = ()
    _hidden: str = ""
    _topics: dict[str, None] = field(default_factory=dict)
    _marks: dict[str, str] = field(default_factory=dict)
    _loud: list[Alarm] = field(default_factory=list)

    def run(self, by: str | None) -> Drilled:
        """Go the whole way. Whatever stands in it becomes a hop's detail."""
        self._began, started = self.way.timer(), self.way.clock()
        hops = [*self._hops(started)]
        return Drilled(
            id=self.id,
            trail_arn=self.way.trail_arn,
            by=by,
            started_at=started,
            finished_at=self.way.clock(),
            hops=tuple(hops),
            interrupted=self.way.stopping.is_set(),
        )

    def _hops(self, started: datetime) -> Iterator[Hop]:
        alarms = self.way.alarms
        metric = self._metric(started)
        yield metric
        messages = [*self._messages(started)]
        if alarms is not None:
            yield from self._alarmed(metric, alarms)
        followed = self._follow(started)
        yield from followed.actions.values()
        yield from messages
        yield from map(self._topic, self._topics)
        yield from followed.arrivals
        yield Hop(
            name="reader",
            place="people",
            sight=Sight.UNSEEN,
            detail="whether anybody reads it cannot be seen from here: ask who was told",
            has_to_be=False,
        )

    def _follow(self, started: datetime) -> Followed:
        """What the alarms that went off did, and what has come of all that was sent."""
        for alarm in self._loud:
            self._topics |= dict.fromkeys(alarm.topics)
            self._marks[alarm.name] = f"what {alarm.name} told"
        followed = Followed(self.way, self._loud, self._marks, started, self._began)
        while followed.look() and self._may_wait():
            pass
        followed.end()
        return followed

    # A number, and its alarm

    def _metric(self, now: datetime) -> Hop:
        """Put the number, once it is known which alarms wait for it."""
        way, begun = self.way, self.way.timer()
        point = Meter(way.trail_arn, now).drill()
        hop = Hop(name="metric", place=point.name, sight=Sight.UNSEEN, has_to_be=False)
        if way.metrics is None or way.alarms is None:
            return replace(hop, detail="metrics are off: no alarm watches this service")
        try:
            self._alarms = way.alarms.watching(point.name, point.dimensions)
        except DeliveryError as error:
            self._hidden = str(error)
        try:
            way.metrics.put([point])
        except DeliveryError as error:
            return replace(hop, sight=Sight.FAILED, detail=str(error))
        return replace(hop, sight=Sight.DONE, seconds=way.timer() - begun)

    def _alarmed(self, metric: Hop, alarms: AlarmsView) -> Iterator[Hop]:
        """Each alarm that watches the number, and whether it went off."""
        hop = Hop(name="alarm", place=metric.place, sight=Sight.UNSEEN)
        if self._hidden:
            yield replace(hop, detail=self._hidden)
        elif not self._alarms:
            yield replace(
                hop,
                sight=Sight.FAILED,
                detail="no alarm watches this metric with the trail as its dimension; "
                "deploy/service.yaml has one, DrillAlarm",
            )
        for alarm in self._alarms:
            hop = self._alarm(alarm, metric, alarms)
            yield hop
            if hop.sight is Sight.DONE:
                deaf = [*self._deaf(alarm)]
                yield from deaf
                if not deaf:
                    self._loud.append(alarm)

    def _alarm(self, alarm: Alarm, metric: Hop, alarms: AlarmsView) -> Hop:
        hop = Hop(name="alarm", place=alarm.name, sight=Sight.UNSEEN)
        if metric.sight is not Sight.DONE:
            return replace(hop, detail="the number was not put")
        if alarm.state == _GONE_OFF:
            why = "it had gone off before this drill, by an earlier one perhaps: try when it is OK"
            return replace(hop, sight=Sight.FAILED, detail=why)
        begun, last = self.way.timer(), alarm
        while last.state != _GONE_OFF:
            if last.state == _TAKEN_AWAY or not self._may_wait():
                why = f"it is {last.state}: {last.why}"
                return replace(hop, sight=Sight.FAILED, detail=why)
            try:
                last = self._shown(alarm, alarms)
            except DeliveryError as error:
                return replace(hop, detail=str(error))
        return replace(hop, sight=Sight.DONE, seconds=self.way.timer() - begun)

    def _shown(self, alarm: Alarm, alarms: AlarmsView) -> Alarm:
        """The alarm as it is now."""
        point = Meter(self.way.trail_arn, self.way.clock()).drill()
        shown = alarms.watching(point.name, point.dimensions)
        gone = replace(alarm, state=_TAKEN_AWAY, why="nothing watches the metric any more")
        return next((one for one in shown if one.name == alarm.name), gone)

    def _deaf(self, alarm: Alarm) -> Iterator[Hop]:
        """An alarm that goes off and tells nobody."""
        if not alarm.topics or not alarm.is_on:
            why = "its actions are switched off" if alarm.topics else "it tells no topic of SNS"
            yield Hop(name="action", place=alarm.name, sight=Sight.FAILED, detail=why)

    # The synthetic finding

    def _messages(self, now: datetime) -> Iterator[Hop]:
        way = self.way
        messages = [
            write_drill(self.id, way.trail_arn, way.place, audience, now) for audience in Audience
        ]
        for letter in address(messages, way.names):
            topic = letter.destination.removeprefix("sns:")
            hop = self._message(letter, now)
            if topic != letter.destination:
                self._topics[topic] = None
                if hop.sight is Sight.DONE:
                    self._marks[self.id] = "the drill's message"
            yield hop
        for audience in Audience:
            if not way.names.get(audience):
                yield Hop(
                    name="message",
                    place=audience.value,
                    sight=Sight.FAILED,
                    detail=f"{audience.value} has no destination: nobody would be told",
                )

    def _message(self, letter: Letter, now: datetime) -> Hop:
        """Through the outbox, but out of a satchel of its own: nothing of it stays behind."""
        satchel, begun = _Satchel(letter), self.way.timer()
        Outbox(satchel, self.way.destinations, give_up_after=timedelta(0)).deliver(now)
        hop = Hop(name="message", place=letter.destination, sight=Sight.DONE)
        if satchel.error:
            return replace(hop, sight=Sight.FAILED, detail=satchel.error)
        return replace(hop, seconds=self.way.timer() - begun)

    # Where it goes

    def _topic(self, arn: str) -> Hop:
        hop = Hop(name="topic", place=arn, sight=Sight.UNSEEN, has_to_be=False)
        try:
            state = self.way.topics.state(arn)
        except DeliveryError as error:
            return replace(hop, detail=str(error))
        if state is None:
            return replace(hop, sight=Sight.FAILED, detail="there is no such topic")
        if not state.confirmed:
            why = f"no subscription is confirmed, {state.pending} wait for it: nobody is told"
            return replace(hop, sight=Sight.FAILED, detail=why)
        return replace(hop, sight=Sight.DONE, detail=f"{state.confirmed} confirmed subscriptions")

    def _elapsed(self) -> float:
        return self.way.timer() - self._began

    def _may_wait(self) -> bool:
        """Wait a little; False where the time is up or somebody wants it to end."""
        left = self.timeout.total_seconds() - self._elapsed()
        if left <= 0 or self.way.stopping.is_set():
            return False
        self.way.pause(min(BETWEEN_LOOKS, left))
        return True


class _Satchel:
    """One letter, on its only way: what a drill could not deliver, no tick tries again."""

    def __init__(self, letter: Letter) -> None:
        self._letters = [letter]
        self.error = ""

    def claim_letters(
        self,
        now: datetime,
        *,
        lease: timedelta,
        limit: int,
        destinations: Collection[str] | None = None,
    ) -> Sequence[Letter]:
        """The letter, once."""
        del now, lease, limit, destinations
        letters, self._letters = self._letters, []
        return letters

    def mark_sent(self, letter_id: str, now: datetime) -> None:
        """It has arrived."""

    def mark_failed(self, letter: Letter) -> None:
        """It has not, and why."""
        self.error = letter.last_error
