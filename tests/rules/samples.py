"""Events as CloudTrail writes them, for rules to be tried on."""

from __future__ import annotations

import json
from typing import Any

USER = {
    "type": "IAMUser",
    "principalId": "AIDAEXAMPLE",
    "arn": "arn:aws:iam::111122223333:user/alice",
    "accountId": "111122223333",
    "userName": "alice",
}
ROOT = {
    "type": "Root",
    "principalId": "111122223333",
    "arn": "arn:aws:iam::111122223333:root",
    "accountId": "111122223333",
}
ROLE = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:bob@example.com",
    "arn": "arn:aws:sts::111122223333:assumed-role/Admin/bob@example.com",
    "accountId": "111122223333",
}


def event(name: str, source: str, *, by: dict[str, Any] = USER, **more: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.10",
        "userIdentity": by,
        "eventTime": "2026-03-01T03:04:05Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.31",
        "requestParameters": None,
        "responseElements": None,
        "eventID": "7e1b7a2c-4d5e-4f60-8a9b-0c1d2e3f4a5b",
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
        **more,
    }


def login(
    by: dict[str, Any] = USER, *, result: str = "Success", mfa: str = "Yes"
) -> dict[str, Any]:
    return event(
        "ConsoleLogin",
        "signin",
        by=by,
        eventType="AwsConsoleSignIn",
        responseElements={"ConsoleLogin": result},
        additionalEventData={"MFAUsed": mfa, "MobileVersion": "No"},
    )


def made_key(**more: Any) -> dict[str, Any]:
    made = {"accessKey": {"userName": "carol", "status": "Active", "accessKeyId": "AKIAEXAMPLE"}}
    return event("CreateAccessKey", "iam", responseElements=made, **more)


def session(by: dict[str, Any] = ROLE, **more: Any) -> dict[str, Any]:
    return event("StartSession", "ssm", by=by, requestParameters={"target": "i-0abc"}, **more)


def raw(one: dict[str, Any]) -> bytes:
    return json.dumps(one).encode()
