"""Records of a stream: an event a line."""

from __future__ import annotations

import json

from integrity.aws.session import Aws
from integrity.deliver.firehose import MAX_BYTES, DeliveryStream
from integrity.state import Message
from tests.deliver.events import LOGIN, of_login
from tests.deliver.mailboxes import StreamBox


def test_an_event_is_one_line(aws: Aws, message: Message) -> None:
    box = StreamBox(aws)

    DeliveryStream(aws, box.stream).deliver(of_login(message))

    [(_, content)] = box.received()
    assert content.endswith("}\n")
    assert content.count("\n") == 1
    assert json.loads(content) == LOGIN


def test_a_stream_by_its_name(aws: Aws, message: Message) -> None:
    box = StreamBox(aws, "by-name")

    DeliveryStream(aws, "by-name", "us-east-1").deliver(of_login(message))

    assert len(box.received()) == 1


def test_what_is_too_large_for_a_record_is_its_facts(aws: Aws, message: Message) -> None:
    box = StreamBox(aws)

    DeliveryStream(aws, box.stream).deliver(of_login(message, userAgent="ä" * MAX_BYTES))

    [(_, content)] = box.received()
    assert json.loads(content) == {"message_id": message.id, **message.facts, "cut": True}
