"""What surrounds the chains: buckets and what lies in them, accounts, regions, keys, trails.

A `Cloud` is the part of a world that has no history; `integrity.lab.world.World` is one whose
trails have written chains.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa

from integrity.lab.estate import (
    ExpirationRule,
    LabAccount,
    LabBucket,
    LabOrganization,
    LabTrail,
    TrailStatus,
)
from integrity.lab.events import Event
from integrity.lab.keys import KeyRing, LabKey, pooled_key
from integrity.lab.naming import Place
from integrity.lab.objects import Objects, StoredObject

START = datetime(2026, 3, 1, tzinfo=UTC)
LONG_AGO = timedelta(days=400)


class Cloud:
    """An AWS before CloudTrail wrote a line. `now` is its present, aware UTC."""

    def __init__(self, *, seed: int = 1, now: datetime | None = None) -> None:
        self.seed = seed
        self.objects = Objects()
        self.now = now or self.objects.now
        self.buckets: dict[str, LabBucket] = {}
        self.trails: list[LabTrail] = []
        self.accounts: dict[str, LabAccount] = {}
        self.organization: LabOrganization | None = None
        self.regions: dict[str, str] = {}
        self.statuses: dict[tuple[str, str, str], TrailStatus] = {}
        self.administration: list[Event] = []
        self.caller_account_id = "111122223333"
        self._rings: dict[str, KeyRing] = {}
        self._keys_drawn = 0

    @property
    def now(self) -> datetime:
        """The present, in which objects are deleted, too."""
        return self.objects.now

    @now.setter
    def now(self, now: datetime) -> None:
        self.objects.now = now

    def ring(self, region: str) -> KeyRing:
        """The signing keys of `region`."""
        if region not in self._rings:
            self._rings[region] = KeyRing(self._draw_key)
        return self._rings[region]

    def _draw_key(self, bits: int) -> rsa.RSAPrivateKey:
        self._keys_drawn += 1
        return pooled_key(f"region-{self._keys_drawn}", bits)

    def public_keys(self, region: str) -> list[LabKey]:
        """The region's keys by the beginning of their validity, with the private halves."""
        return list(self.ring(region))

    def rotate_key(self, region: str, *, at: datetime) -> LabKey:
        """What the region signs from `at` on is signed with a new key."""
        return self.ring(region).rotate(at)

    def add_trail(
        self,
        *,
        name: str = "main",
        account_id: str = "111122223333",
        home_region: str = "us-east-1",
        bucket: str = "trail-logs",
        prefix: str = "",
        organization_id: str | None = None,
        multi_region: bool = True,
        validation: bool = True,
    ) -> LabTrail:
        """A trail that logs to `bucket`; the first trail's account is the caller's."""
        place = Place(bucket, prefix.strip("/"), organization_id)
        trail = LabTrail(name, account_id, home_region, place, multi_region, validation)
        if not self.trails:
            self.caller_account_id = account_id
        self.trails.append(trail)
        self.add_bucket(bucket, region=home_region, owner=account_id)
        self.regions.setdefault(home_region, "opt-in-not-required")
        if organization_id is not None and self.organization is None:
            self.organization = LabOrganization(organization_id, account_id)
            self.add_account(account_id)
        return trail

    def add_bucket(self, name: str, *, region: str, owner: str) -> LabBucket:
        """The bucket of that name, made where there is none."""
        return self.buckets.setdefault(name, LabBucket(name, region, owner))

    def add_account(
        self, account_id: str, *, joined_at: datetime | None = None, status: str = "ACTIVE"
    ) -> LabAccount:
        """A member of the organization, long there unless `joined_at` says since when."""
        joined = joined_at or START - LONG_AGO
        return self.accounts.setdefault(account_id, LabAccount(account_id, joined, status))

    def put_marker(self, bucket: str, key: str, at: datetime) -> None:
        """A zero-byte folder marker, as CloudTrail and consoles leave them."""
        self.objects[bucket, key] = StoredObject(b"", at, {}, "application/x-directory", None)

    def expire(self, bucket: str, *, days: int, prefix: str = "") -> None:
        """A lifecycle rule of the bucket deletes what is older than `days`, and has done so."""
        self.buckets[bucket].expirations.append(ExpirationRule(f"after-{days}", prefix, days))
        for key in self.objects.keys_under(bucket, prefix):
            if self.objects[bucket, key].last_modified + timedelta(days=days) <= self.now:
                del self.objects[bucket, key]

    def status(self, trail: LabTrail, region: str, account_id: str | None = None) -> TrailStatus:
        """What GetTrailStatus answers in `region`, to the trail's owner unless to `account_id`."""
        key = (trail.arn, region, account_id or trail.account_id)
        if key not in self.statuses:
            self.statuses[key] = TrailStatus(is_logging=trail.logging)
        return self.statuses[key]
