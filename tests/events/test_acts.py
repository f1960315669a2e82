"""Events of CloudTrail's own API to what they did to one trail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrity.chain.acts import Acts, Aspect
from integrity.chain.model import S3Location, Trail, VerifiedEvent
from integrity.events.acts import read_acts
from tests.chain.specimens import at

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
TRAIL = Trail(ARN, "main", "111122223333", "us-east-1", "trail-logs")
LOG, DIGEST = S3Location("trail-logs", "a log"), S3Location("trail-logs", "a digest")


def verified(name: str = "StopLogging", **changes: Any) -> VerifiedEvent:
    event = {
        "eventTime": "2026-03-01T05:00:00Z",
        "eventName": name,
        "eventSource": "cloudtrail.amazonaws.com",
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
        "eventID": "an id",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/x"},
        "requestParameters": {"name": "main"},
        "responseElements": None,
    } | changes
    document = json.dumps({key: kept for key, kept in event.items() if kept != "absent"})
    return VerifiedEvent(document.encode(), LOG, "a sha256", DIGEST)


def update(response: dict[str, Any] | None = None, **request: Any) -> VerifiedEvent:
    return verified(
        "UpdateTrail",
        requestParameters={"name": ARN, **request},
        responseElements=response,
    )


def test_an_act_says_what_when_by_whom_and_where_it_stands() -> None:
    (act,) = read_acts([verified()], TRAIL).known

    assert (act.event_name, act.time, act.event_id) == ("StopLogging", at(5), "an id")
    assert (act.by, act.log, act.sha256) == ("arn:aws:iam::111122223333:user/x", LOG, "a sha256")
    assert str(act) == "StopLogging by arn:aws:iam::111122223333:user/x at 2026-03-01T05:00:00Z"


@pytest.mark.parametrize(
    ("event", "off", "on"),
    [
        (verified("StopLogging"), {"logging"}, set()),
        (verified("DeleteTrail"), {"existence"}, set()),
        (verified("StartLogging"), set(), {"logging"}),
        (verified("CreateTrail"), set(), set(Aspect)),
        (update(), set(), set()),
        (update(isMultiRegionTrail=False), {"regions"}, set()),
        (update(isOrganizationTrail=False), {"members"}, set()),
        (update(enableLogFileValidation=False), {"validation"}, set()),
        (update(isMultiRegionTrail=True), set(), {"regions"}),
        (update({"isMultiRegionTrail": False}), set(), set()),
        (
            update({"isMultiRegionTrail": True, "logFileValidationEnabled": True}),
            set(),
            {"regions", "validation"},
        ),
        (
            update({"isOrganizationTrail": True, "trailARN": ARN}, enableLogFileValidation=False),
            {"validation"},
            {"members"},
        ),
        (
            update({"logFileValidationEnabled": True}, enableLogFileValidation=False),
            {"validation"},
            set(),
        ),
    ],
)
def test_what_a_call_switches(event: VerifiedEvent, off: set[str], on: set[str]) -> None:
    (act,) = read_acts([event], TRAIL).known

    assert (set(act.off), set(act.on)) == (off, on)


@pytest.mark.parametrize(
    "changes",
    [
        {"errorCode": "AccessDenied"},
        {"errorCode": ""},
        {"errorCode": {"a": 1}},
        {"eventSource": "other.amazonaws.com"},
        {"name": "PutEventSelectors"},
        {"awsRegion": "eu-west-1"},
        {"recipientAccountId": "999999999999"},
        {"requestParameters": None},
        {"requestParameters": "absent"},
        {"requestParameters": {}},
        {"requestParameters": {"name": "other"}},
        {"requestParameters": {"name": "main2"}},
        {"requestParameters": {"name": ARN + "2"}},
        {"requestParameters": {"name": ARN.replace("us-east-1", "eu-west-1")}},
        {"responseElements": {"trailARN": ARN + "2"}},
    ],
)
def test_what_is_no_act_on_this_trail(changes: dict[str, Any]) -> None:
    assert read_acts([verified(**changes)], TRAIL) == Acts()


@pytest.mark.parametrize(
    "changes",
    [
        {"eventTime": "yesterday"},
        {"eventTime": None},
        {"eventTime": "absent"},
        {"requestParameters": {"name": 7}},
        {"requestParameters": [1]},
        {"userIdentity": "x"},
    ],
)
def test_an_event_of_another_form_is_counted(changes: dict[str, Any]) -> None:
    """What it was is not known: it might have taken an act back."""
    assert read_acts([verified(**changes), verified()], TRAIL).unread == 1
    assert len(read_acts([verified(**changes), verified()], TRAIL).known) == 1


@pytest.mark.parametrize(
    ("identity", "by"),
    [
        ({"arn": "an ARN", "principalId": "a principal"}, "an ARN"),
        ({"principalId": "a principal"}, "a principal"),
        ({}, ""),
        (None, ""),
    ],
)
def test_who_it_was(identity: dict[str, Any] | None, by: str) -> None:
    (act,) = read_acts([verified(userIdentity=identity)], TRAIL).known

    assert act.by == by
    assert f" by {by or 'nobody named'} at " in str(act)
