"""Topics that are looked at, and queues that a drill empties and reads."""

from __future__ import annotations

import json

import pytest

from integrity.aws.session import Aws
from integrity.deliver.topics import DrillQueue, Topics, _region_of
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.state import DeliveryError
from tests.deliver.mailboxes import TopicBox

ID = "drill-0a1b2c3d"
DRILL = json.dumps({"incident_id": ID, "is_drill": True})
ALARM = json.dumps({"AlarmName": "d", "NewStateValue": "ALARM"})


def test_a_topic_has_a_state_and_one_that_is_gone_has_none(aws: Aws) -> None:
    box = TopicBox(aws)
    state = Topics(lambda: aws).state(box.topic)
    assert state is not None
    assert (state.confirmed, state.pending) == (0, 0)  # moto counts none
    assert Topics(lambda: aws).state(f"{box.topic}-gone") is None


def test_a_refusal_names_the_permission(aws: Aws, lab: LabServer) -> None:
    box = TopicBox(aws)
    lab.faults.append(Fault("deny", operation="GetTopicAttributes"))
    with pytest.raises(DeliveryError, match="sns:GetTopicAttributes"):
        Topics(lambda: aws).state(box.topic)


def queue_of(aws: Aws) -> tuple[str, str]:
    """A topic, and a queue that is subscribed to it."""
    sns, sqs = aws.client("sns", "us-east-1"), aws.client("sqs", "us-east-1")
    topic = sns.create_topic(Name="drills")["TopicArn"]
    url = sqs.create_queue(QueueName="drills")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:drills"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, url


def test_a_queue_is_emptied_and_then_tells_what_has_come_by_which_topic(aws: Aws) -> None:
    topic, url = queue_of(aws)
    sns, sqs = aws.client("sns", "us-east-1"), aws.client("sqs", "us-east-1")
    for _ in range(12):
        sns.publish(TopicArn=topic, Message=DRILL)

    queue = DrillQueue(aws, url)
    assert queue.receive((ID, "d")) == []
    sns.publish(TopicArn=topic, Message=DRILL)
    sns.publish(TopicArn=topic, Message=ALARM)
    assert sorted(queue.receive((ID, "d"))) == [("d", topic), (ID, topic)]
    assert queue.receive((ID, "d")) == []
    sqs.send_message(QueueUrl=url, MessageBody=DRILL)
    assert queue.receive((ID,)) == [(ID, "")]


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[" * 5000,
        "null",
        '{"Message": "[1]"}',
        '{"Message": 3}',
        json.dumps({"Message": json.dumps({"incident_id": ID}), "TopicArn": "t"}),
        json.dumps({"incident_id": ID, "is_drill": "true"}),
        json.dumps({"AlarmName": "d", "NewStateValue": "OK"}),
        json.dumps({"is_drill": True, "incident_id": {"a": 1}}),
    ],
)
def test_what_others_send_is_no_mark(aws: Aws, body: str) -> None:
    _, url = queue_of(aws)
    queue = DrillQueue(aws, url)
    aws.client("sqs", "us-east-1").send_message(QueueUrl=url, MessageBody=body)
    assert queue.receive((ID, "d", "None")) == []


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/drill", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/drill", "cn-north-1"),
        ("http://127.0.0.1:4566/000000000000/drill", None),
    ],
)
def test_a_queue_names_its_region(url: str, region: str | None) -> None:
    assert _region_of(url) == region


def test_a_queue_that_is_refused_is_told(aws: Aws, lab: LabServer) -> None:
    _, url = queue_of(aws)
    lab.faults.append(Fault("deny", operation="ReceiveMessage"))
    with pytest.raises(DeliveryError, match="sqs:ReceiveMessage"):
        DrillQueue(aws, url)


def test_a_queue_that_others_fill_is_none_of_a_drills_own(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = queue_of(aws)
    monkeypatch.setattr("integrity.deliver.topics._MOST_ROUNDS", 1)
    aws.client("sqs", "us-east-1").send_message(QueueUrl=url, MessageBody="another's")
    with pytest.raises(DeliveryError, match="a drill needs a queue of its own"):
        DrillQueue(aws, url)
