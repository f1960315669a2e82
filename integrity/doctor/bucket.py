"""The trail's bucket: whose it is, whether it can be listed and read, and what it lets expire.

One digest file and one log file are really read, a byte of each. Where there is none yet, one that
is not there is asked for: S3 says so only to those who may read.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from integrity.chain.estate import Unasked
from integrity.chain.model import Root, Trail
from integrity.doctor.asking import Asker, Need, Refused
from integrity.doctor.check import Check, Fault, misconfigured, passed, skipped
from integrity.sources.buckets import Bucket
from integrity.verify.ports import RetentionSource

_NO_OBJECT = frozenset({"NoSuchKey", "404"})
_NO_RULES = "NoSuchLifecycleConfiguration"
_NOT_TRIED = "it takes s3:ListBucket to find a file to try it on"


class BucketView(Struct, frozen=True):
    """A trail's bucket as one identity asks it. `owner` is the one that is expected, if any."""

    asker: Asker
    trail: Trail
    bucket: Bucket
    owner: str | None = None
    kms_key_arn: str = ""

    @property
    def arn(self) -> str:
        return f"arn:{self.bucket.partition}:s3:::{self.trail.bucket}"

    @property
    def owned(self) -> Mapping[str, str]:
        return {} if self.owner is None else {"ExpectedBucketOwner": self.owner}

    @property
    def objects(self) -> str:
        """What service.yaml grants: everything below AWSLogs."""
        root = Root(self.trail.bucket, self.trail.prefix)
        return f"{self.arn}/{root.folder}*"


class Encryption(Struct, frozen=True):
    """How a file lies there. With `bucket_key` S3 asks KMS far less than once an object."""

    by_kms: bool = False
    bucket_key: bool = False


@dataclass(slots=True)
class Sample:
    """Keys of a digest file and a log file, and how they lie there once one was read."""

    keys: dict[str, str]
    encryption: Encryption | None = None


def examine_listing(view: BucketView) -> Generator[Check, None, bool]:
    """Whether the bucket is there, the expected owner's, and may be listed; True where it may."""
    need = Need("s3:ListBucket", view.arn)
    folder = Root(view.trail.bucket, view.trail.prefix).folder
    asked = {"Bucket": view.trail.bucket, "Prefix": folder, "MaxKeys": 1}
    client = view.bucket.client
    answer = view.asker.ask(need, lambda: client.list_objects_v2(**asked, **view.owned))
    if not isinstance(answer, Refused):
        said = f"the bucket answers in {client.meta.region_name}"
        if not answer.get("KeyCount"):
            said += f"; nothing lies below {folder} yet"
        yield passed(need.action, f"s3://{view.trail.bucket}/{folder}", said)
        return True
    if answer.code == "NoSuchBucket":
        yield misconfigured(
            need.action,
            view.trail.bucket,
            "there is no such bucket",
            "set s3_bucket to the one that holds the trail's files, or leave it to AWS",
        )
        return False
    if view.owner is not None and answer.is_denied:
        again = view.asker.ask(need, lambda: client.list_objects_v2(**asked))
        if not isinstance(again, Refused):
            yield misconfigured(
                "expected_bucket_owner",
                view.trail.bucket,
                f"the bucket is not account {view.owner}'s: S3 answers only without that condition",
                "find out whose bucket it is before you trust it; then set expected_bucket_owner "
                "to the account that owns it",
            )
            return False
    yield answer.check(need.action, view.arn)
    return False


def examine_rules(view: BucketView, rules: RetentionSource, retention_days: int) -> Iterator[Check]:
    """Whether expiry can be told from deletion, and agrees with what was said of it."""
    need = Need("s3:GetLifecycleConfiguration", view.arn)
    client, bucket = view.bucket.client, view.trail.bucket
    answer = view.asker.ask(
        need, lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket, **view.owned)
    )
    if isinstance(answer, Refused) and answer.code == _NO_RULES:
        yield passed(need.action, bucket, "no rule deletes anything")
        return
    if isinstance(answer, Refused):
        yield answer.check(need.action, bucket)
        return
    yield passed(need.action, bucket, "what a rule has removed is not called missing")
    folder = Root(bucket, view.trail.prefix).folder
    told = rules.fetch_rules(bucket)
    for rule in () if isinstance(told, Unasked) else told:
        meets = folder.startswith(rule.prefix) or rule.prefix.startswith(folder)
        if meets and rule.days is not None and rule.days < retention_days:
            yield misconfigured(
                "retention_days",
                bucket,
                f"the rule {rule.rule_id!r} may delete files after {rule.days} days, and "
                f"retention_days is {retention_days}: security would be told of each of them",
                "set retention_days to what the bucket really keeps, or let the rule wait longer",
            )


def examine_objects(view: BucketView, sample: Sample, *, is_listed: bool) -> Iterator[Check]:
    """Whether digest files and log files can be read, and decrypted. Notes how they lie there."""
    need = Need("s3:GetObject", view.objects, key_arn=view.kms_key_arn)
    if not is_listed:
        yield skipped(need.action, view.objects, _NOT_TRIED, fault=Fault.ACCESS)
        return
    if not sample.keys:
        yield _check_absent(view, need)
        return
    for kind, key in sample.keys.items():
        yield from _read(view, need, kind, key, sample)
    if sample.encryption == Encryption() and view.kms_key_arn:
        said = "the trail names a KMS key, but what was read is not encrypted with one"
        yield skipped("kms:Decrypt", view.kms_key_arn, said)


def _check_absent(view: BucketView, need: Need) -> Check:
    root = Root(view.trail.bucket, view.trail.prefix)
    answer = fetch_byte(view, need, f"{root.folder}integrity-doctor")
    if isinstance(answer, Refused) and answer.code not in _NO_OBJECT:
        return answer.check(need.action, view.objects)
    said = "there is no file yet, and S3 says so, as it does only to who may read"
    return passed(need.action, view.objects, said)


def _read(view: BucketView, need: Need, kind: str, key: str, sample: Sample) -> Iterator[Check]:
    answer = fetch_byte(view, need, key)
    uri = f"s3://{view.trail.bucket}/{key}"
    if isinstance(answer, Refused):
        yield answer.check(need.action, uri)
        return
    yield passed(need.action, uri, f"a {kind} can be read")
    by_kms = answer.get("ServerSideEncryption") == "aws:kms"
    sample.encryption = Encryption(by_kms, by_kms and bool(answer.get("BucketKeyEnabled")))
    if by_kms:
        key_arn = answer.get("SSEKMSKeyId") or view.kms_key_arn or "the key of the object"
        yield passed("kms:Decrypt", key_arn, f"S3 could decrypt the {kind}")


def fetch_byte(
    view: BucketView, need: Need, key: str, version_id: str = ""
) -> dict[str, Any] | Refused:
    """A byte of a file, or of one of its versions, read and let go: S3's answer without it."""
    asked = {"Bucket": view.trail.bucket, "Key": key, "Range": "bytes=0-0", **view.owned}
    if version_id:
        asked["VersionId"] = version_id

    def read() -> dict[str, Any]:
        answer: dict[str, Any] = view.bucket.client.get_object(**asked)
        with answer["Body"] as body:
            body.read()
        return answer

    return view.asker.ask(need, read)
