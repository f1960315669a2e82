"""A drill's last stretch: what the alarms that went off did, and what came to the queues.

Both are looked at together and again and again, because either may be late. Whoever looks decides
how often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from integrity.service.drill_ports import QueueView, Way
from integrity.service.drilled import Hop, Sight
from integrity.state import Alarm, AlarmAction, DeliveryError
from integrity.structs import replace


@dataclass(slots=True)
class Followed:
    """`alarms` are those that went off; `marks` says what each queue should get, by its mark.

    `since` is when the drill began, `began` the same by the timer.
    """

    way: Way
    alarms: Sequence[Alarm]
    marks: Mapping[str, str]
    since: datetime
    began: float
    actions: dict[tuple[str, str], Hop] = field(default_factory=dict)
    arrivals: list[Hop] = field(default_factory=list)
    _hidden: set[str] = field(default_factory=set)
    _left: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for alarm in self.alarms:
            for arn in alarm.topics:
                detail = f"CloudWatch has not shown it of {alarm.name}"
                hop = Hop(name="action", place=arn, sight=Sight.UNSEEN, detail=detail)
                self.actions[alarm.name, arn] = hop
        self._left = {queue.place: dict(self.marks) for queue in self.way.queues}

    def look(self) -> bool:
        """Look once at everything. Whether there is more that may still be seen."""
        for alarm in self.alarms:
            self._look_at(alarm)
        for queue in self.way.queues:
            if self._left[queue.place]:
                self._read(queue)
        waits = any(
            hop.sight is Sight.UNSEEN and name not in self._hidden
            for (name, _), hop in self.actions.items()
        )
        return waits or any(self._left.values())

    def end(self) -> None:
        """The time is up: what has not come has failed."""
        for place, left in self._left.items():
            for what in left.values():
                self._arrived(place, Sight.FAILED, f"{what} has not come")
            if not self.marks:
                self._arrived(place, Sight.UNSEEN, "nothing was sent to any topic")

    def _look_at(self, alarm: Alarm) -> None:
        if alarm.name in self._hidden or self.way.alarms is None:
            return
        try:
            told = self.way.alarms.told(alarm, self.since)
        except DeliveryError as error:
            self._hidden.add(alarm.name)
            for arn in alarm.topics:
                if self.actions[alarm.name, arn].sight is Sight.UNSEEN:
                    self._act(alarm.name, arn, Sight.UNSEEN, str(error))
            return
        for arn in alarm.topics:
            if arn in told and self.actions[alarm.name, arn].sight is Sight.UNSEEN:
                self._act(alarm.name, arn, _sight(told[arn]), told[arn].words)

    def _read(self, queue: QueueView) -> None:
        left = self._left[queue.place]
        try:
            found = queue.receive(tuple(left))
        except DeliveryError as error:
            left.clear()
            self._arrived(queue.place, Sight.UNSEEN, str(error))
            return
        for mark, topic in found:
            self._arrived(queue.place, Sight.DONE, left.pop(mark))
            action = self.actions.get((mark, topic))
            if action is not None and action.sight is Sight.UNSEEN:
                self._act(mark, topic, Sight.DONE, "CloudWatch did not show it; it has come")

    def _act(self, name: str, arn: str, sight: Sight, detail: str) -> None:
        seconds = self._elapsed() if sight is Sight.DONE else None
        hop = self.actions[name, arn]
        self.actions[name, arn] = replace(hop, sight=sight, detail=detail, seconds=seconds)

    def _arrived(self, place: str, sight: Sight, detail: str) -> None:
        seconds = self._elapsed() if sight is Sight.DONE else None
        hop = Hop(name="arrival", place=place, sight=sight, detail=detail, seconds=seconds)
        self.arrivals.append(hop)

    def _elapsed(self) -> float:
        return self.way.timer() - self.began


def _sight(action: AlarmAction) -> Sight:
    return Sight.DONE if action.is_taken else Sight.FAILED
