"""Buckets as S3 lists them, folder by folder and page by page, in whatever region they lie.

Pages go past most of botocore first (`fast_listing`); it is asked again before anything but a whole
page is concluded. Where a listing breaks off, it says so last. (AWS: API_ListObjectsV2.)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from botocore.parsers import ResponseParserError

from integrity.aws.refusal import REFUSALS, Call, error_code, is_slow_down, may_pass
from integrity.chain.model import Listed, S3Location, Unreachable
from integrity.sources.buckets import Buckets
from integrity.sources.claimed import is_bucket_name
from integrity.sources.fast_get import Failure
from integrity.sources.patience import Patience
from integrity.sources.throttle import Paces

# What is archived and restored for a while can be read, though its storage class stays.
_WITH_RESTORES = {"OptionalObjectAttributes": ["RestoreStatus"]}


class Listings:
    """Listings of any bucket, for many threads at once."""

    def __init__(self, buckets: Buckets, paces: Paces, patience: Patience) -> None:
        self._buckets, self._paces, self._patience = buckets, paces, patience

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
        asked = {"Bucket": bucket, "Prefix": prefix, **asked, **self._buckets.owned}
        while True:
            try:
                page = self._page(bucket, prefix, asked)
            except REFUSALS as error:
                if error_code(error) != "NoSuchBucket":
                    partition = self._buckets.open(bucket).partition
                    call = Call("s3:ListBucket", f"on arn:{partition}:s3:::{bucket}")
                    yield Unreachable(where, self._buckets.explain(error, call))
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
                    if is_last or not (passing or self._buckets.has_renewed(error, opened)):
                        self._patience.note(answered=not passing)
                        raise
                    continue
            self._patience.note(answered=True)
            if fast is not None:
                fast.note_failure()
            return page
        raise AssertionError("there is a first attempt")


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
