"""A live function on the lab's AWS: its table, its destinations, and payloads for it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from integrity.aws.session import Aws
from integrity.wiring.live import LiveInput, open_live

LOG_GROUP, OWNER = "trail", "111122223333"


def make_state(aws: Aws, name: str = "state") -> str:
    aws.client("dynamodb", "us-east-1").create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@contextmanager
def opened(environ: dict[str, str], now: datetime) -> Iterator[LiveInput]:
    live = open_live(environ, lambda: now)
    try:
        yield live
    finally:
        live.close()


def logs(*events: Any, owner: str = OWNER, group: str = LOG_GROUP) -> dict[str, Any]:
    """What a subscription hands over: events, or texts that are none."""
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": owner,
        "logGroup": group,
        "logStream": "111122223333_CloudTrail_us-east-1",
        "subscriptionFilters": ["filter"],
        "logEvents": [
            {
                "id": str(number),
                "timestamp": 1700000000000,
                "message": event if isinstance(event, str) else json.dumps(event),
            }
            for number, event in enumerate(events)
        ],
    }
    return packed(batch)


def control() -> dict[str, Any]:
    return packed(
        {
            "messageType": "CONTROL_MESSAGE",
            "owner": "CloudwatchLogs",
            "logGroup": "",
            "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: health"}],
        }
    )


def packed(batch: dict[str, Any]) -> dict[str, Any]:
    content = gzip.compress(json.dumps(batch).encode())
    return {"awslogs": {"data": base64.b64encode(content).decode()}}


def notice(bucket: str, key: str) -> dict[str, Any]:
    """S3's notification, the key as S3 spells it."""
    about = {"bucket": {"name": bucket}, "object": {"key": key}}
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": about}
    return {"Records": [record]}


def queue(*bodies: Any) -> dict[str, Any]:
    """SQS's batch, its messages numbered."""
    return {
        "Records": [
            {
                "eventSource": "aws:sqs",
                "messageId": f"m{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for number, body in enumerate(bodies)
        ]
    }


def hand(live: LiveInput, payload: Any) -> Any:
    return live.handle(json.dumps(payload).encode())
