"""The template's alarms on LocalStack: each goes off for its cause, and mails once or not at all.

Hours are ten seconds here. LocalStack evaluates of a composite alarm's rule only what is joined by
OR, so SilentAlarm's exception for failed runs is left out; what it says is held in test_templates.
ECS, DynamoDB and the schedule are not part of it. A queue on each topic stands for the mail.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from integrity.config.parse import parse_config
from integrity.wiring.service import Service
from tests.deploy.localstack import find_python, localstack
from tests.deploy.template import OPERATIONS, REQUIRED, SERVICE, TRAIL, fill

pytestmark = pytest.mark.slow

PERIOD = 10
CLUSTER = "arn:aws:ecs:us-east-1:000000000000:cluster/integrity"
LEFT_OUT = ("AWS::ECS::", "AWS::DynamoDB::", "AWS::Scheduler::", "AWS::IAM::Policy")
ROLES_LEFT_OUT = {"ExecutionRole", "ScheduleRole"}
UNTIL = 90


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = find_python()
    if python is None:
        pytest.skip("there is no Python 3.13, which LocalStack needs")
    with localstack(python, tmp_path_factory.mktemp("localstack")) as found:
        yield found


def quick(template: dict[str, Any]) -> dict[str, Any]:
    """The part of the template that LocalStack has, with short periods."""
    resources = {
        name: about
        for name, about in template["Resources"].items()
        if not about["Type"].startswith(LEFT_OUT) and name not in ROLES_LEFT_OUT
    }
    for about in resources.values():
        about.pop("DependsOn", None)
        properties = about["Properties"]
        if about["Type"] == "AWS::CloudWatch::Alarm":
            properties |= {"Period": PERIOD, "EvaluationPeriods": 1}
            properties.pop("DatapointsToAlarm", None)
        if about["Type"] == "AWS::CloudWatch::CompositeAlarm":
            first = properties["AlarmRule"]["Fn::Sub"].partition(" AND NOT ")[0]
            properties["AlarmRule"] = {"Fn::Sub": first}
    resources["FailedRunRule"]["Properties"]["EventPattern"]["detail"]["clusterArn"] = [CLUSTER]
    queue = {"Value": {"Ref": "FailedRuns"}}
    topics = {name: {"Value": {"Ref": name}} for name in ("SecurityTopic", "OperationsTopic")}
    names = {name: {"Value": {"Ref": name}} for name in resources if name.endswith("Alarm")}
    return {**template, "Resources": resources, "Outputs": {"Queue": queue, **topics, **names}}


class World:
    """A stack on LocalStack, a tick that goes on putting its numbers, and the mail that came."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.numbers: dict[str, float] = {
            "OpenInvalidIncidents": 0,
            "OpenGapIncidents": 0,
            "MessagesUnsent": 0,
            "Heartbeat": 1,
        }
        self._mail: dict[str, Counter[tuple[str, str]]] = {}
        self._queues: dict[str, str] = {}
        self._ended = threading.Event()
        self._ticks = threading.Thread(target=self._tick)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self._endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def __enter__(self) -> World:
        self._ticks.start()
        cloud = self.client("cloudformation")
        values = REQUIRED | OPERATIONS
        cloud.create_stack(
            StackName="integrity",
            TemplateBody=json.dumps(quick(fill(SERVICE, values))),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in values.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        cloud.get_waiter("stack_create_complete").wait(
            StackName="integrity", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        [stack] = cloud.describe_stacks(StackName="integrity")["Stacks"]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        sqs, sns = self.client("sqs"), self.client("sns")
        for audience in ("SecurityTopic", "OperationsTopic"):
            url = sqs.create_queue(QueueName=audience)["QueueUrl"]
            about = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            sns.subscribe(
                TopicArn=self.outputs[audience],
                Protocol="sqs",
                Endpoint=about["Attributes"]["QueueArn"],
            )
            self._queues[audience], self._mail[audience] = url, Counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._ticks.join()

    def _tick(self) -> None:
        client = self.client("cloudwatch")
        while not self._ended.wait(1):
            client.put_metric_data(
                Namespace="CloudTrailIntegrity",
                MetricData=[
                    {
                        "MetricName": name,
                        "Dimensions": [{"Name": "Trail", "Value": TRAIL}],
                        "Timestamp": datetime.now(UTC),
                        "Value": value,
                    }
                    for name, value in list(self.numbers.items())
                ],
            )

    def states(self) -> dict[str, str]:
        """The state of every alarm, by its name in the template."""
        answer = self.client("cloudwatch").describe_alarms(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        named = {
            one["AlarmName"]: one["StateValue"]
            for one in (*answer["MetricAlarms"], *answer["CompositeAlarms"])
        }
        return {
            output: named[name] for output, name in self.outputs.items() if output.endswith("Alarm")
        }

    def mail(self, audience: str) -> Counter[tuple[str, str]]:
        """How often each alarm told an audience of each state so far."""
        sqs = self.client("sqs")
        names = {name: output for output, name in self.outputs.items()}
        names |= {name.rpartition(":alarm:")[2]: output for name, output in names.items()}
        while True:
            answer = sqs.receive_message(QueueUrl=self._queues[audience], MaxNumberOfMessages=10)
            if not answer.get("Messages"):
                return self._mail[audience]
            for one in answer["Messages"]:
                told = json.loads(json.loads(one["Body"])["Message"])
                what = names[told["AlarmName"]], told["NewStateValue"]
                self._mail[audience][what] += 1
                sqs.delete_message(
                    QueueUrl=self._queues[audience], ReceiptHandle=one["ReceiptHandle"]
                )

    def wait(self, done: Callable[[], bool]) -> None:
        """Until something holds, or it is clear that it will not."""
        for _ in range(UNTIL):
            if done():
                return
            time.sleep(1)
        pytest.fail(f"{self.states()}, {self._mail}")

    def wait_for(self, **states: str) -> None:
        """Until alarms have the states that are named."""
        self.wait(lambda: states.items() <= self.states().items())


@pytest.fixture(scope="module")
def world(endpoint: str) -> Iterator[World]:
    with World(endpoint) as made:
        made.wait(lambda: made.states()["HeartbeatAlarm"] == "OK")
        for audience in ("SecurityTopic", "OperationsTopic"):
            made.mail(audience).clear()
        yield made


ALARM, OK = "ALARM", "OK"


def test_it_is_open_to_this_machine_alone(endpoint: str) -> None:
    port = int(endpoint.rpartition(":")[2])

    with pytest.raises(OSError):  # noqa: PT011
        socket.create_connection(("127.0.0.2", port), timeout=2).close()


def test_what_the_service_tells_itself_is_shown_and_not_mailed(world: World) -> None:
    world.numbers |= {"OpenInvalidIncidents": 1, "OpenGapIncidents": 1}

    world.wait_for(InvalidAlarm=ALARM, GapsAlarm=ALARM)

    assert world.mail("SecurityTopic") == world.mail("OperationsTopic") == Counter()
    assert set(world.states()) - {"InvalidAlarm", "GapsAlarm"} == {
        name for name, state in world.states().items() if state != ALARM
    }


def test_what_it_could_not_tell_is_mailed_to_both_once(world: World) -> None:
    world.numbers["MessagesUnsent"] = 1

    world.wait(lambda: bool(world.mail("SecurityTopic")) and bool(world.mail("OperationsTopic")))
    time.sleep(PERIOD)

    assert world.mail("SecurityTopic") == {("UnsentAlarm", ALARM): 1}
    assert world.mail("OperationsTopic") == {("UnsentAlarm", ALARM): 1}
    world.numbers["MessagesUnsent"] = 0
    world.wait(lambda: ("UnsentAlarm", OK) in world.mail("SecurityTopic"))
    world.wait(lambda: ("UnsentAlarm", OK) in world.mail("OperationsTopic"))


def stopped(**detail: Any) -> dict[str, Any]:
    """What ECS says of a task, as far as it matters."""
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": "000000000000",
        "time": "2026-03-01T00:25:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"clusterArn": CLUSTER, "lastStatus": "STOPPED", **detail},
    }


def test_the_rule_knows_a_run_that_failed(world: World) -> None:
    client = world.client("events")
    [rule] = client.list_rules()["Rules"]

    def matches(**detail: Any) -> bool:
        answer = client.test_event_pattern(
            EventPattern=rule["EventPattern"], Event=json.dumps(stopped(**detail))
        )
        return bool(answer["Result"])

    codes = (0, 1, 2, 3, 70, 130, 137, 139)
    failed = {code for code in codes if matches(containers=[{"exitCode": code}])}
    assert failed == {2, 70, 137, 139}
    assert matches(containers=[{"name": "integrity"}], stopCode="TaskFailedToStart")
    assert not matches(containers=[{"exitCode": 70}], clusterArn=f"{CLUSTER}-of-others")
    assert not matches(containers=[{"exitCode": 70}], lastStatus="RUNNING")


def test_a_run_that_failed_is_mailed_to_operations_and_kept(world: World) -> None:
    event = stopped(containers=[{"exitCode": 70}], stoppedReason="Essential container exited")
    world.client("events").put_events(
        Entries=[
            {
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "Detail": json.dumps(event["detail"]),
            }
        ]
    )

    world.wait(lambda: ("FailedRunAlarm", ALARM) in world.mail("OperationsTopic"))

    answer = world.client("sqs").receive_message(QueueUrl=world.outputs["Queue"])
    [kept] = [json.loads(one["Body"]) for one in answer["Messages"]]
    assert kept["detail"]["stoppedReason"] == "Essential container exited"
    assert not [one for one in world.mail("SecurityTopic") if one[0] == "FailedRunAlarm"]


def test_silence_is_mailed_to_operations_once_and_then_to_security(world: World) -> None:
    world.numbers.pop("Heartbeat")

    world.wait(lambda: ("SilentAlarm", ALARM) in world.mail("OperationsTopic"))
    world.wait(lambda: ("BlindAlarm", ALARM) in world.mail("SecurityTopic"))
    time.sleep(PERIOD)

    assert world.mail("OperationsTopic")["SilentAlarm", ALARM] == 1
    assert world.mail("SecurityTopic")["BlindAlarm", ALARM] == 1
    assert not [one for one in world.mail("OperationsTopic") if one[0] == "HeartbeatAlarm"]


# The last one here: what it leaves in the mailboxes of the others is more than alarms say.


@contextmanager
def as_integrity(endpoint: str) -> Iterator[None]:
    """The environment of a service on LocalStack."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_REGION", "us-east-1")
        yield


def test_a_drill_sets_off_its_alarm_alone_and_is_seen_to_arrive(
    world: World, endpoint: str, tmp_path: Path
) -> None:
    topics = [world.outputs[name] for name in ("SecurityTopic", "OperationsTopic")]
    sqs, sns, queues = world.client("sqs"), world.client("sns"), []
    for number, arn in enumerate(topics):
        url = sqs.create_queue(QueueName=f"drill-{number}")["QueueUrl"]
        about = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=about["Attributes"]["QueueArn"])
        queues.append(url)
    config = parse_config(
        f"""
        [[trails]]
        trail_arn = "{TRAIL}"
        [state]
        sqlite_path = "{tmp_path / "state.sqlite"}"
        [records]
        place = "{tmp_path}"
        [audiences.security]
        sns_topic_arns = ["{topics[0]}"]
        [audiences.operations]
        sns_topic_arns = ["{topics[1]}"]
        """,
        {},
    )
    before = world.states()
    with as_integrity(endpoint):
        drilled = Service(config, lambda: datetime.now(UTC).replace(microsecond=0)).drill(
            None, timeout=timedelta(seconds=UNTIL), queue_urls=queues, stopping=threading.Event()
        )

    # LocalStack, as moto does, shows a count of subscriptions that it never makes.
    assert {(hop.name, hop.place) for hop in drilled.missing} == {("topic", arn) for arn in topics}
    done = {(hop.name, hop.place) for hop in drilled.hops if hop.sight.value == "done"}
    assert {("action", arn) for arn in topics} | {("alarm", "integrity-drill")} <= done
    assert [hop.detail for hop in drilled.hops if hop.name == "arrival"].count(
        "the drill's message"
    ) == 2
    changed = {name for name, state in world.states().items() if state != before[name]}
    assert changed <= {"DrillAlarm"}
    world.wait_for(DrillAlarm=OK)
