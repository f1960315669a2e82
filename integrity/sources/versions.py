"""What lay in a bucket before: versions and delete markers, listed and read, and never written.

Asked only of what is gone or altered, so it goes through botocore alone. Who may not list or read
versions gets a value that names the permission; a bucket without versions shows what is there now.
It judges no content. (AWS: API_ListObjectVersions, API_GetObject, API_HeadObject.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC
from typing import Any, TypeVar

from integrity.aws.refusal import REFUSALS, Call, error_code, explain, may_pass
from integrity.aws.session import Aws
from integrity.chain.model import Absent, Encryption, Fetched, S3Location, Unreachable, Version
from integrity.sources.buckets import Bucket, Buckets
from integrity.sources.claimed import is_bucket_name
from integrity.sources.patience import Patience
from integrity.sources.s3 import BROKEN, PIECE_BYTES
from integrity.sources.transfer import BrokenTransferError, Buffer, in_time, whole

T = TypeVar("T")
_NOWHERE = frozenset(
    {"NoSuchKey", "NoSuchBucket", "NoSuchVersion", "MethodNotAllowed", "404", "405"}
)


class ObjectVersions:
    """Versions of objects in any bucket, for many threads at once. Every answer is a value."""

    def __init__(self, aws: Aws, *, expected_bucket_owner: str | None = None) -> None:
        recipe = aws.recipe
        self._owned = (
            {} if expected_bucket_owner is None else {"ExpectedBucketOwner": expected_bucket_owner}
        )
        self._patience = Patience(recipe.attempts, recipe.first_wait, recipe.longest_wait)
        self._buckets = Buckets(aws, expected_bucket_owner, self._patience)
        self._timeout = recipe.transfer_timeout

    def list_versions(self, bucket: str, prefix: str) -> Iterator[Version | Unreachable]:
        """Every version and delete marker below `prefix`. No bucket: none."""
        where = S3Location(bucket, prefix)
        if not is_bucket_name(bucket):
            yield Unreachable(where, f"{bucket!r} is not a bucket's name")
            return
        asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, **self._owned}
        while True:
            page = self._ask(where, "s3:ListBucketVersions", bucket, "list_object_versions", asked)
            if isinstance(page, Unreachable):
                yield page
            if not isinstance(page, dict):
                return
            yield from (_version(bucket, one) for one in page.get("Versions", ()))
            yield from (_marker(bucket, one) for one in page.get("DeleteMarkers", ()))
            if not page.get("IsTruncated"):
                return
            following = (page.get("NextKeyMarker"), page.get("NextVersionIdMarker"))
            if following == (asked.get("KeyMarker"), asked.get("VersionIdMarker")):
                yield Unreachable(where, "the listing does not go on: its next page is not named")
                return
            asked["KeyMarker"], asked["VersionIdMarker"] = following

    def fetch_version(
        self, location: S3Location, version_id: str, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """One version; `read` gets its stored bytes, again from the first if they break off."""
        asked = {"Key": location.key, "VersionId": version_id}
        last: Unreachable | None = None
        for _ in self._patience.attempts():
            answer = self._of_object(location, "get_object", asked)
            if not isinstance(answer, dict):
                return answer
            with closing(answer["Body"]) as body:
                pieces = in_time(body.iter_chunks(PIECE_BYTES), self._timeout)
                try:
                    content = read(whole(pieces, answer.get("ContentLength"), BROKEN))
                except BrokenTransferError as error:
                    said = f"the transfer broke every time ({error}): try again later"
                    last = Unreachable(location, said)
                    continue
            return Fetched(
                location=location,
                content=content,
                metadata={name.lower(): text for name, text in answer.get("Metadata", {}).items()},
                last_modified=answer["LastModified"].astimezone(UTC),
                version_id=version_id,
                size=answer["ContentLength"],
            )
        return last or Unreachable(location, "it was not asked for")

    def describe_version(self, location: S3Location, version_id: str) -> Encryption | Unreachable:
        """How it is encrypted."""
        asked = {"Key": location.key, "VersionId": version_id}
        answer = self._of_object(location, "head_object", asked)
        if isinstance(answer, dict):
            return Encryption(answer.get("ServerSideEncryption", ""), answer.get("SSEKMSKeyId", ""))
        return answer if isinstance(answer, Unreachable) else Unreachable(location, "it is gone")

    def _of_object(
        self, location: S3Location, operation: str, asked: dict[str, Any]
    ) -> dict[str, Any] | Absent | Unreachable:
        if not is_bucket_name(location.bucket):
            return Unreachable(location, f"{location.bucket!r} is not a bucket's name")
        where = f"{location.bucket}/{location.key}"
        asked = {"Bucket": location.bucket, **asked, **self._owned}
        return self._ask(location, "s3:GetObjectVersion", where, operation, asked)

    def _ask(
        self,
        location: S3Location,
        permission: str,
        where: str,
        operation: str,
        asked: dict[str, Any],
    ) -> dict[str, Any] | Absent | Unreachable:
        """One call, until it is answered. Raises nothing."""
        for is_last in self._patience.attempts():
            bucket: Bucket = self._buckets.open(location.bucket)
            try:
                answer: dict[str, Any] = getattr(bucket.client, operation)(**asked)
            except REFUSALS as error:
                passing = may_pass(error)
                if passing and not is_last:
                    continue
                self._patience.note(answered=not passing)
                if error_code(error) in _NOWHERE:
                    return Absent(location)
                call = Call(permission, f"on arn:{bucket.partition}:s3:::{where}")
                return Unreachable(location, explain(error, call))
            self._patience.note(answered=True)
            return answer
        raise AssertionError("there is a first attempt")


def _version(bucket: str, one: dict[str, Any]) -> Version:
    return Version(
        location=S3Location(bucket, one["Key"]),
        version_id=one["VersionId"],
        last_modified=one["LastModified"].astimezone(UTC),
        is_latest=one["IsLatest"],
        size=one["Size"],
        etag=one.get("ETag", "").strip('"'),
        storage_class=one.get("StorageClass", ""),
    )


def _marker(bucket: str, one: dict[str, Any]) -> Version:
    return Version(
        location=S3Location(bucket, one["Key"]),
        version_id=one["VersionId"],
        last_modified=one["LastModified"].astimezone(UTC),
        is_latest=one["IsLatest"],
        is_marker=True,
    )
