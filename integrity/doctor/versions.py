"""Versions of the sampled files: listed, and a byte of one read by its id.

Where that is not allowed, what was altered or deleted is still found, a digest that was deleted on
its first day only when that is over, and what lay there before is not. A bucket that keeps no
versions has the version `null` of each file.
"""

from __future__ import annotations

from collections.abc import Iterator

from integrity.doctor.asking import Need, Refused
from integrity.doctor.bucket import BucketView, Sample, fetch_byte
from integrity.doctor.check import Check, passed, skipped

NO_VERSION = "null"
"""The id that S3 gives to what was written while the bucket kept no versions."""

_NOT_THERE = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_NO_FILE = "there is no file yet to try it on"
_WITHOUT = (
    "without older versions a digest that is deleted on its first day is called late until it is "
    "over, findings are not explained by what lay there before, and nothing is restored"
)


def examine_versions(view: BucketView, sample: Sample) -> Iterator[Check]:
    """Whether who looks for what was there before could see it."""
    listing = Need("s3:ListBucketVersions", view.arn)
    reading = Need("s3:GetObjectVersion", view.objects, key_arn=view.kms_key_arn)
    for kind, key in sample.keys.items():
        check, version_id = _list(view, listing, key)
        yield check
        yield _read(view, reading, kind, key, version_id)
    if not sample.keys:
        yield skipped(listing.action, view.arn, _NO_FILE)
        yield skipped(reading.action, view.objects, _NO_FILE)


def _list(view: BucketView, need: Need, key: str) -> tuple[Check, str]:
    """The check, and the newest version's id as far as it is known."""
    uri = f"s3://{view.trail.bucket}/{key}"
    answer = view.asker.ask(
        need,
        lambda: view.bucket.client.list_object_versions(
            Bucket=view.trail.bucket, Prefix=key, MaxKeys=1, **view.owned
        ),
    )
    if isinstance(answer, Refused):
        return answer.check(need.action, uri, is_needed=False, todo=_WITHOUT), NO_VERSION
    newest = next((one["VersionId"] for one in answer.get("Versions", ())), NO_VERSION)
    said = "its versions can be found"
    if newest == NO_VERSION:
        said = f"it has the version `{NO_VERSION}`: the bucket kept none when it was written"
    return passed(need.action, uri, said), newest


def _read(view: BucketView, need: Need, kind: str, key: str, version_id: str) -> Check:
    uri = f"s3://{view.trail.bucket}/{key}"
    answer = fetch_byte(view, need, key, version_id)
    if not isinstance(answer, Refused):
        return passed(need.action, uri, f"a version of a {kind} can be read by its id")
    if answer.code in _NOT_THERE:
        said = "there is no such version, and S3 says so, as it does only to who may read"
        return passed(need.action, uri, said)
    check = answer.check(need.action, uri, is_needed=False, todo=_WITHOUT)
    if check.name != need.action:
        # The key refuses, and what it lacks was told of the file itself.
        return skipped(need.action, uri, check.said)
    return check
