"""Events as CloudTrail records them, invented from a seed.

A few everyday calls of an ordinary account, each with the fields that a reader of CloudTrail
relies on. The same random source gives the same events, their ids included.

Source: AWS: cloudtrail-event-reference-record-contents.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from integrity.lab.naming import iso, partition_of

Event = dict[str, Any]

_CALLS: tuple[tuple[str, str, bool, dict[str, Any] | None], ...] = (
    ("sts", "AssumeRole", True, {"roleSessionName": "nightly", "durationSeconds": 3600}),
    ("ec2", "DescribeInstances", True, {"instancesSet": {}, "filterSet": {}}),
    ("ec2", "AuthorizeSecurityGroupIngress", False, {"groupId": "sg-0a1b2c3d4e5f60718"}),
    ("s3", "GetBucketAcl", True, {"bucketName": "invoices", "acl": ""}),
    ("kms", "Decrypt", True, {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
    ("iam", "CreateAccessKey", False, {"userName": "build"}),
    ("logs", "CreateLogStream", False, {"logGroupName": "/app/orders"}),
    ("signin", "ConsoleLogin", False, None),
    ("dynamodb", "DescribeTable", True, {"tableName": "orders"}),
    ("cloudtrail", "LookupEvents", True, {"maxResults": 50}),
)
_AGENTS = (
    "aws-cli/2.17.9 md/awscrt#0.20.11 ua/2.0 os/linux#6.1.94 md/arch#x86_64 lang/python#3.11.8",
    "Boto3/1.34.131 md/Botocore#1.34.131 ua/2.0 os/linux#5.10 lang/python#3.12.3",
    "console.amazonaws.com",
    "aws-sdk-go-v2/1.30.1 os/linux lang/go#1.22.4 md/GOOS#linux md/GOARCH#arm64",
)
_PEOPLE = ("operator", "analyst", "build", "terraform")


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _address(rng: random.Random) -> str:
    # The blocks that RFC 5737 keeps for documentation.
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def _identity(rng: random.Random, account_id: str, partition: str) -> Event:
    person = rng.choice(_PEOPLE)
    access_key = "ASIA" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
    if person in ("operator", "analyst"):
        return {
            "type": "IAMUser",
            "principalId": f"AIDA{person.upper():A<17}",
            "arn": f"arn:{partition}:iam::{account_id}:user/{person}",
            "accountId": account_id,
            "accessKeyId": access_key,
            "userName": person,
        }
    issuer = f"AROA{person.upper():A<17}"
    return {
        "type": "AssumedRole",
        "principalId": f"{issuer}:{person}",
        "arn": f"arn:{partition}:sts::{account_id}:assumed-role/{person}/{person}",
        "accountId": account_id,
        "accessKeyId": access_key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": issuer,
                "arn": f"arn:{partition}:iam::{account_id}:role/{person}",
                "accountId": account_id,
                "userName": person,
            },
            "attributes": {"mfaAuthenticated": "false"},
        },
    }


def event(
    rng: random.Random,
    *,
    account_id: str,
    region: str,
    at: datetime,
    source: str | None = None,
    name: str | None = None,
    request: dict[str, Any] | None = None,
    response: dict[str, Any] | None = None,
    error: str = "",
    read_only: bool = False,
) -> Event:
    """One management event at `at`; an everyday one unless `source`, `name` say which.

    With `error`, its code, the call failed.
    """
    if source is None or name is None:
        service, name, read_only, request = rng.choice(_CALLS)
        source = f"{service}.amazonaws.com"
    return {
        "eventVersion": "1.11",
        "userIdentity": _identity(rng, account_id, partition_of(region)),
        "eventTime": iso(at),
        "eventSource": source,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": _address(rng),
        "userAgent": rng.choice(_AGENTS),
        **({"errorCode": error, "errorMessage": "the call failed"} if error else {}),
        "requestParameters": request,
        "responseElements": response,
        "requestID": _uuid(rng),
        "eventID": _uuid(rng),
        "readOnly": read_only,
        "eventType": "AwsConsoleSignIn" if name == "ConsoleLogin" else "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account_id,
        "eventCategory": "Management",
    }


def events_up_to(
    rng: random.Random, *, count: int, newest: datetime, account_id: str, region: str
) -> list[Event]:
    """`count` everyday events in no order, all within the five minutes that end at `newest`."""
    times = [newest] + [newest - timedelta(seconds=rng.randrange(300)) for _ in range(count - 1)]
    rng.shuffle(times)
    return [event(rng, account_id=account_id, region=region, at=at) for at in times]


def log_json(events: Sequence[Event]) -> bytes:
    """A log file's uncompressed bytes: one line, `{"Records":[...]}`."""
    return json.dumps({"Records": events}, separators=(",", ":"), ensure_ascii=False).encode()
