"""What every place to tell does, whichever it is: takes a message, or says why not; nothing else.

A place is a destination, what has arrived there, a way to make it refuse, and the secrets that no
error and no log may show.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC

import pytest

from integrity.aws.session import Aws
from integrity.deliver.dynamodb import ItemTable
from integrity.deliver.eventbridge import EventBus
from integrity.deliver.firehose import DeliveryStream
from integrity.deliver.s3 import EventBucket
from integrity.deliver.ses import Mail
from integrity.deliver.slack import SlackChannel
from integrity.deliver.sns import SnsTopic
from integrity.deliver.webhook import Webhook
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.service.ports import Destination
from integrity.state import DeliveryError, Message, Step
from integrity.structs import replace
from tests.deliver.mailboxes import BusBox, ItemBox, MailBox, ObjectBox, StreamBox, TopicBox
from tests.deliver.receiver import Receiver, receive
from tests.lab_aws import NOW

PATH = "/services/T0000/B0000/WhoeverHasThisCanPost"
SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Place:
    destination: Destination
    arrived: Callable[[], list[str]]
    refuse: Callable[[], None]
    refused: str
    most_bytes: int
    secrets: tuple[str, ...] = ()


def sns(lab: LabServer, aws: Aws) -> Place:
    box = TopicBox(aws)
    return Place(
        SnsTopic(aws, box.topic),
        lambda: [json.dumps(one) for one in box.received()],
        lambda: lab.faults.append(Fault("deny", operation="Publish")),
        r"sns:Publish to arn:aws:sns:.* is not allowed",
        2 * 256 * 1024,  # quoted once more by the envelope
    )


def eventbridge(lab: LabServer, aws: Aws) -> Place:
    box = BusBox(aws)
    return Place(
        EventBus(aws, box.bus),
        lambda: [json.dumps(one) for one in box.received()],
        lambda: lab.faults.append(Fault("deny", operation="PutEvents")),
        r"events:PutEvents on the event bus arn:aws:events:.* is not allowed",
        256 * 1024,
    )


def ses(lab: LabServer, aws: Aws) -> Place:
    box = MailBox(aws)
    return Place(
        Mail(aws, box.sender, ("security@example.com",)),
        lambda: [json.dumps(one) for one in box.received()],
        lambda: lab.faults.append(Fault("deny", operation="POST")),
        r"ses:SendEmail from integrity@example.com is not allowed",
        2 * 128 * 1024 * 3,
    )


def dynamodb(lab: LabServer, aws: Aws) -> Place:
    box = ItemBox(aws)
    return Place(
        ItemTable(aws, box.table),
        lambda: [json.dumps(one) for one in box.received()],
        lambda: lab.faults.append(Fault("deny", operation="PutItem")),
        r"dynamodb:PutItem on the table ledger is not allowed",
        2 * 256 * 1024 + 16 * 1024,
    )


def s3(lab: LabServer, aws: Aws) -> Place:
    box = ObjectBox(aws)
    place = EventBucket(
        aws, box.bucket, prefix="a/", error_prefix="b/", kms_key_id=box.key, zone=UTC
    )
    return Place(
        place,
        lambda: [content for _, content in box.received()],
        lambda: lab.faults.append(Fault("deny", operation="PutObject")),
        r"s3:PutObject on arn:aws:s3:::archive/a/2026/03/05/.* is not allowed",
        1024 * 1024 + 1,
    )


def firehose(lab: LabServer, aws: Aws) -> Place:
    box = StreamBox(aws)
    return Place(
        DeliveryStream(aws, box.stream),
        lambda: [content for _, content in box.received()],
        lambda: lab.faults.append(Fault("deny", operation="PutRecord")),
        r"firehose:PutRecord on the stream arn:aws:firehose:.* is not allowed",
        1000 * 1024,
    )


def slack(receiver: Receiver) -> Place:
    return Place(
        SlackChannel(receiver.url + PATH),
        lambda: [request.body.decode() for request in receiver.requests],
        lambda: receiver.answer(404, b"no_service"),
        "the webhook is gone or disabled: make a new one",
        64 * 1024,
        (PATH, PATH.rpartition("/")[2]),
    )


def webhook(receiver: Receiver) -> Place:
    return Place(
        Webhook(f"{receiver.url}{PATH}?token={SECRET[::-1]}", SECRET, lambda: NOW),
        lambda: [request.body.decode() for request in receiver.requests],
        lambda: receiver.answer(403, f"Cannot POST {PATH}".encode()),
        "status 403, it does not accept the sender",
        256 * 1024,
        (PATH, SECRET, SECRET[::-1]),
    )


AT_AWS = {
    "sns": sns,
    "eventbridge": eventbridge,
    "ses": ses,
    "dynamodb": dynamodb,
    "s3": s3,
    "firehose": firehose,
}


@pytest.fixture(params=[*AT_AWS, "slack", "webhook"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    own = {"slack": slack, "webhook": webhook}.get(request.param)
    if own is not None:
        with receive() as receiver:
            yield own(receiver)
        return
    at_aws = AT_AWS[request.param]
    yield at_aws(request.getfixturevalue("lab"), request.getfixturevalue("aws"))


def test_a_message_arrives_with_what_it_is_about(place: Place, message: Message) -> None:
    place.destination.deliver(message)

    [arrived] = place.arrived()
    for said in ("log_hash_mismatch", "111122223333", "us-east-1"):
        assert said in arrived


@pytest.mark.parametrize("step", Step)
def test_every_step_arrives(place: Place, message: Message, step: Step) -> None:
    place.destination.deliver(replace(message, step=step))

    assert len(place.arrived()) == 1


def test_a_refusal_says_what_would_help(place: Place, message: Message) -> None:
    place.refuse()

    with pytest.raises(DeliveryError, match=place.refused):
        place.destination.deliver(message)


def test_what_was_refused_is_taken_later(
    place: Place, message: Message, request: pytest.FixtureRequest
) -> None:
    place.refuse()
    with pytest.raises(DeliveryError):
        place.destination.deliver(message)
    before = len(place.arrived())
    clear(request)

    place.destination.deliver(message)

    assert len(place.arrived()) == before + 1


def clear(request: pytest.FixtureRequest) -> None:
    if request.node.callspec.params["place"] in AT_AWS:
        request.getfixturevalue("lab").faults.clear()


HOSTILE = {
    "control": "\x00\x07\x1b[2J\x1b]0;owned\x07\r\nBcc: everybody@example.com\r\n\x7f\x85",
    "emoji": "🔥👩‍👩‍👧‍👦" * 2_000,
    "right to left": "\u202egnp.exe\u2066 שלום مرحبا\u2069",
    "halves": "\ud800 \udfff",
    "markup": "<!channel> <https://evil.example|AWS> *_~`&amp;</script>",
    "long": "x" * 1_000_000,
    "long and wide": '"\\ä' * 350_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_content_goes_through_and_is_bounded(
    place: Place, message: Message, kind: str
) -> None:
    hostile = HOSTILE[kind]
    planted = replace(
        message,
        text=hostile,
        facts={
            **message.facts,
            "what": hostile,
            "detail": hostile,
            "region": hostile,
            "subjects": [hostile] * 3,
            "incident_ids": [hostile] * 3,
            "window": {"start": hostile, "end": hostile},
        },
    )

    place.destination.deliver(planted)

    [arrived] = place.arrived()
    assert len(arrived) <= place.most_bytes
    assert "\x1b" not in arrived


def test_hostile_names_in_the_envelope_go_through(place: Place, message: Message) -> None:
    hostile = "a\r\nX-Integrity-Signature: t=0,v1=0\u202e\x00ä" * 100

    place.destination.deliver(
        replace(message, id=hostile, incident_id=hostile, subject=hostile, trail_arn=hostile)
    )

    assert len(place.arrived()) == 1


def test_no_secret_is_in_an_error_or_in_the_log(
    place: Place, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    place.destination.deliver(message)
    place.refuse()

    with pytest.raises(DeliveryError) as refused:
        place.destination.deliver(message)

    told = "".join(traceback.format_exception(refused.value)) + caplog.text
    told += "".join(f"{record.args} {record.__dict__}" for record in caplog.records)
    assert [secret for secret in place.secrets if secret in told] == []
    assert place.secrets == () or "127.0.0.1" in str(refused.value)


def test_nothing_but_a_delivery_error_where_nobody_answers(message: Message) -> None:
    with receive() as receiver:
        url = receiver.url + PATH
    for destination in (SlackChannel(url), Webhook(url, SECRET, lambda: NOW)):
        with pytest.raises(
            DeliveryError, match=r"127.0.0.1:[0-9]+ did not take it: it cannot be"
        ) as refused:
            destination.deliver(message)
        assert "urllib3" not in "".join(traceback.format_exception(refused.value))
