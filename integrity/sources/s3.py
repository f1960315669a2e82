"""Objects in S3: fetched by the thousand, in whatever region they lie, and listed (`listings`).

It tells apart what S3 says is not there (`Absent`), what nobody can say anything about
(`Unreachable`, with what would help) and what was read to its end. GETs go past botocore first; it
is asked again before anything but success is concluded. Trouble that may pass is waited out, at the
pace that S3 keeps up with. (AWS: API_GetObject; S3 Error Responses.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from contextlib import closing
from datetime import UTC
from functools import partial
from typing import Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError
from msgspec import Struct
from urllib3.exceptions import HTTPError

from integrity.aws.refusal import (
    REFUSALS,
    Call,
    Refusal,
    error_code,
    is_slow_down,
    may_pass,
)
from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.chain.names import ACCOUNT_ID
from integrity.chain.wish import Item, Wish
from integrity.errors import UsageError
from integrity.sources.buckets import Bucket, Buckets, can_be_key
from integrity.sources.claimed import is_bucket_name
from integrity.sources.errand import Errand, Stopping
from integrity.sources.fast_bucket import FastBucket
from integrity.sources.fast_get import Failure
from integrity.sources.listings import Listings
from integrity.sources.patience import Patience
from integrity.sources.pumps import Pumps
from integrity.sources.throttle import Pace, Paces
from integrity.sources.transfer import BrokenTransferError, Buffer, in_time, whole

T = TypeVar("T")
Reader = Callable[[Iterable[Buffer]], T]

_ACCOUNT = re.compile(ACCOUNT_ID)
PIECE_BYTES = 64 * 1024
BROKEN = (BotoCoreError, HTTPError, OSError)
_FAST_TRIES = 2
_MAY_PASS = (Failure.SLOW_DOWN, Failure.PASSING)
_NOWHERE = frozenset({"NoSuchKey", "NoSuchBucket"})
_UNLESS_LISTED = "; without s3:ListBucket on the bucket S3 says the same of what is not there"


class S3Recipe(Struct, frozen=True, kw_only=True):
    """How to open S3 in any process. `expected_bucket_owner` is an account id, for all calls."""

    aws: AwsRecipe
    expected_bucket_owner: str | None = None

    def open(self, slowdowns: MutableSequence[int] | None = None) -> S3Source:
        """Raises UsageError as `AwsRecipe.open` does, and for an owner that is no account id."""
        owner = self.expected_bucket_owner
        return S3Source(self.aws.open(), expected_bucket_owner=owner, slowdowns=slowdowns)


class _Question(Struct, Generic[T], frozen=True):
    """One object to be fetched."""

    location: S3Location
    read: Reader[T]
    pace: Pace


class _MayPass(Struct, frozen=True):
    """What is said of an object if asking again does not help."""

    answer: Unreachable


class S3Source:
    """Objects in buckets, for many threads at once. Every answer is a value.

    `slowdowns` are numbers that all processes of a run see (see `sources.throttle`); one of several
    processes has a core to itself.
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
        recipe = aws.recipe
        self._timeout = recipe.transfer_timeout
        self._patience = Patience(recipe.attempts, recipe.first_wait, recipe.longest_wait)
        self._paces = Paces(recipe.max_connections, counts=slowdowns)
        self._buckets = Buckets(aws, expected_bucket_owner, self._patience)
        self._listings = Listings(self._buckets, self._paces, self._patience)
        cores = 1 if slowdowns is not None else os.cpu_count() or 1
        self._pumps = Pumps(
            self._fast,
            partial(self._patience.note, answered=True),
            recipe.max_connections,
            cores=cores,
            recipe=S3Recipe(aws=recipe, expected_bucket_owner=expected_bucket_owner),
        )

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
        fast_tries, failed = _FAST_TRIES, False
        last = Unreachable(location, "it was not asked for")
        for is_last in self._patience.attempts():
            bucket = self._buckets.open(location.bucket)
            fast = bucket.fast if fast_tries else None
            if fast is not None and fast.may_give(location.key):
                fetched = fast.fetch(location.key, read, question.pace)
                if isinstance(fetched, Fetched):
                    self._patience.note(answered=True)
                    return fetched
                failed = fetched is not Failure.TOO_LARGE
                if fetched is not Failure.SLOW_DOWN:
                    fast_tries -= 1
                if fetched in _MAY_PASS and fast_tries and not is_last:
                    continue
            answer = self._fetch_slowly(bucket, question)
            if not isinstance(answer, _MayPass):
                self._patience.note(answered=True)
                if fast is not None and failed and isinstance(answer, Fetched):
                    fast.note_failure()
                return answer
            last = answer.answer
        self._patience.note(answered=False)
        return last

    def fetch_small(self, wish: Wish[Item], stopping: Stopping) -> Iterator[Item]:
        """Many objects at once; left over is also what S3 did not give at once, whole and small."""
        errand = Errand(wish, stopping)
        with self._pumps.sent(errand):
            yield from errand.left()

    def _fast(self, location: S3Location) -> tuple[FastBucket, Pace] | None:
        """Where a bucket is not open yet, whoever asks with patience opens it."""
        fast = self._buckets.opened_fast(location.bucket)
        if fast is None or not (can_be_key(location.key) and fast.may_give(location.key)):
            return None
        return fast, self._paces.of(location.bucket, location.key)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """Every object whose key begins with `prefix`, page by page to the end. No bucket: none."""
        return self._listings.list_objects(bucket, prefix)

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The names, without slash, directly below `folder` that have keys of their own below."""
        return self._listings.list_folders(bucket, folder)

    def _fetch_slowly(
        self, bucket: Bucket, question: _Question[T]
    ) -> Fetched[T] | Absent | Unreachable | _MayPass:
        """Once, through botocore."""
        location = question.location
        with question.pace.request() as request:
            try:
                answer = bucket.client.get_object(
                    Bucket=location.bucket, Key=location.key, **self._buckets.owned
                )
            except REFUSALS as error:
                request.slow_down = is_slow_down(error)
                return self._refused(bucket, location, error)
            with closing(answer["Body"]) as body:
                pieces = in_time(body.iter_chunks(PIECE_BYTES), self._timeout)
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
        said = self._buckets.explain(error, call, unless_listed=_UNLESS_LISTED)
        unreachable = Unreachable(location, said)
        if may_pass(error) or self._buckets.has_renewed(error, bucket):
            return _MayPass(unreachable)
        return unreachable


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
