"""A drill as the task makes it: under the role's policy, on the stack's topics and its own alarm.

moto evaluates no alarm and keeps no history of one: the lab plays CloudWatch here, with the
template's alarm, when the drill's number has come. The queues are subscribed by SNS itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any

import boto3
import pytest
from moto.backends import get_backend

from integrity.cli import main
from integrity.config.parse import parse_config
from integrity.errors import AccessError
from integrity.lab.wire import Request, Response, json_response
from integrity.lab.world import World
from integrity.service.drilled import Drilled
from integrity.wiring.service import Service
from tests.deploy.guard import GuardedLab
from tests.deploy.stack import ACCOUNT, REGION
from tests.deploy.template import OPERATIONS, REQUIRED, SERVICE, TRAIL, fill
from tests.deploy.test_tick import Statements, Task, task
from tests.service.stage import make_world
from tests.topics import count_subscriptions

__all__ = ["task"]

pytestmark = pytest.mark.slow

DRILL_ACTIONS = (
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarmsForMetric",
    "sns:GetTopicAttributes",
)
PERSON = {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": "*"}
ALARM = "integrity-drill"
LONG = timedelta(seconds=60)


class CloudWatch(GuardedLab):
    """The lab with the drill's alarm: it goes off for the number, and its topics are told."""

    is_awake = True

    def __init__(self, world: World, statements: Statements) -> None:
        super().__init__(world, statements)
        self.is_put = False
        self.history: list[dict[str, Any]] = []

    def __enter__(self) -> CloudWatch:
        super().__enter__()
        return self

    def _answer(self, operation: str, request: Request, bucket: str, key: str) -> Response | None:
        answer = super()._answer(operation, request, bucket, key)
        if answer is not None:
            return answer
        if operation == "PutMetricData" and b'"Drill"' in request.body:
            self.is_put = True
        elif operation == "DescribeAlarmsForMetric" and self.is_put and self.is_awake:
            self.is_put = False
            self._go_off()
        elif operation == "GetTopicAttributes":
            count_subscriptions()
        elif operation == "DescribeAlarmHistory":
            return json_response({"AlarmHistoryItems": self.history})
        return None

    def _go_off(self) -> None:
        clouds, topics = get_backend("cloudwatch"), get_backend("sns")
        alarms = clouds[ACCOUNT][REGION].alarms
        clouds[ACCOUNT][REGION].set_alarm_state(ALARM, "1 > 0", "{}", "ALARM")
        said = json.dumps({"AlarmName": ALARM, "NewStateValue": "ALARM"})
        for arn in alarms[ALARM].alarm_actions:
            words = f"Successfully executed action {arn}"
            if arn in topics[ACCOUNT][REGION].topics:
                topics[ACCOUNT][REGION].publish(message=said, arn=arn, subject="ALARM")
            else:
                words = f'Failed to execute action {arn}. Received error: "there is none"'
            self.history.append({"AlarmName": ALARM, "HistorySummary": words})


class Ground:
    """A task's AWS on which a drill can be made, and broken."""

    def __init__(self, task: Task, lab: CloudWatch) -> None:
        self.task, self.lab = task, lab
        self.queues: list[str] = []

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """What is done here is not the task's doing."""
        statements, self.lab.statements = self.lab.statements, None
        yield
        self.lab.statements = statements

    def build(self) -> None:
        with self.as_owner():
            self.client("s3").create_bucket(Bucket=self.task.bucket)
            for arn in self.task.topics:
                name = arn.rpartition(":")[2]
                self.client("sns").create_topic(Name=name)
                url = self.client("sqs").create_queue(QueueName=name)["QueueUrl"]
                self.queues.append(url)
                queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
                self.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
            self.client("cloudwatch").put_metric_alarm(**self._alarm())

    def _alarm(self) -> dict[str, Any]:
        """The template's, as CloudFormation would make it."""
        about = fill(SERVICE, REQUIRED | OPERATIONS)["Resources"]["DrillAlarm"]["Properties"]
        return {
            **about,
            "AlarmName": about["AlarmName"]["Fn::Sub"].replace("${AWS::StackName}", "integrity"),
            "Dimensions": [{"Name": "Trail", "Value": TRAIL}],
            "AlarmActions": list(self.task.topics),
        }

    def drill(self, *, queues: bool = False, timeout: timedelta = LONG) -> Drilled:
        service = Service(parse_config(self.task.configuration, {}), lambda: self.lab.world.now)
        return service.drill(
            None,
            timeout=timeout,
            queue_urls=self.queues if queues else [],
            stopping=Event(),
        )

    def missing(self, *, timeout: timedelta = LONG) -> set[tuple[str, str]]:
        """The hops that are named, and what is said of them."""
        drilled = self.drill(timeout=timeout)
        assert not drilled.has_passed
        return {(hop.name, hop.detail) for hop in drilled.missing}


@contextmanager
def ground_of(task: Task, statements: Statements) -> Iterator[Ground]:
    world = make_world(hours=2)
    with CloudWatch(world, statements) as lab, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        for name, value in lab.environment.items():
            patch.setenv(name, value)
        patch.setenv("INTEGRITY_CONFIG_TOML", task.configuration)
        patch.setattr("integrity.service.drill.BETWEEN_LOOKS", 0.05)
        ground = Ground(task, lab)
        ground.build()
        yield ground


@pytest.fixture
def ground(task: Task) -> Iterator[Ground]:
    with ground_of(task, [*task.statements, PERSON]) as made:
        yield made


def test_a_whole_set_up_is_passed_and_the_queues_have_it_all(ground: Ground) -> None:
    drilled = ground.drill(queues=True)

    assert drilled.missing == ()
    assert ground.lab.denied == set()
    assert {action for action, _ in ground.lab.asked} >= set(DRILL_ACTIONS)
    assert drilled.by == "arn:aws:iam::111122223333:user/auditor"
    done = [(hop.name, hop.place) for hop in drilled.hops if hop.sight.value == "done"]
    security, operations = ground.task.topics
    assert set(done) == {
        ("metric", "Drill"),
        ("alarm", ALARM),
        *((name, arn) for name in ("action", "topic") for arn in (security, operations)),
        ("message", f"sns:{security}"),
        ("message", f"sns:{operations}"),
        *(("arrival", url) for url in ground.queues),
    }
    with ground.as_owner():
        s3 = ground.client("s3")
        [kept] = s3.list_objects_v2(Bucket=ground.task.bucket)["Contents"]
        answer = s3.get_object(Bucket=ground.task.bucket, Key=kept["Key"])
        document = json.loads(answer["Body"].read())
        assert ground.client("dynamodb").list_tables()["TableNames"] == []
    assert "/drills/" in kept["Key"]
    assert (document["drill_id"], document["passed"]) == (drilled.id, True)


def test_the_command_says_each_hop_and_0(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drill"]) == 0
    shown = capsys.readouterr()
    lines = [line.split("\t") for line in shown.out.splitlines()]
    assert [(line[0], line[1]) for line in lines[:2]] == [("done", "metric"), ("done", "alarm")]
    assert lines[0][3].endswith(" s")
    assert lines[-2][:2] == ["not seen", "reader"]
    assert lines[-1][0] == "passed"
    logged = [json.loads(line) for line in shown.err.splitlines()]
    [line] = [one for one in logged if one["message"] == "drill"]
    assert (line["passed"], line["missing"]) == (True, [])
    assert line["uri"].startswith(f"s3://{ground.task.bucket}/")

    assert main(["drill", TRAIL, "--format", "json", "--timeout", "0m"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert [one["hop"] for one in document["hops"] if one["result"] == "failed"] == ["alarm"]
    assert main(["drill", TRAIL]) == 3
    assert "\nnot passed: alarm\tdrill-" in capsys.readouterr().out
    assert main(["drill", f"{TRAIL}-other"]) == 2
    assert main(["drill", "--queue-url", "nonsense"]) == 2


def test_a_topic_that_is_gone_is_named_at_every_hop_that_needs_it(ground: Ground) -> None:
    with ground.as_owner():
        ground.client("sns").delete_topic(TopicArn=ground.task.topics[0])

    missing = dict(ground.missing())

    assert set(missing) == {"action", "message", "topic"}
    assert missing["topic"] == "there is no such topic"
    assert missing["action"].startswith("Failed to execute action")


def test_a_subscription_that_is_missing_is_named(ground: Ground) -> None:
    with ground.as_owner():
        sns = ground.client("sns")
        [one] = sns.list_subscriptions_by_topic(TopicArn=ground.task.topics[1])["Subscriptions"]
        sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])

    assert ground.missing() == {
        ("topic", "no subscription is confirmed, 0 wait for it: nobody is told")
    }


def test_an_alarm_that_is_gone_or_asleep_is_named(ground: Ground) -> None:
    ground.lab.is_awake = False
    [(name, _)] = ground.missing(timeout=timedelta(seconds=1))
    assert name == "alarm"
    with ground.as_owner():
        ground.client("cloudwatch").delete_alarms(AlarmNames=[ALARM])
    [(name, detail)] = ground.missing()
    assert (name, detail.partition(";")[0]) == (
        "alarm",
        "no alarm watches this metric with the trail as its dimension",
    )


@pytest.mark.parametrize(
    ("action", "hops"),
    [
        ("cloudwatch:PutMetricData", {"metric", "alarm"}),
        ("cloudwatch:DescribeAlarmsForMetric", {"alarm"}),
        ("cloudwatch:DescribeAlarmHistory", {"action"}),
        ("sns:Publish", {"message"}),
    ],
)
def test_a_permission_that_is_missing_is_named_with_its_hop(
    task: Task, action: str, hops: set[str]
) -> None:
    with ground_of(task, task.without(action)) as ground:
        missing = ground.missing()

    assert {name for name, _ in missing} == hops
    assert any(action in detail for _, detail in missing)


def test_who_may_not_look_at_topics_passes_and_says_so(task: Task) -> None:
    with ground_of(task, task.without("sns:GetTopicAttributes")) as ground:
        drilled = ground.drill()

    assert drilled.has_passed
    details = [hop.detail for hop in drilled.hops if hop.name == "topic"]
    assert all("sns:GetTopicAttributes" in detail for detail in details)


def test_a_queue_that_may_not_be_read_begins_no_drill(task: Task) -> None:
    with (
        ground_of(task, task.statements) as ground,
        pytest.raises(AccessError, match=r"not begun: sqs:ReceiveMessage"),
    ):
        ground.drill(queues=True)


def test_records_that_cannot_be_kept_are_logged(
    task: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    with ground_of(task, task.without("s3:PutObject")):
        assert main(["drill"]) == 0
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [one["message"] for one in logged] == ["drill not kept", "drill"]
    assert logged[1]["uri"] == ""
