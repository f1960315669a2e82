"""The rules by which a bucket deletes its objects, read once a bucket and only when asked for.

Only enabled rules that expire current versions count. A rule that is limited to tags matches
nothing that CloudTrail delivers; one that is limited by size may match, whatever the size was.
(AWS: API_GetBucketLifecycleConfiguration, API_LifecycleRule.)
"""

from __future__ import annotations

import threading
from datetime import UTC
from typing import Any

from integrity.aws.refusal import REFUSALS, Call, error_code, explain, is_denied
from integrity.aws.session import Aws
from integrity.chain.estate import ExpirationRule, Unasked

_FALLBACK_REGION = "us-east-1"
_NO_RULES = frozenset({"NoSuchLifecycleConfiguration", "NoSuchBucket"})

_Rules = tuple[ExpirationRule, ...] | Unasked


class Lifecycles:
    """Lifecycle rules of any bucket, for many threads at once."""

    def __init__(self, aws: Aws, *, expected_bucket_owner: str | None = None) -> None:
        self._aws, self._region = aws, aws.region or _FALLBACK_REGION
        self._owned = (
            {} if expected_bucket_owner is None else {"ExpectedBucketOwner": expected_bucket_owner}
        )
        self._known: dict[str, _Rules] = {}
        self._lock = threading.Lock()

    def fetch_rules(self, bucket: str) -> _Rules:
        """The enabled rules that expire objects. No rules, or no bucket: none."""
        with self._lock:
            if bucket not in self._known:
                self._known[bucket] = self._fetch(bucket)
            return self._known[bucket]

    def _fetch(self, bucket: str) -> _Rules:
        # Where the bucket lies elsewhere, botocore follows S3's own redirect.
        client = self._aws.client("s3", self._region)
        try:
            answer = client.get_bucket_lifecycle_configuration(Bucket=bucket, **self._owned)
        except REFUSALS as error:
            if error_code(error) in _NO_RULES:
                return ()
            partition = self._aws.partition(self._region)
            call = Call("s3:GetLifecycleConfiguration", f"on arn:{partition}:s3:::{bucket}")
            return Unasked(call.permission, explain(error, call), is_denied(error))
        rules = (_rule(one) for one in answer.get("Rules", ()))
        return tuple(rule for rule in rules if rule is not None)


def _rule(one: dict[str, Any]) -> ExpirationRule | None:
    expiration, filtered = one.get("Expiration", {}), one.get("Filter", {})
    both = filtered.get("And", filtered)
    ends = "Days" in expiration or "Date" in expiration
    if one["Status"] != "Enabled" or not ends or "Tag" in both or "Tags" in both:
        return None
    date = expiration.get("Date")
    return ExpirationRule(
        rule_id=one.get("ID", ""),
        prefix=both.get("Prefix", one.get("Prefix", "")),
        days=expiration.get("Days"),
        date=date and date.astimezone(UTC),
    )
