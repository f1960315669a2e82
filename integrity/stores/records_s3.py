"""Records in a bucket that is not the audited one. None is ever written over.

A conditional PUT leaves what is there (AWS: How to prevent object overwrites with conditional
writes); the bucket's own encryption, versions and object lock do the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from integrity.aws.refusal import REFUSALS, Call, Refusal, error_code, explain
from integrity.errors import AccessError
from integrity.state import StoredRecord
from integrity.stores.record_names import (
    LEVELS,
    MAX_RECORD_BYTES,
    drill_name,
    newest_name,
    record_name,
    trail_folder,
)

T = TypeVar("T")

_THERE = frozenset({"PreconditionFailed", "412"})
_AT_ONCE = frozenset({"ConditionalRequestConflict", "409"})
_GONE = frozenset({"NoSuchKey", "404"})
_TRIES = 5
_FIRST_WAIT = 0.05


class S3Records:
    """Records below `s3://bucket/prefix`, through a botocore client of S3 that retries.

    Needs s3:PutObject, and to read s3:GetObject and s3:ListBucket: to who may not list, a record
    that is gone is one that is denied. `kms_key_id` encrypts with that key and not with the
    bucket's own default; `expected_bucket_owner` is an account id.
    """

    def __init__(
        self,
        bucket: str,
        client: Any,
        *,
        prefix: str = "",
        kms_key_id: str | None = None,
        expected_bucket_owner: str | None = None,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = client
        owner = {"ExpectedBucketOwner": expected_bucket_owner} if expected_bucket_owner else {}
        self._place = {"Bucket": bucket, **owner}
        self._encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        )

    def write(self, trail_arn: str, started_at: datetime, run_id: str, document: bytes) -> str:
        """Keep a record for ever; its URI, `s3://…`. The same one again changes nothing.

        Raises AccessError where S3 refuses or another one has its name, UsageError for an ARN or a
        run id that is none.
        """
        return self._keep(record_name(trail_arn, started_at, run_id), document)

    def write_drill(
        self, trail_arn: str, started_at: datetime, drill_id: str, document: bytes
    ) -> str:
        """Keep how a drill ended, beside the records; its URI. Raises as `write` does."""
        return self._keep(drill_name(trail_arn, started_at, drill_id), document)

    def _keep(self, name: str, document: bytes) -> str:
        key = self._prefix + name
        if not self._put(key, document) and self._get(key) != document:
            raise AccessError(
                f"{self._uri(key)} holds another record of the same run: it is left as it is; find "
                "out who wrote it"
            )
        return self._uri(key)

    def attach(self, trail_arn: str, started_at: datetime, run_id: str, signature: bytes) -> None:
        """Lay a signature beside a record; one that lies there is left. Raises as `write` does."""
        self._put(f"{self._prefix}{record_name(trail_arn, started_at, run_id)}.sig", signature)

    def newest(self, trail_arn: str) -> StoredRecord | None:
        """The record that was started last, or None: a listing a level, and one object."""
        folder = self._prefix + trail_folder(trail_arn)
        for day in self._days(folder):
            names = self._list(day, "Contents", "Key")
            name = newest_name(day[len(folder) :], names)
            if name is not None:
                return StoredRecord(self._uri(day + name), self._get(day + name))
        return None

    def read(self, trail_arn: str, started_at: datetime, run_id: str) -> StoredRecord | None:
        """The record of that run, or None. Raises AccessError and UsageError as `write`."""
        key = self._prefix + record_name(trail_arn, started_at, run_id)
        try:
            return StoredRecord(self._uri(key), self._get(key))
        except AccessError as error:
            if isinstance(error.__cause__, REFUSALS) and error_code(error.__cause__) in _GONE:
                return None
            raise

    def _put(self, key: str, document: bytes) -> bool:
        """Whether it was written; False where something has the name already."""
        attempt = 0
        while True:
            try:
                self._client.put_object(
                    Key=key,
                    Body=document,
                    ContentType="application/json",
                    IfNoneMatch="*",
                    **self._place,
                    **self._encryption,
                )
                return True
            except REFUSALS as error:
                if error_code(error) in _THERE:
                    return False
                attempt += 1
                if error_code(error) not in _AT_ONCE or attempt == _TRIES:
                    raise self._refused(error, "PutObject", key) from error
            time.sleep(_FIRST_WAIT * 2**attempt)

    def _get(self, key: str) -> bytes:
        def read() -> bytes | None:
            answer = self._client.get_object(Key=key, **self._place)
            with answer["Body"] as body:
                if answer["ContentLength"] > MAX_RECORD_BYTES:
                    return None
                document: bytes = body.read()
            return document

        document = self._ask(read, "GetObject", key)
        if document is None:
            raise AccessError(
                f"{self._uri(key)} is larger than {MAX_RECORD_BYTES} bytes: this is no record"
            )
        return document

    def _days(self, folder: str, level: int = 0) -> Iterator[str]:
        """The day folders below, newest first."""
        if level == len(LEVELS):
            yield folder
            return
        for name in sorted(self._list(folder, "CommonPrefixes", "Prefix"), reverse=True):
            if LEVELS[level].fullmatch(name.rstrip("/")):
                yield from self._days(folder + name, level + 1)

    def _list(self, folder: str, what: str, field: str) -> list[str]:
        """The names directly below `folder`: of objects, or of folders with their slash."""
        request = {"Prefix": folder, "Delimiter": "/", **self._place}

        def read() -> list[str]:
            pages = self._client.get_paginator("list_objects_v2").paginate(**request)
            return [found[field][len(folder) :] for page in pages for found in page.get(what, [])]

        return self._ask(read, "ListBucket", "")

    def _ask(self, read: Callable[[], T], action: str, key: str) -> T:
        try:
            return read()
        except REFUSALS as error:
            raise self._refused(error, action, key) from error

    def _refused(self, error: Refusal, action: str, key: str) -> AccessError:
        where = f"on arn:aws:s3:::{self._bucket}" + (f"/{key}" if key else "")
        why = explain(error, Call(f"s3:{action}", where))
        return AccessError(f"records could not be written or read at {self._uri(key)}: {why}")

    def _uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"
