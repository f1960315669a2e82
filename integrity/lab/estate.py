"""What the account owns around its logs: trails and their status, buckets, accounts, a region list.

Plain records that the world fills in and the server shows; nothing here decides anything.

Source: AWS: API_Trail, API_GetTrailStatus, Organizations API_Account, EC2 API_Region.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from integrity.lab.naming import Place, trail_arn


@dataclass(slots=True)
class LabTrail:
    """A trail as DescribeTrails shows it. `place` is where it writes now."""

    name: str
    account_id: str
    home_region: str
    place: Place
    multi_region: bool = True
    validation: bool = True
    logging: bool = True
    deleted: bool = False
    kms_key_id: str | None = None

    @property
    def arn(self) -> str:
        """The trail's ARN, in the partition of its home region."""
        return trail_arn(self.account_id, self.home_region, self.name)

    @property
    def bucket(self) -> str:
        """The bucket that the trail writes to now."""
        return self.place.bucket

    @property
    def prefix(self) -> str:
        """The prefix that the trail writes under now, "" for none."""
        return self.place.prefix

    @property
    def organization_id(self) -> str | None:
        """The organization's id, for an organization trail."""
        return self.place.organization_id


@dataclass(slots=True)
class TrailStatus:
    """What GetTrailStatus answers for one trail, region and account; times are aware UTC."""

    is_logging: bool = True
    start_logging_time: datetime | None = None
    stop_logging_time: datetime | None = None
    latest_delivery_time: datetime | None = None
    latest_digest_delivery_time: datetime | None = None
    latest_delivery_error: str | None = None
    latest_digest_delivery_error: str | None = None


@dataclass(slots=True)
class ExpirationRule:
    """A lifecycle rule of a bucket that deletes objects under `prefix` after `days`."""

    rule_id: str
    prefix: str
    days: int
    enabled: bool = True


@dataclass(slots=True)
class LabBucket:
    """A bucket: where it is, whose it is, what expires in it, and the KMS key of its objects."""

    name: str
    region: str
    owner: str
    expirations: list[ExpirationRule] = field(default_factory=list)
    kms_key_arn: str | None = None
    bucket_key: bool = False


@dataclass(slots=True)
class LabAccount:
    """A member of the organization as ListAccounts shows it."""

    account_id: str
    joined_at: datetime
    status: str = "ACTIVE"


@dataclass(slots=True)
class LabOrganization:
    """The organization that the world's accounts belong to."""

    organization_id: str
    management_account_id: str
