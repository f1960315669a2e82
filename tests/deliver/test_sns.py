"""SNS: what a subscriber really receives, through SQS."""

from __future__ import annotations

import json

import pytest

from integrity.aws.session import Aws
from integrity.deliver.sns import MAX_BYTES, SnsTopic, _body
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.state import DeliveryError, Message
from integrity.structs import replace
from tests.deliver.mailboxes import TopicBox


def test_machines_get_the_facts_and_attributes(aws: Aws, message: Message) -> None:
    box = TopicBox(aws)

    SnsTopic(aws, box.topic).deliver(message)

    [envelope] = box.received()
    assert envelope["Subject"] == message.subject
    assert json.loads(envelope["Message"]) == message.facts
    attributes = {name: value["Value"] for name, value in envelope["MessageAttributes"].items()}
    assert attributes == {
        "outcome": "invalid",
        "reason": "log_hash_mismatch",
        "account_id": "111122223333",
        "region": "us-east-1",
        "trail_arn": message.trail_arn,
        "audience": "security",
        "step": "opened",
    }


def test_a_filter_policy_sees_the_attributes(aws: Aws, message: Message) -> None:
    mine = TopicBox(aws, "mine", policy={"reason": ["log_hash_mismatch"]})
    other = TopicBox(aws, "other", policy={"reason": ["chain_gap"]})

    for box in (mine, other):
        SnsTopic(aws, box.topic).deliver(message)

    assert (len(mine.received()), len(other.received())) == (1, 0)


def test_people_get_the_text(message: Message) -> None:
    bodies = json.loads(_body(message))

    assert bodies["email"] == message.text
    assert bodies["sms"] == message.subject


def test_a_fifo_topic_takes_a_repeat_once(aws: Aws, message: Message) -> None:
    box = TopicBox(aws, "security.fifo")
    topic = SnsTopic(aws, box.topic)

    topic.deliver(message)
    topic.deliver(message)

    assert len(box.received()) == 1


def test_what_is_unknown_is_no_attribute(aws: Aws, message: Message) -> None:
    box = TopicBox(aws)

    SnsTopic(aws, box.topic).deliver(replace(message, facts={"outcome": "invalid"}))

    [envelope] = box.received()
    assert envelope["MessageAttributes"].keys() == {"outcome", "audience", "step"}


@pytest.mark.parametrize("text", ["ä" * 300_000, '\x00\\"' * 100_000, "plain " * 60_000])
def test_what_is_too_long_is_cut_and_points_to_the_record(
    aws: Aws, message: Message, text: str
) -> None:
    subjects = [f"s3://logs/{number}{text[:9]}" for number in range(20_000)]
    long = replace(message, text=text, facts={**message.facts, "subjects": subjects})
    box = TopicBox(aws)

    SnsTopic(aws, box.topic).deliver(long)

    body = _body(long)
    assert len(body.encode()) < MAX_BYTES
    assert json.loads(body)["email"].endswith("s3://records/r.json]")
    [envelope] = box.received()
    facts = json.loads(envelope["Message"])
    assert facts["cut"] is True
    assert (facts["record_uri"], facts["count"]) == ("s3://records/r.json", 1)


def test_a_refusal_names_the_permission(lab: LabServer, aws: Aws, message: Message) -> None:
    lab.faults.append(Fault("deny", operation="Publish"))

    with pytest.raises(DeliveryError, match=r"sns:Publish to arn:aws:sns:us-east-1:.* not allowed"):
        SnsTopic(aws, "arn:aws:sns:us-east-1:111122223333:security").deliver(message)


def test_a_topic_that_is_not_there(aws: Aws, message: Message) -> None:
    with pytest.raises(DeliveryError, match="sns:Publish"):
        SnsTopic(aws, "arn:aws:sns:us-east-1:111122223333:nowhere").deliver(message)
