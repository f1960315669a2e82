"""What one event says, field by field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrity.events.fields import (
    LOGIN_LEDGER,
    Field,
    decode_fields,
    one_line,
    parse_field,
    time_of,
    value_of,
)

TOKYO = ZoneInfo("Asia/Tokyo")
LOGIN: dict[str, Any] = {
    "eventID": "0a1b",
    "eventTime": "2024-03-30T09:45:53Z",
    "eventName": "ConsoleLogin",
    "eventSource": "signin.amazonaws.com",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.1",
    "userAgent": "Mozilla/5.0",
    "recipientAccountId": "111122223333",
    "userIdentity": {"type": "IAMUser", "userName": "alice", "principalId": "AIDA"},
    "responseElements": {"ConsoleLogin": "Success"},
    "additionalEventData": {"MFAUsed": "Yes"},
}


def said(path: str, **changes: Any) -> str:
    return value_of(LOGIN | changes, path, TOKYO)


def test_a_login_is_a_line_of_the_ledger() -> None:
    assert {field.name: value_of(LOGIN, field.path, TOKYO) for field in LOGIN_LEDGER} == {
        "eventID": "0a1b",
        "accountId": "111122223333",
        "userName": "alice",
        "eventTime": "2024/03/30 18:45:53",
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "Mozilla/5.0",
        "result": "Success",
        "mfaUsed": "Yes",
    }


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ({"type": "Root", "arn": "arn:aws:iam::111122223333:root", "userName": "mail"}, "Root"),
        ({"type": "IAMUser", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}, "HIDDEN_DUE_TO_S"),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/Admin/alice@x.org"}, "alice@"),
        ({"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/bob"}, "bob"),
        ({"type": "SAMLUser", "userName": "carol", "principalId": "x:y"}, "carol"),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "94a8"}}, "94a8"),
        ({"type": "AWSService", "invokedBy": "ssm.amazonaws.com"}, "ssm.amazonaws.com"),
        ({"type": "AWSAccount", "principalId": "AIDA", "accountId": "1"}, "AIDA"),
        ({"type": "Unknown"}, ""),
        ("no table", ""),
    ],
)
def test_who_it_was(identity: Any, name: str) -> None:
    found = said("@userName", userIdentity=identity)

    assert found.startswith(name)
    assert bool(found) is bool(name)


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"responseElements": {"ConsoleLogin": "Failure"}, "errorMessage": "x"}, "Failure"),
        ({"responseElements": None}, "Success"),
        ({"responseElements": None, "errorCode": "AccessDenied"}, "AccessDenied"),
    ],
)
def test_how_it_ended(changes: dict[str, Any], result: str) -> None:
    assert said("@result", **changes) == result


@pytest.mark.parametrize(
    ("changes", "used"),
    [
        ({"additionalEventData": {"MFAUsed": "No"}}, "No"),
        ({"additionalEventData": None}, ""),
        (
            {
                "additionalEventData": None,
                "userIdentity": {"sessionContext": {"attributes": {"mfaAuthenticated": "true"}}},
            },
            "Yes",
        ),
    ],
)
def test_a_second_factor(changes: dict[str, Any], used: str) -> None:
    assert said("@mfaUsed", **changes) == used


@pytest.mark.parametrize("time", ["yesterday", None, 7])
def test_a_time_that_is_none_is_not_made_up(time: Any) -> None:
    assert said("@localTime", eventTime=time) == ""
    assert time_of(LOGIN | {"eventTime": time}) is None


def test_the_last_day_that_there_is_has_no_tomorrow() -> None:
    assert said("@localTime", eventTime="9999-12-31T23:59:59Z") == ""


def test_time_is_utc() -> None:
    assert time_of(LOGIN) == datetime(2024, 3, 30, 9, 45, 53, tzinfo=UTC)


def test_what_is_no_text_is_json() -> None:
    assert said("additionalEventData") == '{"MFAUsed":"Yes"}'
    assert said("a.b", a={"b": [1, True]}) == "[1,true]"
    assert said("eventID.deeper") == said("nothing") == ""


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("eventID", Field("eventID", "eventID")),
        ("who=@userName", Field("who", "@userName")),
        ("@userName", Field("userName", "@userName")),
        ("userIdentity.arn", Field("arn", "userIdentity.arn")),
        ("who=userIdentity.arn", Field("who", "userIdentity.arn")),
        ("@nobody", None),
        ("=x", None),
        ("a b", None),
        ("", None),
    ],
)
def test_a_field_as_it_is_written(text: str, field: Field | None) -> None:
    assert parse_field(text) == field


def test_an_event_is_decoded_or_has_no_fields() -> None:
    assert decode_fields(json.dumps(LOGIN)) == LOGIN
    for text in ("", "[]", "{", "\ud800", "[" * 100_000):
        assert decode_fields(text) == {}


def test_one_line_has_the_same_letters() -> None:
    assert one_line('{\n "a": "x\\n\\u00e4",\n "b": 1.50}') == '{"a":"x\\n\\u00e4","b":1.50}'
    assert one_line("{") == one_line("") == ""
