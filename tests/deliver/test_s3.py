"""Objects of a bucket: an event a line, under its own local date, encrypted."""

from __future__ import annotations

import json
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from integrity.aws.session import Aws
from integrity.deliver.s3 import MAX_BYTES, EventBucket
from integrity.state import Message
from integrity.structs import replace
from tests.deliver.events import LOGIN, of_login
from tests.deliver.mailboxes import ObjectBox

ID = LOGIN["eventID"]


def archive(aws: Aws, box: ObjectBox, zone: str = "Asia/Tokyo") -> EventBucket:
    return EventBucket(
        aws,
        box.bucket,
        prefix="consolelogin/",
        error_prefix="consolelogin-errors/",
        kms_key_id=box.key,
        zone=ZoneInfo(zone),
    )


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2024-03-30T09:45:53Z", "2024/03/30"),
        ("2024-03-30T14:59:59Z", "2024/03/30"),
        ("2024-03-30T15:00:00Z", "2024/03/31"),
        ("2023-12-31T15:00:00Z", "2024/01/01"),
        ("2024-02-29T14:59:59Z", "2024/02/29"),
    ],
)
def test_an_event_lies_under_its_own_local_date(
    aws: Aws, message: Message, time: str, day: str
) -> None:
    box = ObjectBox(aws)

    archive(aws, box).deliver(of_login(message, eventTime=time))

    [(key, content)] = box.received()
    assert key == f"consolelogin/{day}/{ID}.json"
    assert content.count("\n") == 1
    assert json.loads(content) == LOGIN | {"eventTime": time}


def test_summer_time_moves_midnight(aws: Aws, message: Message) -> None:
    box = ObjectBox(aws)
    for number, time in enumerate(("2024-03-30T22:59:59Z", "2024-03-31T22:00:00Z")):
        archive(aws, box, "Europe/Berlin").deliver(
            of_login(message, eventTime=time, eventID=str(number))
        )

    assert [key for key, _ in box.received()] == [
        "consolelogin/2024/03/30/0.json",
        "consolelogin/2024/04/01/1.json",
    ]


def test_it_is_encrypted_with_the_named_key(aws: Aws, message: Message) -> None:
    box = ObjectBox(aws)

    archive(aws, box).deliver(of_login(message))

    about = box.about(f"consolelogin/2024/03/30/{ID}.json")
    assert (about["ServerSideEncryption"], about["SSEKMSKeyId"]) == ("aws:kms", box.key)
    assert about["ContentType"] == "application/json"


def test_a_repeat_is_the_same_object(aws: Aws, message: Message) -> None:
    box = ObjectBox(aws)
    place = archive(aws, box)

    place.deliver(of_login(message))
    place.deliver(of_login(replace(message, id="again")))

    assert len(box.received()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"eventTime": "soon"},
        {"eventTime": "9999-12-31T23:59:59Z"},
        {"eventID": "../../AWSLogs/111122223333/CloudTrail"},
        {"eventID": None},
        {"userAgent": "x" * MAX_BYTES},
    ],
)
def test_what_cannot_be_filed_lies_under_the_error_prefix(
    aws: Aws, message: Message, changes: dict[str, object]
) -> None:
    box = ObjectBox(aws)

    archive(aws, box).deliver(of_login(message, **changes))

    [(key, content)] = box.received()
    assert key == f"consolelogin-errors/2026/03/05/{message.id}.json"
    assert len(content) <= MAX_BYTES + 1
    assert content.count("\n") == 1


def test_an_incident_lies_under_the_messages_date(aws: Aws, message: Message) -> None:
    box = ObjectBox(aws)

    EventBucket(
        aws, box.bucket, prefix="", error_prefix="e/", kms_key_id=box.key, zone=UTC
    ).deliver(message)

    [(key, content)] = box.received()
    assert key == f"2026/03/05/{message.id}.json"
    assert json.loads(content)["reason"] == "log_hash_mismatch"
