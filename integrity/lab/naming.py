"""How CloudTrail names its files: keys of digest and log files, ARNs, and the times inside them.

Everything is built, nothing is parsed. Times are aware UTC.

Source: AWS: cloudtrail-log-file-validation-digest-file-structure, cloudtrail-log-file-examples.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIVE_MINUTES = timedelta(minutes=5)
_ALPHANUMERIC = string.ascii_letters + string.digits
_PARTITIONS = (("us-gov-", "aws-us-gov"), ("cn-", "aws-cn"), ("eusc-", "aws-eusc"))


def partition_of(region: str) -> str:
    """The ARN partition that a region belongs to."""
    return next((name for start, name in _PARTITIONS if region.startswith(start)), "aws")


def trail_arn(account_id: str, home_region: str, name: str) -> str:
    """`arn:PARTITION:cloudtrail:REGION:ACCOUNT:trail/NAME`."""
    return f"arn:{partition_of(home_region)}:cloudtrail:{home_region}:{account_id}:trail/{name}"


def iso(at: datetime) -> str:
    """`2026-03-01T00:00:00Z`, the form of every time inside a digest or an event."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_milliseconds(at: datetime) -> str:
    """`2026-03-01T00:00:00.000Z`, the form of a backfill digest's generation timestamp."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def stamp(at: datetime) -> str:
    """`20260301T000000Z`, the form in a digest file's name."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def up_to_five_minutes(at: datetime) -> datetime:
    """`at`, rounded up to a whole five minutes: the minute in a log file's name."""
    whole = at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)
    return whole if whole == at else whole + FIVE_MINUTES


def sixteen(rng: random.Random) -> str:
    """The sixteen letters and digits without meaning that end a log file's name."""
    return "".join(rng.choices(_ALPHANUMERIC, k=16))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trail writes: bucket, prefix without slashes at its ends, organization id or none."""

    bucket: str
    prefix: str = ""
    organization_id: str | None = None

    def root(self, account_id: str) -> str:
        """`[PREFIX/]AWSLogs/[ORGANIZATION/]ACCOUNT/`."""
        parts = (self.prefix, "AWSLogs", self.organization_id, account_id)
        return "/".join(part for part in parts if part) + "/"

    def digest_folder(self, account_id: str, region: str) -> str:
        """The folder above the years of a chain's digests, with the slash at its end."""
        return f"{self.root(account_id)}CloudTrail-Digest/{region}/"

    def log_folder(self, account_id: str, region: str, kind: str = "CloudTrail") -> str:
        """The folder above the years of a region's log files, with the slash at its end."""
        return f"{self.root(account_id)}{kind}/{region}/"

    def digest_key(
        self,
        *,
        account_id: str,
        region: str,
        trail: str,
        home_region: str,
        end: datetime,
        backfill: bool = False,
    ) -> str:
        """The key of the digest that ends at `end`; `region` is the source region."""
        name = f"{account_id}_CloudTrail-Digest_{region}_{trail}_{home_region}_{stamp(end)}"
        tail = "_backfill" if backfill else ""
        return f"{self.digest_folder(account_id, region)}{end:%Y/%m/%d}/{name}{tail}.json.gz"

    def log_key(
        self,
        *,
        account_id: str,
        region: str,
        minute: datetime,
        unique: str,
        kind: str = "CloudTrail",
    ) -> str:
        """The key of a log file named by `minute`; `kind` may be `CloudTrail-Insight`."""
        name = f"{account_id}_{kind}_{region}_{minute:%Y%m%dT%H%MZ}_{unique}.json.gz"
        return f"{self.log_folder(account_id, region, kind)}{minute:%Y/%m/%d}/{name}"
