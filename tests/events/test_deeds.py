"""Events of CloudTrail and S3 to what somebody did to the trail, its bucket and its objects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrity.chain.acts import Aspect
from integrity.chain.evidence import EventWitness
from integrity.chain.explain import Touch
from integrity.chain.limits import Limits
from integrity.chain.model import VerifiedEvent
from integrity.events.deeds import Deeds, read_deeds, read_history, wanted_of
from integrity.events.search import search_log
from tests.chain.specimens import at
from tests.events.test_acts import ARN, DIGEST, LOG, TRAIL, verified

BUCKET = "trail-logs"


def on_bucket(name: str, **changes: Any) -> VerifiedEvent:
    said = {"eventSource": "s3.amazonaws.com", "requestParameters": {"bucketName": BUCKET}}
    return verified(name, **said | changes)


def document(event: VerifiedEvent) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.event)
    return found


def test_a_verified_event_names_the_log_file_that_holds_it() -> None:
    (deed,) = read_deeds([verified()], TRAIL).known

    event = deed.event
    assert (event.event_name, event.time, event.event_id) == ("StopLogging", at(5), "an id")
    assert (event.s3_uri, event.sha256) == (LOG.uri, "a sha256")
    assert event.witness is EventWitness.LOG_FILE
    assert (deed.off, deed.on) == (frozenset({Aspect.LOGGING}), frozenset[Aspect]())
    assert str(event) == "StopLogging by arn:aws:iam::111122223333:user/x at 2026-03-01T05:00:00Z"


def test_the_event_history_has_neither_place_nor_hash() -> None:
    (deed,) = read_history([verified().event], TRAIL).known

    assert (deed.event.witness, deed.event.s3_uri, deed.event.sha256) == (
        EventWitness.EVENT_HISTORY, None, None,
    )  # fmt: skip


def test_selectors_of_this_trail_switch_nothing() -> None:
    put = verified("PutEventSelectors", requestParameters={"trailName": ARN})
    other = verified("PutEventSelectors", requestParameters={"trailName": "other"})

    (deed,) = read_deeds([put, other], TRAIL).known

    assert (deed.event.event_name, deed.off, deed.on) == (
        "PutEventSelectors", frozenset(), frozenset(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "touch"),
    [
        ("PutBucketLifecycle", Touch.LIFECYCLE),
        ("PutBucketVersioning", Touch.RULES),
        ("PutBucketPolicy", Touch.RULES),
    ],
)
def test_what_was_done_to_a_bucket(name: str, touch: Touch) -> None:
    (deed,) = read_deeds([on_bucket(name)], TRAIL).known

    assert (deed.bucket, deed.key, deed.touch) == (BUCKET, "", touch)


def test_what_was_done_to_an_object() -> None:
    request = {"bucketName": BUCKET, "key": "a key"}
    deleted = on_bucket("DeleteObject", requestParameters=request)
    put = on_bucket("PutObject", requestParameters=request)

    found = read_deeds([deleted, put], TRAIL).known

    assert [(deed.key, deed.touch) for deed in found] == [
        ("a key", Touch.DELETED),
        ("a key", Touch.WRITTEN),
    ]


def test_a_call_for_many_objects_names_them_as_resources() -> None:
    resources = [
        {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/one"},
        {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/two/2"},
        {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::other/one"},
        {"type": "AWS::S3::Object", "ARNPrefix": f"arn:aws:s3:::{BUCKET}/"},
        {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"},
    ]

    found = read_deeds([on_bucket("DeleteObjects", resources=resources)], TRAIL).known

    assert [deed.key for deed in found] == ["one", "two/2"]


@pytest.mark.parametrize(
    "event",
    [
        on_bucket("DeleteObject", errorCode="AccessDenied"),
        on_bucket("DeleteObject", requestParameters=None),
        on_bucket("DeleteObject", requestParameters={"key": "a key"}),
        on_bucket("DeleteObject"),
        on_bucket("GetObject", requestParameters={"bucketName": BUCKET, "key": "a key"}),
        on_bucket(
            "PutObject",
            requestParameters={"bucketName": BUCKET, "key": "a key"},
            userIdentity={"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"},
        ),
        verified("StopLogging", requestParameters={"name": "other"}),
        verified("StopLogging", requestParameters={"name": "main", "trailName": "other"}),
        verified("StopLogging", eventTime="yesterday"),
        verified("GetTrail"),
    ],
)
def test_what_is_no_deed(event: VerifiedEvent) -> None:
    assert read_deeds([event], TRAIL) == Deeds()
    assert read_history([event.event], TRAIL) == Deeds()


def test_who_has_no_arn_is_named_by_what_there_is() -> None:
    by = [
        {"principalId": "AIDAX"},
        {"type": "AWSService", "invokedBy": "s3.amazonaws.com"},
        None,
    ]
    found = read_deeds([verified(userIdentity=one) for one in by], TRAIL).known

    assert [deed.event.by for deed in found] == ["AIDAX", "s3.amazonaws.com", ""]


def test_what_cannot_be_read_is_counted() -> None:
    junk = VerifiedEvent(b"[1]", LOG, "a sha256", DIGEST)

    assert read_deeds([junk, junk], TRAIL) == Deeds(unread=2)
    assert read_history([b"\xff", b"{}"], TRAIL) == Deeds(unread=2)
    assert Deeds(unread=1) + Deeds(unread=2) == Deeds(unread=3)


def test_of_s3_only_what_names_the_bucket_is_taken_along() -> None:
    mine = document(on_bucket("DeleteObject"))
    others = document(on_bucket("DeleteObject", requestParameters={"bucketName": "orders"}))
    stop = document(verified())
    body = json.dumps({"Records": [mine, others, stop]}).encode()

    found = search_log(body, [wanted_of(BUCKET)], Limits())

    assert [json.loads(event) for event in found.events] == [mine, stop]
