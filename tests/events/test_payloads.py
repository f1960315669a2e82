"""Live payloads to their parts."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from integrity.chain.limits import Limits
from integrity.chain.model import S3Location
from integrity.events.payloads import LogsBatch, Part, PayloadError, Queued, decode_payload
from integrity.structs import replace

LIMITS = Limits()


def packed(content: bytes) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(content).decode()}}


def logs(*messages: str, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    batch = {
        "messageType": kind,
        "owner": "111122223333",
        "logGroup": "trail",
        "logStream": "111122223333_CloudTrail_us-east-1",
        "subscriptionFilters": ["logins"],
        "logEvents": [
            {"id": str(number), "timestamp": 1, "message": message}
            for number, message in enumerate(messages)
        ],
    }
    return packed(gzip.compress(json.dumps(batch).encode()))


def stored(key: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    about = {"bucket": {"name": "trail-logs"}, "object": {"key": key, "size": 5}}
    return {"eventSource": "aws:s3", "eventName": name, "s3": about}


def queued(body: str, message_id: str = "an id") -> dict[str, Any]:
    return {"eventSource": "aws:sqs", "messageId": message_id, "body": body}


def decode(payload: Any, limits: Limits = LIMITS) -> tuple[Part, ...]:
    return decode_payload(json.dumps(payload).encode(), limits)


def test_a_subscription_brings_what_was_written() -> None:
    events = ('{"eventID":"1"}', '{"eventID":"ä"}')

    assert decode(logs(*events)) == (
        LogsBatch("111122223333", "trail", tuple(one.encode() for one in events)),
    )


def test_a_control_message_has_no_parts() -> None:
    assert decode(logs("CWL CONTROL MESSAGE: Checking health", kind="CONTROL_MESSAGE")) == ()


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("a/b.json.gz", "a/b.json.gz"),
        ("a+b/c%3Dd%2Be%20f/g.json.gz", "a b/c=d+e f/g.json.gz"),
        ("%E6%97%A5.gz", "日.gz"),
    ],
)
def test_a_key_is_read_as_s3_wrote_it(encoded: str, key: str) -> None:
    assert decode({"Records": [stored(encoded)]}) == (S3Location("trail-logs", key),)


def test_what_was_not_created_is_passed_by() -> None:
    records = [stored("a", "ObjectRemoved:Delete"), stored("b", "ObjectCreated:Copy")]

    assert decode({"Records": records}) == (S3Location("trail-logs", "b"),)


def test_a_queue_brings_payloads_by_their_ids() -> None:
    assert decode({"Records": [queued("one", "1"), queued("{", "2")]}) == (
        Queued("1", b"one"),
        Queued("2", b"{"),
    )


@pytest.mark.parametrize(
    "payload", [{"source": "aws.events"}, {"Event": "s3:TestEvent", "Bucket": "b"}, {"Records": []}]
)
def test_a_schedule_and_a_test_have_no_parts(payload: dict[str, Any]) -> None:
    assert decode(payload) == ()


BATCH = b'{"messageType":"DATA_MESSAGE","logEvents":[]}'


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "expected a payload of a CloudWatch Logs subscription"),
        ([], "expected a payload of a CloudWatch Logs subscription"),
        ({"awslogs": {"data": "no base64"}}, "expected base64 of gzip"),
        ({"awslogs": {"data": "é"}}, "expected base64 of gzip"),
        (packed(b"no gzip"), "expected base64 of gzip"),
        (packed(gzip.compress(BATCH)[:-4]), "one whole gzip stream"),
        (packed(gzip.compress(BATCH) + b"more"), "one whole gzip stream"),
        (packed(gzip.compress(b"[]")), "expected a payload"),
        (packed(gzip.compress(b"{}")), "messageType"),
        (packed(gzip.compress(b'{"messageType":"OTHER"}')), "a data message, not 'OTHER'"),
        (packed(gzip.compress(b"[" * 1_000_000)), "expected a payload"),
        ({"Records": [stored("%FF")]}, "expected a payload"),
        ({"Records": [{"eventSource": "aws:sns"}]}, "there is a record of 'aws:sns'"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "there is a record of 'aws:s3'"),
        ({"Records": [queued("a", "")]}, "there is a record of 'aws:sqs'"),
        ({"Records": [stored("a"), 5]}, "expected a payload"),
    ],
)
def test_anything_else_is_refused(payload: Any, said: str) -> None:
    with pytest.raises(PayloadError, match=said):
        decode(payload)


def test_what_is_no_json_is_refused() -> None:
    for raw in (b"", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(PayloadError):
            decode_payload(raw, LIMITS)


def test_a_payload_at_the_edge_of_1_mb_is_whole() -> None:
    messages = [json.dumps({"eventID": str(number), "x": "y" * 1000}) for number in range(1000)]

    (batch,) = decode(logs(*messages))

    assert isinstance(batch, LogsBatch)
    assert len(batch.messages) == 1000


def test_a_bomb_is_not_inflated() -> None:
    bomb = packed(gzip.compress(b"x" * 2_000_000))

    with pytest.raises(PayloadError, match="more than 1000000 bytes"):
        decode(bomb, replace(LIMITS, max_payload_bytes=1_000_000))
