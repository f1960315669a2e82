"""What a drill needs of the world, beside what a tick needs: sight of alarms, topics and a queue.

The interfaces belong here; `deliver` fulfils them without importing this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from integrity.service.ports import Destination, MetricsSink
from integrity.state import Alarm, AlarmAction, Audience, TopicState
from integrity.verify.parallel import Stopping


class AlarmsView(Protocol):
    """CloudWatch's alarms. Raises DeliveryError where nothing can be seen."""

    def watching(self, name: str, dimensions: tuple[tuple[str, str], ...]) -> Sequence[Alarm]:
        """The alarms on one metric of the service's namespace."""

    def told(self, alarm: Alarm, since: datetime) -> Mapping[str, AlarmAction]:
        """What became of each of its actions since, by the action's ARN."""


class TopicsView(Protocol):
    """Topics of SNS."""

    def state(self, topic_arn: str) -> TopicState | None:
        """None where there is no such topic. Raises DeliveryError where it cannot be seen."""


class QueueView(Protocol):
    """A queue of the drill's own."""

    place: str

    def receive(self, marks: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Take out what is there: which marks it has, and the topic that each came by.

        A mark is a drill's id, or the name of an alarm that went off. Raises DeliveryError.
        """


class Way(Struct, frozen=True, kw_only=True):
    """Everything that a drill goes through. `metrics` and `alarms` are None where there are none.

    `timer` counts seconds; `stopping` waits between two looks.
    """

    trail_arn: str
    place: tuple[str, str]
    names: Mapping[Audience, tuple[str, ...]]
    destinations: Mapping[str, Destination]
    metrics: MetricsSink | None
    alarms: AlarmsView | None
    topics: TopicsView
    queues: Sequence[QueueView]
    clock: Callable[[], datetime]
    timer: Callable[[], float]
    pause: Callable[[float], object]
    stopping: Stopping
