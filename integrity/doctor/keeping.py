"""Whether state and records can be kept: written where nothing reads, and read back.

In a table it is an item of its own partition, taken away again. In a bucket, where nothing may be
taken away, it is one small object a day below `doctor/`, a name that no record has. On disk
`stores.trials` leaves nothing behind.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from integrity.chain.times import format_instant
from integrity.doctor.asking import Asker, Need, Refused
from integrity.doctor.check import Check, failed, misconfigured, passed
from integrity.errors import AccessError, UsageError
from integrity.stores.places import named_bucket, named_table

PARTITION = "doctor"
"""The table's partition, and the records' folder, that hold trials and nothing else."""

_KEPT = timedelta(hours=1)
_LOST = "ConditionalCheckFailedException"
_NO_TABLE = "ResourceNotFoundException"
_WRONG_KEY = "ValidationException"
_THERE = frozenset({"PreconditionFailed", "412"})
_NO_OBJECT = frozenset({"NoSuchKey", "404"})


class _Step(Struct, frozen=True):
    action: str
    gain: str
    do: Callable[[], object]


def examine_table(asker: Asker, place: str, now: datetime) -> Iterator[Check]:
    """Every operation that the store needs, on an item that no store reads."""
    named = named_table(place)
    assert named is not None  # noqa: S101 - whoever calls has looked
    table, region = named
    client = asker.aws.client("dynamodb", region)
    where = client.meta.region_name
    partition = asker.aws.partition(where)
    arn = f"arn:{partition}:dynamodb:{where}:{asker.account_id}:table/{table}"
    for step in _steps(client, table, now):
        answer = asker.ask(Need(f"dynamodb:{step.action}", arn), step.do)
        name = f"dynamodb:{step.action}"
        if not isinstance(answer, Refused) or answer.code == _LOST:
            yield passed(name, arn, step.gain)
        elif answer.code == _NO_TABLE:
            yield misconfigured(
                name,
                arn,
                f"there is no table {table} in {where}",
                "set dynamodb_table to its ARN where it lies in another region or account",
            )
            return
        elif answer.code == _WRONG_KEY:
            yield misconfigured(
                name,
                arn,
                "the table is not one of this program's",
                "its key has to be `pk` (string, partition) and `sk` (string, sort)",
            )
            return
        else:
            yield answer.check(name, arn)


def _steps(client: Any, table: str, now: datetime) -> Iterator[_Step]:
    """None of them fails for want of the one before, and the last leaves nothing behind."""
    key = {"pk": {"S": PARTITION}, "sk": {"S": secrets.token_hex(8)}}
    expires = {"N": str(int((now + _KEPT).timestamp()))}
    yield _Step(
        "PutItem",
        "written, on condition that it was not there",
        lambda: client.put_item(
            TableName=table,
            Item={**key, "expires": expires},
            ConditionExpression="attribute_not_exists(pk)",
        ),
    )
    yield _Step(
        "GetItem",
        "read back",
        lambda: client.get_item(TableName=table, Key=key, ConsistentRead=True),
    )
    yield _Step(
        "Query",
        "found",
        lambda: client.query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": key["pk"]},
            Limit=1,
        ),
    )
    yield _Step(
        "UpdateItem",
        "changed, on condition that it was there",
        lambda: client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET expires = :expires",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":expires": expires},
        ),
    )
    yield _Step("DeleteItem", "taken away", lambda: client.delete_item(TableName=table, Key=key))


def examine_place(name: str, place: str, attempt: Callable[[], str]) -> Iterator[Check]:
    """A file or folder, or whatever else says what it found out or raises why not."""
    try:
        yield passed(name, place, attempt())
    except UsageError as error:
        yield misconfigured(name, place, str(error), "")
    except AccessError as error:
        yield failed(name, place, str(error))


def examine_records(
    asker: Asker, place: str, kms_key_id: str | None, now: datetime
) -> Iterator[Check]:
    """List, write and read in the bucket of the records."""
    named = named_bucket(place)
    assert named is not None  # noqa: S101 - whoever calls has looked
    bucket, prefix = named
    records = _Records(asker, bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else "")
    yield from records.examine(kms_key_id, now)


class _Records:
    def __init__(self, asker: Asker, bucket: str, prefix: str) -> None:
        self._asker, self._bucket, self._prefix = asker, bucket, prefix
        self._client = asker.aws.client("s3")
        self._partition = asker.aws.partition()
        self._arn = f"arn:{self._partition}:s3:::{bucket}"

    def examine(self, kms_key_id: str | None, now: datetime) -> Iterator[Check]:
        listed = self._ask(
            "s3:ListBucket",
            self._arn,
            lambda: self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=self._prefix, Delimiter="/", MaxKeys=1
            ),
        )
        if isinstance(listed, Refused) and listed.code == "NoSuchBucket":
            yield misconfigured(
                "s3:ListBucket",
                self._bucket,
                "there is no such bucket for records",
                "set records.place to one that is there",
            )
            return
        yield self._check(listed, "s3:ListBucket", "the newest record can be found")
        yield from self._write(kms_key_id, now)

    def _write(self, kms_key_id: str | None, now: datetime) -> Iterator[Check]:
        key = f"{self._prefix}{PARTITION}/{now:%Y-%m-%d}.json"
        encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        )
        key_arn = kms_key_id if (kms_key_id or "").startswith("arn:") else ""
        written = self._ask(
            "s3:PutObject",
            f"{self._arn}/{self._prefix}*",
            lambda: self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=_trial(now),
                ContentType="application/json",
                IfNoneMatch="*",
                **encryption,
            ),
            key_arn or "",
        )
        said = f"{key} was written, and is no record"
        if isinstance(written, Refused) and written.code in _THERE:
            said = f"{key} is there from an earlier examination today, and is not written over"
            yield passed("s3:PutObject", f"s3://{self._bucket}", said)
        else:
            yield self._check(written, "s3:PutObject", said)
        read = self._ask(
            "s3:GetObject",
            f"{self._arn}/{self._prefix}*",
            lambda: self._read(key),
            key_arn or "",
        )
        if isinstance(read, Refused) and read.code in _NO_OBJECT:
            yield passed("s3:GetObject", f"s3://{self._bucket}", "S3 says that nothing is there")
            return
        yield self._check(read, "s3:GetObject", "what was written can be read back")

    def _read(self, key: str) -> Mapping[str, Any]:
        answer: dict[str, Any] = self._client.get_object(Bucket=self._bucket, Key=key)
        with answer["Body"] as body:
            body.read()
        return answer

    def _ask(
        self, action: str, resource: str, question: Callable[[], Any], key_arn: str = ""
    ) -> Any:
        return self._asker.ask(Need(action, resource, key_arn=key_arn), question)

    def _check(self, answer: object, action: str, gain: str) -> Check:
        subject = f"s3://{self._bucket}/{self._prefix}"
        if isinstance(answer, Refused):
            return answer.check(action, subject)
        return passed(action, subject, gain)


def check_place_of_records(place: str, audited: str) -> Iterator[Check]:
    """A check that fails where the records lie in the bucket that is audited."""
    if f"{place}/".startswith(f"s3://{audited}/"):
        yield misconfigured(
            "records.place",
            place,
            "it lies in the bucket that is audited: who can change the logs could change the "
            "records",
            "name another bucket, or set records.same_bucket = true",
        )


def _trial(now: datetime) -> bytes:
    return json.dumps(
        {
            "what": "Written by `integrity doctor` to see whether records can be kept. No record.",
            "written_at": format_instant(now),
        }
    ).encode()
