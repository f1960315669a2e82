"""A drill on ways that are broken at every place, each of which it has to name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest

from integrity.incidents.drill import write_drill
from integrity.incidents.facts import render_facts
from integrity.incidents.text import Matter
from integrity.service.drill import Drill
from integrity.service.drill_ports import Way
from integrity.service.drilled import Drilled, Sight, encode
from integrity.service.outbox import address
from integrity.state import Alarm, AlarmAction, Audience, DeliveryError, Step, TopicState
from integrity.structs import replace
from tests.incidents.story import ARN, BEGIN
from tests.service.memory_stage import Box, Sink
from tests.stores.specimens import incident

SECURITY, OPERATIONS = "arn:aws:sns:us-east-1:1:security", "arn:aws:sns:us-east-1:1:operations"
PLACE = ("111122223333", "us-east-1")
ID = "drill-0a1b2c3d"
TAKEN = AlarmAction(is_taken=True, words="done")
ALARM = Alarm(name="d", topics=(SECURITY, OPERATIONS), is_on=True, state="OK", why="no number")


@dataclass
class Queue:
    """What comes when it has been looked at so often."""

    place: str
    coming: list[list[tuple[str, str]]] = field(default_factory=list)
    refuses: str = ""

    def receive(self, marks: Sequence[str]) -> Sequence[tuple[str, str]]:
        if self.refuses:
            raise DeliveryError(self.refuses)
        found = self.coming.pop(0) if self.coming else []
        return [one for one in found if one[0] in marks]


@dataclass
class Ground:
    """A way that is whole. Looks take five seconds each."""

    sink: Sink = field(default_factory=Sink)
    names: dict[Audience, tuple[str, ...]] = field(
        default_factory=lambda: {
            Audience.SECURITY: (f"sns:{SECURITY}", "slack:security"),
            Audience.OPERATIONS: (f"sns:{OPERATIONS}",),
        }
    )
    states: list[str] = field(default_factory=lambda: ["OK", "OK", "ALARM"])
    alarms_shown: tuple[Alarm, ...] = (ALARM,)
    hides: str = ""
    history: list[dict[str, AlarmAction]] = field(
        default_factory=lambda: [
            {SECURITY: TAKEN},
            {OPERATIONS: TAKEN},
        ]
    )
    hides_history: str = ""
    topic_states: dict[str, TopicState | None] = field(
        default_factory=lambda: dict.fromkeys((SECURITY, OPERATIONS), TopicState(1, 0))
    )
    hides_topics: str = ""
    queues: list[Queue] = field(default_factory=list)
    has_metrics: bool = True
    seconds: float = 0.0
    stopping: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        names = {name for names in self.names.values() for name in names}
        self.boxes = {name: Box() for name in names}

    def watching(self, name: str, dimensions: tuple[tuple[str, str], ...]) -> Sequence[Alarm]:
        assert (name, dimensions) == ("Drill", (("Trail", ARN),))
        if self.hides:
            raise DeliveryError(self.hides)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return [] if state == "none" else [replace(one, state=state) for one in self.alarms_shown]

    def told(self, alarm: Alarm, since: datetime) -> Mapping[str, AlarmAction]:
        assert (alarm.name, since) == ("d", BEGIN)
        if self.hides_history:
            raise DeliveryError(self.hides_history)
        return self.history.pop(0) if self.history else {}

    def state(self, topic_arn: str) -> TopicState | None:
        if self.hides_topics:
            raise DeliveryError(self.hides_topics)
        return self.topic_states[topic_arn]

    def pause(self, seconds: float) -> None:
        self.seconds += seconds

    def drill(self, *, timeout: float = 60) -> Drilled:
        way = Way(
            trail_arn=ARN,
            place=PLACE,
            names=self.names,
            destinations=self.boxes,
            metrics=self.sink if self.has_metrics else None,
            alarms=self if self.has_metrics else None,
            topics=self,
            queues=self.queues,
            clock=lambda: BEGIN,
            timer=lambda: self.seconds,
            pause=self.pause,
            stopping=self.stopping,
        )
        return Drill(way, ID, timedelta(seconds=timeout)).run("an ARN")


def told(drilled: Drilled) -> list[tuple[str, str, str]]:
    return [(hop.name, hop.place, hop.sight.value) for hop in drilled.hops]


def missing(drilled: Drilled) -> list[tuple[str, str]]:
    assert not drilled.has_passed
    return [(hop.name, hop.place) for hop in drilled.missing]


def details(drilled: Drilled, name: str) -> list[str]:
    return [hop.detail for hop in drilled.hops if hop.name == name]


def test_a_whole_way_is_passed_and_every_hop_is_timed() -> None:
    ground = Ground()
    drilled = ground.drill()

    assert drilled.has_passed
    assert told(drilled) == [
        ("metric", "Drill", "done"),
        ("alarm", "d", "done"),
        ("action", SECURITY, "done"),
        ("action", OPERATIONS, "done"),
        ("message", f"sns:{SECURITY}", "done"),
        ("message", "slack:security", "done"),
        ("message", f"sns:{OPERATIONS}", "done"),
        ("topic", SECURITY, "done"),
        ("topic", OPERATIONS, "done"),
        ("reader", "people", "not seen"),
    ]
    seconds = [hop.seconds for hop in drilled.hops]
    assert seconds[:7] == [0, 10, 10, 15, 0, 0, 0]
    assert ground.sink.values == {"Drill": 1}
    document = json.loads(encode(drilled))
    assert (document["passed"], document["by"], document["drill_id"]) == (True, "an ARN", ID)
    assert document["hops"][1]["seconds"] == 10
    assert document["hops"][-1]["has_to_be"] is False


def test_the_message_is_marked_throughout_and_has_the_fields_of_a_real_one() -> None:
    ground = Ground()
    ground.drill()

    [message] = ground.boxes[f"sns:{SECURITY}"].taken
    assert message.step is Step.DRILL
    assert message.incident_id == ID
    assert message.subject.startswith("[integrity] DRILL, nothing is wrong: 111122223333 us-east-1")
    assert len(message.subject) < 100
    assert message.text.startswith("DRILL: nothing was found")
    assert message.text.rstrip().endswith("This was a DRILL.")
    facts = message.facts
    assert (facts["is_drill"], facts["is_open"], facts["reason"]) == (True, False, "drill")
    assert (facts["step"], facts["outcome"]) == ("drill", "invalid")
    assert "DRILL" in str(facts["what"])
    real = Matter(
        incidents=(replace(incident(), cause="log_altered", reason="log_missing"),),
        audience=Audience.SECURITY,
        step=Step.OPENED,
        record_uri="s3://r",
        now=BEGIN,
    )
    assert set(render_facts(real)) == set(facts) - {"is_drill"}
    other = ground.boxes[f"sns:{OPERATIONS}"].taken[0]
    assert (other.audience, other.facts["audience"]) == (Audience.OPERATIONS, "operations")


def test_a_place_of_both_audiences_is_told_once() -> None:
    both: dict[Audience, tuple[str, ...]] = dict.fromkeys(Audience, (f"sns:{SECURITY}",))
    messages = [write_drill(ID, ARN, PLACE, audience, BEGIN) for audience in Audience]
    assert len(address(messages, both)) == 1
    ground = Ground(names=both)
    drilled = ground.drill()
    assert [hop.place for hop in drilled.hops if hop.name == "message"] == [f"sns:{SECURITY}"]
    assert drilled.has_passed


def test_a_number_that_is_refused_is_named_and_its_alarm_is_not_seen() -> None:
    ground = Ground(sink=Sink("cloudwatch:PutMetricData into … is not allowed"))
    drilled = ground.drill()

    assert missing(drilled) == [("metric", "Drill"), ("alarm", "d")]
    assert "PutMetricData" in details(drilled, "metric")[0]
    assert details(drilled, "alarm") == ["the number was not put"]
    assert [hop.sight for hop in drilled.hops if hop.name == "message"] == [Sight.DONE] * 3


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"states": ["none"]}, "no alarm watches this metric"),
        ({"states": ["ALARM"]}, "it had gone off before this drill"),
        ({"states": ["OK"]}, "it is OK: no number"),
        ({"states": ["OK", "none"]}, "it is gone: nothing watches the metric any more"),
    ],
)
def test_an_alarm_that_does_not_go_off_is_named(changed: dict[str, Any], detail: str) -> None:
    ground = Ground(**changed)
    drilled = ground.drill(timeout=20)

    [(name, _)] = missing(drilled)
    assert name == "alarm"
    assert details(drilled, "alarm")[0].startswith(detail)
    assert ground.seconds <= 20
    assert details(drilled, "action") == []


def test_alarms_that_are_not_shown_have_to_be() -> None:
    drilled = Ground(hides="cloudwatch:DescribeAlarmsForMetric is not allowed").drill()
    assert missing(drilled) == [("alarm", "Drill")]
    assert details(drilled, "alarm") == ["cloudwatch:DescribeAlarmsForMetric is not allowed"]


def test_an_alarm_that_is_hidden_while_it_is_waited_for_is_not_seen() -> None:
    class Hiding(Ground):
        def pause(self, seconds: float) -> None:
            super().pause(seconds)
            self.hides = "throttled"

    drilled = Hiding().drill()
    assert missing(drilled) == [("alarm", "d")]
    assert drilled.missing[0].sight is Sight.UNSEEN


@pytest.mark.parametrize(
    ("alarm", "detail"),
    [
        (replace(ALARM, is_on=False), "its actions are switched off"),
        (replace(ALARM, topics=()), "it tells no topic of SNS"),
    ],
)
def test_an_alarm_that_tells_nobody_is_named(alarm: Alarm, detail: str) -> None:
    drilled = Ground(alarms_shown=(alarm,)).drill()
    assert missing(drilled) == [("action", "d")]
    assert details(drilled, "action") == [detail]


def test_an_action_that_failed_is_named_in_cloudwatchs_words() -> None:
    words = "Failed to execute action: the key lets nobody in"
    failed = {SECURITY: AlarmAction(is_taken=False, words=words), OPERATIONS: TAKEN}
    drilled = Ground(history=[failed, failed]).drill()
    assert missing(drilled) == [("action", SECURITY)]
    assert details(drilled, "action")[0] == words


def test_actions_that_are_not_shown_have_to_be_and_are_waited_for() -> None:
    ground = Ground(history=[])
    assert missing(ground.drill()) == [("action", SECURITY), ("action", OPERATIONS)]
    assert ground.seconds == 60
    hidden = Ground(hides_history="not allowed")
    drilled = hidden.drill()
    assert missing(drilled) == [("action", SECURITY), ("action", OPERATIONS)]
    assert details(drilled, "action") == ["not allowed"] * 2
    assert hidden.seconds == 10


def test_what_is_hidden_is_not_asked_for_again_and_a_queue_stands_in_for_it() -> None:
    queue = Queue("queue", [[], [("d", SECURITY), (ID, SECURITY)]])
    drilled = Ground(hides_history="not allowed", queues=[queue]).drill()
    assert missing(drilled) == [("action", OPERATIONS)]


def test_history_that_is_hidden_later_keeps_what_it_has_shown() -> None:
    class Hiding(Ground):
        def told(self, alarm: Alarm, since: datetime) -> Mapping[str, AlarmAction]:
            shown = super().told(alarm, since)
            self.hides_history = "throttled"
            return shown

    assert missing(Hiding().drill()) == [("action", OPERATIONS)]


def test_a_destination_that_refuses_is_named_and_nothing_is_left_behind() -> None:
    ground = Ground()
    ground.boxes[f"sns:{SECURITY}"].refuses = "sns:Publish to … is not allowed"
    drilled = ground.drill()

    assert missing(drilled) == [("message", f"sns:{SECURITY}")]
    assert details(drilled, "message")[0] == "sns:Publish to … is not allowed"


def test_an_audience_without_a_destination_is_named() -> None:
    ground = Ground(names={Audience.SECURITY: ("slack:security",), Audience.OPERATIONS: ()})
    drilled = ground.drill()
    assert missing(drilled) == [("message", "operations")]


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        (None, "there is no such topic"),
        (TopicState(0, 2), "no subscription is confirmed, 2 wait for it: nobody is told"),
    ],
)
def test_a_topic_that_leads_nowhere_is_named(state: TopicState | None, detail: str) -> None:
    ground = Ground()
    ground.topic_states[OPERATIONS] = state
    drilled = ground.drill()
    assert missing(drilled) == [("topic", OPERATIONS)]
    assert details(drilled, "topic")[1] == detail


def test_topics_that_are_not_shown_need_not_be() -> None:
    drilled = Ground(hides_topics="sns:GetTopicAttributes is not allowed").drill()
    assert drilled.has_passed
    assert ("topic", SECURITY, "not seen") in told(drilled)


def test_without_metrics_the_messages_are_all() -> None:
    drilled = Ground(has_metrics=False).drill()
    assert drilled.has_passed
    assert told(drilled)[0] == ("metric", "Drill", "not seen")
    assert details(drilled, "alarm") == []


def test_a_queue_sees_both_arrive_and_stands_in_for_the_history() -> None:
    first = Queue("first", [[], [(ID, SECURITY)], [("d", SECURITY)]])
    second = Queue("second", [[("d", OPERATIONS), (ID, OPERATIONS)]])
    drilled = Ground(history=[], queues=[first, second]).drill()

    assert drilled.has_passed
    arrivals = [hop for hop in drilled.hops if hop.name == "arrival"]
    assert [(hop.place, hop.detail, hop.seconds) for hop in arrivals] == [
        ("second", "what d told", 10),
        ("second", "the drill's message", 10),
        ("first", "the drill's message", 15),
        ("first", "what d told", 20),
    ]
    assert ("action", SECURITY, "done") in told(drilled)


def test_what_comes_by_no_topic_that_is_known_proves_no_action() -> None:
    raw = Queue("raw", [[(ID, ""), ("d", "")]])
    assert missing(Ground(history=[], queues=[raw]).drill()) == [
        ("action", SECURITY),
        ("action", OPERATIONS),
    ]


def test_what_does_not_come_is_named() -> None:
    queue = Queue("queue", [[(ID, SECURITY)]])
    drilled = Ground(queues=[queue]).drill()
    assert missing(drilled) == [("arrival", "queue")]
    assert details(drilled, "arrival") == ["the drill's message", "what d told has not come"]


def test_a_queue_that_refuses_is_not_seen() -> None:
    drilled = Ground(queues=[Queue("queue", refuses="not allowed")]).drill()
    assert missing(drilled) == [("arrival", "queue")]
    assert drilled.missing[0].sight is Sight.UNSEEN


def test_a_queue_for_nothing_is_not_seen() -> None:
    ground = Ground(
        has_metrics=False,
        names=dict.fromkeys(Audience, ("slack:security",)),
        queues=[Queue("queue")],
    )
    assert details(ground.drill(), "arrival") == ["nothing was sent to any topic"]


def test_who_is_asked_to_stop_waits_no_longer_and_has_not_passed() -> None:
    ground = Ground()
    ground.stopping.set()
    drilled = ground.drill()
    assert (drilled.interrupted, drilled.has_passed, ground.seconds) == (True, False, 0)
