"""Objects in S3: fetched by the thousand, listed folder by folder, in whatever region they lie.

It tells apart what S3 says is not there (`Absent`), what nobody can say anything about
(`Unreachable`, with the permission or the action that would help) and what was read to its end.
GETs go through obstore first; botocore is asked again before anything but success is concluded, and
does all the rest. It judges no content. (AWS: API_GetObject, API_ListObjectsV2, API_HeadBucket.)
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.chain.names import ACCOUNT_ID
from integrity.errors import UsageError
from integrity.sources.fast_bucket import FastBucket, is_addressable
from integrity.sources.refusal import REFUSALS, Call, Refusal, error_code, explain
from integrity.sources.session import Aws, AwsRecipe, is_region_name
from integrity.sources.transfer import BrokenTransferError, Buffer, whole

T = TypeVar("T")
Reader = Callable[[Iterable[Buffer]], T]

_FALLBACK_REGION = "us-east-1"
# Names of buckets made in us-east-1 before March 2018 may be longer, in capitals, or underscored.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_ACCOUNT = re.compile(ACCOUNT_ID)
_LONGEST_KEY_BYTES = 1024
_PIECE_BYTES = 256 * 1024
_BROKEN = (BotoCoreError, HTTPError, OSError)
_LONGEST_WAIT_SECONDS = 20.0
_NOWHERE = frozenset({"NoSuchKey", "NoSuchBucket"})
_DENIED = frozenset({"AccessDenied", "403"})
_UNLESS_LISTED = "; without s3:ListBucket on the bucket S3 says the same of what is not there"
_UNLESS_OWNED = "; S3 says the same of every bucket that is not account {owner}'s"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Recipe:
    """How to open S3 in any process. `expected_bucket_owner` is an account id, for every call."""

    aws: AwsRecipe
    expected_bucket_owner: str | None = None

    def open(self) -> S3Source:
        """Raises UsageError as `AwsRecipe.open` does, and for an owner that is no account id."""
        return S3Source(self.aws.open(), expected_bucket_owner=self.expected_bucket_owner)


@dataclass(frozen=True, slots=True)
class _Bucket:
    client: Any
    fast: FastBucket | None
    partition: str


class S3Source:
    """Objects in buckets, for many threads at once. Every answer is a value."""

    def __init__(self, aws: Aws, *, expected_bucket_owner: str | None = None) -> None:
        if expected_bucket_owner is not None and not _ACCOUNT.fullmatch(expected_bucket_owner):
            raise UsageError(
                f"the expected bucket owner {expected_bucket_owner!r} is not an account id: give "
                "its 12 digits"
            )
        self._aws = aws
        self._owner = expected_bucket_owner
        self._owned = (
            {} if expected_bucket_owner is None else {"ExpectedBucketOwner": expected_bucket_owner}
        )
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def fetch(self, location: S3Location, read: Reader[T]) -> Fetched[T] | Absent | Unreachable:
        """The object; `read` gets its stored bytes, again from the first one if they break off.

        Absent where S3 says so of the key or its bucket; Unreachable with a detail otherwise.
        """
        if not is_bucket_name(location.bucket):
            return Unreachable(location, f"{location.bucket!r} is not a bucket's name")
        if not _can_be_key(location.key):
            return Absent(location)
        bucket = self._bucket(location.bucket)
        fast = bucket.fast
        if fast is None or not fast.is_worth_asking or not is_addressable(location.key):
            return self._fetch_slowly(bucket, location, read)
        fetched = fast.fetch(location.key, read)
        if fetched is not None:
            return fetched
        answer = self._fetch_slowly(bucket, location, read)
        if isinstance(answer, Fetched):
            fast.note_failure()
        return answer

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """Every object whose key begins with `prefix`, page by page to the end. No bucket: none."""
        for page in self._pages(bucket, prefix, {}):
            if isinstance(page, Unreachable):
                yield page
            else:
                yield from (_listed(bucket, one) for one in page.get("Contents", ()))

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The names, without slash, directly below `folder` that have keys of their own below."""
        names: list[str] = []
        for page in self._pages(bucket, folder, {"Delimiter": "/"}):
            if isinstance(page, Unreachable):
                return page
            names += [one["Prefix"][len(folder) : -1] for one in page.get("CommonPrefixes", ())]
        return tuple(names)

    def _pages(
        self, bucket: str, prefix: str, asked: dict[str, str]
    ) -> Iterator[dict[str, Any] | Unreachable]:
        where = S3Location(bucket, prefix)
        if not is_bucket_name(bucket):
            yield Unreachable(where, f"{bucket!r} is not a bucket's name")
            return
        opened = self._bucket(bucket)
        pages = opened.client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, **asked, **self._owned
        )
        try:
            yield from pages
        except REFUSALS as error:
            if error_code(error) == "NoSuchBucket":
                return
            call = Call("s3:ListBucket", f"on arn:{opened.partition}:s3:::{bucket}")
            yield Unreachable(where, self._sentence(error, call))

    def _fetch_slowly(
        self, bucket: _Bucket, location: S3Location, read: Reader[T]
    ) -> Fetched[T] | Absent | Unreachable:
        """Through botocore, which repeats requests itself; bodies that broke are repeated here."""
        broken = ""
        for attempt in range(self._aws.recipe.attempts):
            _wait_before(attempt)
            try:
                answer = bucket.client.get_object(
                    Bucket=location.bucket, Key=location.key, **self._owned
                )
            except REFUSALS as error:
                return self._refused(bucket, location, error)
            with closing(answer["Body"]) as body:
                try:
                    content = read(
                        whole(body.iter_chunks(_PIECE_BYTES), answer.get("ContentLength"), _BROKEN)
                    )
                except BrokenTransferError as error:
                    broken = str(error)
                    continue
            return _fetched(location, content, answer)
        return Unreachable(location, f"the transfer broke every time ({broken}): try again later")

    def _refused(
        self, bucket: _Bucket, location: S3Location, error: Refusal
    ) -> Absent | Unreachable:
        if error_code(error) in _NOWHERE:
            return Absent(location)
        call = Call(
            "s3:GetObject", f"on arn:{bucket.partition}:s3:::{location.bucket}/{location.key}"
        )
        return Unreachable(location, self._sentence(error, call, unless_listed=_UNLESS_LISTED))

    def _sentence(self, error: Refusal, call: Call, *, unless_listed: str = "") -> str:
        sentence = explain(error, call)
        if error_code(error) not in _DENIED or call.permission not in sentence:
            return sentence
        owner = "" if self._owner is None else _UNLESS_OWNED.format(owner=self._owner)
        return sentence + unless_listed + owner

    def _bucket(self, name: str) -> _Bucket:
        known = self._buckets.get(name)
        if known is not None:
            return known
        with self._lock:
            if name not in self._buckets:
                self._buckets[name] = self._open_bucket(name)
            return self._buckets[name]

    def _open_bucket(self, name: str) -> _Bucket:
        region = self._region(name)
        client = self._aws.client("s3", region or self._first_region)
        # Where S3 could not be asked, botocore finds the region again by S3's own redirects.
        fast = FastBucket.open(self._aws, client, name, self._owner) if region else None
        return _Bucket(client, fast, self._aws.partition(client.meta.region_name))

    @property
    def _first_region(self) -> str:
        return self._aws.region or _FALLBACK_REGION

    def _region(self, bucket: str) -> str | None:
        """Where the bucket lies, which S3 tells everybody. None where it gave no answer at all."""
        try:
            answer = self._aws.client("s3", self._first_region).head_bucket(
                Bucket=bucket, **self._owned
            )
        except ClientError as error:
            answer = error.response
        except REFUSALS:
            return None
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = str(headers.get("x-amz-bucket-region", ""))
        return region if is_region_name(region) else self._first_region


def is_bucket_name(text: str) -> bool:
    """Whether a bucket can have that name; an access point's ARN, for instance, is not one."""
    return _BUCKET.fullmatch(text) is not None


def _can_be_key(key: str) -> bool:
    """Keys are 1 to 1,024 bytes of UTF-8; under any other name there can be no object."""
    try:
        return 1 <= len(key.encode()) <= _LONGEST_KEY_BYTES
    except UnicodeEncodeError:
        return False


def _wait_before(attempt: int) -> None:
    """Not at all before the first attempt, then up to twice as long each time."""
    if attempt:
        longest = min(2**attempt / 10, _LONGEST_WAIT_SECONDS)
        time.sleep(random.uniform(0, longest))  # noqa: S311 - it spreads the load, it hides nothing


def _listed(bucket: str, one: dict[str, Any]) -> Listed:
    return Listed(
        location=S3Location(bucket, one["Key"]),
        size=one["Size"],
        last_modified=one["LastModified"].astimezone(UTC),
        etag=one.get("ETag", "").strip('"'),
        storage_class=one.get("StorageClass", ""),
    )


def _fetched(location: S3Location, content: T, answer: dict[str, Any]) -> Fetched[T]:
    modified = answer.get("LastModified")
    return Fetched(
        location=location,
        content=content,
        metadata={name.lower(): value for name, value in answer.get("Metadata", {}).items()},
        last_modified=modified and modified.astimezone(UTC),
        version_id=answer.get("VersionId"),
        size=answer["ContentLength"],
    )
