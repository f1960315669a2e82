"""Objects in S3: fetched by the thousand, listed folder by folder, in whatever region they lie.

It tells apart what S3 says is not there (`Absent`), what nobody can say anything about
(`Unreachable`, with what would help) and what was read to its end. GETs and listings go past most
of botocore first; it is asked again before anything but success is concluded. Trouble that may pass
is waited out, at the pace that S3 keeps up with. (AWS: API_ListObjectsV2; S3 Error Responses.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from integrity.aws.refusal import (
    REFUSALS,
    Call,
    Refusal,
    error_code,
    explain,
    is_expired,
    is_slow_down,
    may_pass,
)
from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.chain.names import ACCOUNT_ID
from integrity.errors import UsageError
from integrity.sources.buckets import Bucket, Buckets, can_be_key
from integrity.sources.claimed import is_bucket_name
from integrity.sources.fast_bucket import Failure, is_addressable
from integrity.sources.patience import Patience
from integrity.sources.throttle import Pace, Paces
from integrity.sources.transfer import BrokenTransferError, Buffer, in_time, whole

T = TypeVar("T")
Reader = Callable[[Iterable[Buffer]], T]

_ACCOUNT = re.compile(ACCOUNT_ID)
PIECE_BYTES = 64 * 1024
BROKEN = (BotoCoreError, HTTPError, OSError)
_FAST_TRIES = 2
# What is archived and restored for a while can be read, though its storage class stays.
_WITH_RESTORES = {"OptionalObjectAttributes": ["RestoreStatus"]}
_NOWHERE = frozenset({"NoSuchKey", "NoSuchBucket"})
_DENIED = frozenset({"AccessDenied", "403"})
_UNLESS_LISTED = "; without s3:ListBucket on the bucket S3 says the same of what is not there"
_UNLESS_OWNED = "; S3 says the same of every bucket that is not account {owner}'s"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Recipe:
    """How to open S3 in any process. `expected_bucket_owner` is an account id, for all calls."""

    aws: AwsRecipe
    expected_bucket_owner: str | None = None

    def open(self) -> S3Source:
        """Raises UsageError as `AwsRecipe.open` does, and for an owner that is no account id."""
        return S3Source(self.aws.open(), expected_bucket_owner=self.expected_bucket_owner)


@dataclass(frozen=True, slots=True)
class _Question(Generic[T]):
    """One object to be fetched."""

    location: S3Location
    read: Reader[T]
    pace: Pace


@dataclass(frozen=True, slots=True)
class _MayPass:
    """What is said of an object if asking again does not help."""

    answer: Unreachable


class S3Source:
    """Objects in buckets, for many threads at once. Every answer is a value.

    `slowdowns` are numbers that all processes of a run see (see `sources.throttle`).
    """

    def __init__(
        self,
        aws: Aws,
        *,
        expected_bucket_owner: str | None = None,
        slowdowns: MutableSequence[int] | None = None,
    ) -> None:
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
        recipe = aws.recipe
        self._patience = Patience(recipe.attempts, recipe.first_wait, recipe.longest_wait)
        self._paces = Paces(recipe.max_connections, counts=slowdowns)
        self._buckets = Buckets(aws, expected_bucket_owner, self._patience)

    def open_ahead(self, bucket: str) -> None:
        """Find out where a bucket lies, before anything in it is asked for."""
        if is_bucket_name(bucket):
            self._buckets.open(bucket)

    def fetch(self, location: S3Location, read: Reader[T]) -> Fetched[T] | Absent | Unreachable:
        """The object; `read` gets its stored bytes, again from the first one if they break off.

        Absent where S3 says so of the key or its bucket; Unreachable with a detail otherwise.
        """
        if not is_bucket_name(location.bucket):
            return Unreachable(location, f"{location.bucket!r} is not a bucket's name")
        if not can_be_key(location.key):
            return Absent(location)
        question = _Question(location, read, self._paces.of(location.bucket, location.key))
        fast_tries = _FAST_TRIES if is_addressable(location.key) else 0
        last = Unreachable(location, "it was not asked for")
        for is_last in self._patience.attempts():
            bucket = self._buckets.open(location.bucket)
            fast = bucket.fast if fast_tries else None
            if fast is not None and fast.is_worth_asking:
                fetched = fast.fetch(location.key, read, question.pace)
                if isinstance(fetched, Fetched):
                    self._patience.note(answered=True)
                    return fetched
                if fetched is not Failure.SLOW_DOWN:
                    fast_tries -= 1
                if fetched is not Failure.OTHER and fast_tries and not is_last:
                    continue
            answer = self._fetch_slowly(bucket, question)
            if not isinstance(answer, _MayPass):
                self._patience.note(answered=True)
                if fast is not None and isinstance(answer, Fetched):
                    fast.note_failure()
                return answer
            last = answer.answer
        self._patience.note(answered=False)
        return last

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """Every object whose key begins with `prefix`, page by page to the end. No bucket: none."""
        for page in self._pages(bucket, prefix, _WITH_RESTORES):
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
        self, bucket: str, prefix: str, asked: dict[str, Any]
    ) -> Iterator[dict[str, Any] | Unreachable]:
        where = S3Location(bucket, prefix)
        if not is_bucket_name(bucket):
            yield Unreachable(where, f"{bucket!r} is not a bucket's name")
            return
        asked = {"Bucket": bucket, "Prefix": prefix, **asked, **self._owned}
        while True:
            try:
                page = self._page(bucket, prefix, asked)
            except REFUSALS as error:
                if error_code(error) != "NoSuchBucket":
                    partition = self._buckets.open(bucket).partition
                    call = Call("s3:ListBucket", f"on arn:{partition}:s3:::{bucket}")
                    yield Unreachable(where, self._sentence(error, call))
                return
            yield page
            if not page["IsTruncated"]:
                return
            token = page.get("NextContinuationToken")
            if not token or token == asked.get("ContinuationToken"):
                yield Unreachable(where, "the listing does not go on: its next page is not named")
                return
            asked["ContinuationToken"] = token

    def _page(self, bucket: str, prefix: str, asked: dict[str, Any]) -> dict[str, Any]:
        """One page of a listing. Raises the last refusal where asking again does not help."""
        pace = self._paces.of(bucket, prefix)
        for is_last in self._patience.attempts():
            opened = self._buckets.open(bucket)
            fast = opened.listing
            with pace.request() as request:
                if fast is not None and fast.is_worth_asking:
                    listed = fast.page(asked)
                    if not isinstance(listed, Failure):
                        self._patience.note(answered=True)
                        return listed
                    if listed is Failure.SLOW_DOWN and not is_last:
                        request.slow_down = True
                        continue
                try:
                    page = _whole_page(opened.client.list_objects_v2(**asked))
                except REFUSALS as error:
                    request.slow_down = is_slow_down(error)
                    passing = may_pass(error)
                    if is_last or not (passing or self._has_renewed(error, opened)):
                        self._patience.note(answered=not passing)
                        raise
                    continue
            self._patience.note(answered=True)
            if fast is not None:
                fast.note_failure()
            return page
        raise AssertionError("there is a first attempt")

    def _has_renewed(self, error: Refusal, bucket: Bucket) -> bool:
        return is_expired(error) and self._aws.renew(bucket.generation)

    def _fetch_slowly(
        self, bucket: Bucket, question: _Question[T]
    ) -> Fetched[T] | Absent | Unreachable | _MayPass:
        """Once, through botocore."""
        location = question.location
        with question.pace.request() as request:
            try:
                answer = bucket.client.get_object(
                    Bucket=location.bucket, Key=location.key, **self._owned
                )
            except REFUSALS as error:
                request.slow_down = is_slow_down(error)
                return self._refused(bucket, location, error)
            with closing(answer["Body"]) as body:
                pieces = in_time(body.iter_chunks(PIECE_BYTES), self._aws.recipe.transfer_timeout)
                try:
                    content = question.read(whole(pieces, answer.get("ContentLength"), BROKEN))
                except BrokenTransferError as error:
                    said = f"the transfer broke every time ({error}): try again later"
                    return _MayPass(Unreachable(location, said))
        return _fetched(location, content, answer)

    def _refused(
        self, bucket: Bucket, location: S3Location, error: Refusal
    ) -> Absent | Unreachable | _MayPass:
        if error_code(error) in _NOWHERE:
            return Absent(location)
        call = Call(
            "s3:GetObject", f"on arn:{bucket.partition}:s3:::{location.bucket}/{location.key}"
        )
        said = self._sentence(error, call, unless_listed=_UNLESS_LISTED)
        unreachable = Unreachable(location, said)
        if may_pass(error) or self._has_renewed(error, bucket):
            return _MayPass(unreachable)
        return unreachable

    def _sentence(self, error: Refusal, call: Call, *, unless_listed: str = "") -> str:
        sentence = explain(error, call)
        if error_code(error) not in _DENIED or call.permission not in sentence:
            return sentence
        owner = "" if self._owner is None else _UNLESS_OWNED.format(owner=self._owner)
        return sentence + unless_listed + owner


def _whole_page(page: dict[str, Any]) -> dict[str, Any]:
    """Raises ResponseParserError for an answer without what S3 always says: an empty one, say."""
    if "IsTruncated" not in page:
        raise ResponseParserError("it does not say whether more follows")
    return page


def _listed(bucket: str, one: dict[str, Any]) -> Listed:
    return Listed(
        location=S3Location(bucket, one["Key"]),
        size=one["Size"],
        last_modified=one["LastModified"].astimezone(UTC),
        etag=one.get("ETag", "").strip('"'),
        storage_class=one.get("StorageClass", ""),
        restored="RestoreExpiryDate" in one.get("RestoreStatus", {}),
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
