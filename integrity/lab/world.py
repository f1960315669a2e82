"""A CloudTrail in a box: accounts, trails and buckets that hold real, signed chains of digests.

A world is a value in memory: no network, no disk, and given a seed everything is the same again
but the RSA keys. It is made of hours that CloudTrail wrote (`run_chain` and its companions), then
an attack changes `world.objects` (`integrity.lab.attacks`), and a server shows the result to any
AWS client (`integrity.lab.server`). The notes (`chain.digests`, `LabLog`) are never attacked: they
say what was there.

    world = World(seed=1)
    trail = world.add_trail(name="main")
    chain = world.run_chain(trail, region="us-east-1", start=datetime(2026, 3, 1, tzinfo=UTC))
    world.objects[chain.digests[3].address].body      # the gzip bytes of the third hour's digest
    world.public_keys("us-east-1")                    # what ListPublicKeys answers from
    world.status(trail, "us-east-1")                  # what GetTrailStatus answers from

Conventions, all CloudTrail's own: a chain begins with an empty digest dated to the hour before
logging began, windows are 3600 s and keep StartLogging's minute and second, a digest is last
modified thirty minutes after its end, a log file minutes after its newest event, which rounded up
to five minutes is its name. What lies beyond `world.now` is not delivered.

It imports nothing of the rest of the package: it signs, names and formats with code of its own, so
that what verifies and what is verified are two witnesses.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from integrity.lab import chains
from integrity.lab.chains import HOUR, Chain, Traffic
from integrity.lab.estate import LabAccount, LabBucket, LabOrganization, LabTrail, TrailStatus
from integrity.lab.events import Event
from integrity.lab.keys import KeyRing, LabKey, pooled_key
from integrity.lab.naming import Place
from integrity.lab.objects import Address, LabDigest, LabLog, Objects, StoredObject

__all__ = ["Chain", "LabDigest", "LabLog", "LabTrail", "StoredObject", "World"]

START = datetime(2026, 3, 1, tzinfo=UTC)
LONG_AGO = timedelta(days=400)


class World:
    """Everything that AWS would know. `now` is the world's present, aware UTC."""

    def __init__(self, *, seed: int = 1, now: datetime | None = None) -> None:
        self.seed = seed
        self.now = now or datetime.now(UTC).replace(microsecond=0)
        self.objects = Objects()
        self.buckets: dict[str, LabBucket] = {}
        self.trails: list[LabTrail] = []
        self.chains: list[Chain] = []
        self.accounts: dict[str, LabAccount] = {}
        self.organization: LabOrganization | None = None
        self.regions: dict[str, str] = {}
        self.statuses: dict[tuple[str, str, str], TrailStatus] = {}
        self.administration: list[Event] = []
        self.caller_account_id = "111122223333"
        self._rings: dict[str, KeyRing] = {}
        self._key_numbers = itertools.count()

    def ring(self, region: str) -> KeyRing:
        """The signing keys of `region`."""
        if region not in self._rings:
            self._rings[region] = KeyRing(lambda: pooled_key(f"region-{next(self._key_numbers)}"))
        return self._rings[region]

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

    def run_chain(
        self,
        trail: LabTrail,
        *,
        region: str = "us-east-1",
        account_id: str | None = None,
        start: datetime = START,
        hours: int = 24,
        logs_per_hour: int = 3,
        events_per_log: int = 5,
        begin: Literal["starting", "linked"] = "starting",
        empty_hours: Collection[int] = (),
        late_hours: Collection[int] = (),
        escape_slashes: bool = False,
    ) -> Chain:
        """Write a chain of `hours` digests that cover the time from `start`, and one before them.

        "starting": logging began at `start`; the digest before is empty and has no predecessor.
        "linked": the chain is old; the digest before is empty and names one that has expired.
        `empty_hours` and `late_hours` are indices of hours without log files, and of hours whose
        digest names one more log file whose events are of the hour before.
        """
        account = account_id or trail.account_id
        self.regions.setdefault(region, "opt-in-not-required")
        if trail.organization_id is not None:
            self.add_account(account)
        chain = Chain(
            trail,
            account,
            region,
            trail.place,
            random.Random(f"{self.seed}/{trail.arn}/{account}/{region}/{start.isoformat()}"),
            start if begin == "starting" else start - LONG_AGO,
            Traffic(logs_per_hour, events_per_log, escape_slashes),
        )
        self.chains.append(chain)
        self._put_markers(chain, at=chain.logging_since)
        self._begin(chain, start, linked=begin == "linked")
        self.continue_chain(chain, hours=hours, empty_hours=empty_hours, late_hours=late_hours)
        return chain

    def continue_chain(
        self,
        chain: Chain,
        *,
        hours: int,
        logs_per_hour: int | None = None,
        empty_hours: Collection[int] = (),
        late_hours: Collection[int] = (),
    ) -> None:
        """The next `hours` hours of the chain."""
        if logs_per_hour is not None:
            chain.traffic.logs_per_hour = logs_per_hour
        chains.write_hours(self, chain, hours=hours, empty_hours=empty_hours, late_hours=late_hours)

    def restart_chain(
        self,
        chain: Chain,
        *,
        start: datetime,
        stop: datetime | None = None,
        hours: int = 0,
    ) -> None:
        """StopLogging at `stop` (default: where the chain ends), StartLogging at `start`.

        A `stop` in mid-hour is followed by a final digest over that hour. The new part begins with
        an empty digest without predecessor, dated to the hour before `start`.
        """
        end = chain.next_start or start
        stop = stop or end
        if stop > end:
            chains.announce(self, chain, at=stop, name="StopLogging")
            self.continue_chain(chain, hours=1)
        status = self.status(chain.trail, chain.region, chain.account_id)
        status.stop_logging_time = stop
        chain.logging_since = start
        self._begin(chain, start, linked=False)
        self.continue_chain(chain, hours=hours)

    def switch_bucket(self, chain: Chain, *, bucket: str, prefix: str = "") -> None:
        """UpdateTrail: from now on the chain, and its trail, write to another place."""
        self.add_bucket(bucket, region=chain.trail.home_region, owner=chain.trail.account_id)
        place = replace(chain.place, bucket=bucket, prefix=prefix.strip("/"))
        chain.trail.place = chain.place = place
        self._put_markers(chain, at=chain.next_start or chain.logging_since)

    def backfill(
        self, chain: Chain, *, end: datetime, generated_at: datetime, logs: int = 2
    ) -> LabDigest:
        """A backfill digest over log files of the hour that ends at `end`, delivered belatedly."""
        late: list[LabLog] = []
        for _ in range(logs):
            newest = end - timedelta(seconds=chain.rng.randrange(600, 3300))
            delivered = generated_at - timedelta(seconds=chain.rng.randrange(600, 2400))
            log, stored = chains.prepare_log(chain, newest=newest, delivered=delivered)
            self.objects[log.address] = stored
            late.append(log)
        previous = chain.backfills[-1] if chain.backfills else None
        return chains.write_digest(
            self, chain, start=end - HOUR, logs=late, previous=previous, generated_at=generated_at
        )

    def redeliver(self, address: Address, *, at: datetime) -> None:
        """The object was delivered at `at` and not when it was due; its bytes are the same."""
        self.objects[address] = replace(self.objects[address], last_modified=at)

    def status(self, trail: LabTrail, region: str, account_id: str | None = None) -> TrailStatus:
        """What GetTrailStatus answers in `region`, to the trail's owner unless to `account_id`."""
        key = (trail.arn, region, account_id or trail.account_id)
        if key not in self.statuses:
            self.statuses[key] = TrailStatus(is_logging=trail.logging)
        return self.statuses[key]

    def note_log(self, chain: Chain, log: LabLog) -> None:
        """Remember a delivery in the chain's trail status."""
        status = self.status(chain.trail, chain.region, chain.account_id)
        latest = status.latest_delivery_time
        status.latest_delivery_time = max(latest or log.last_modified, log.last_modified)

    def note_digest(self, chain: Chain, digest: LabDigest) -> None:
        """Remember a digest's delivery in the chain's trail status."""
        status = self.status(chain.trail, chain.region, chain.account_id)
        latest = status.latest_digest_delivery_time or digest.last_modified
        status.latest_digest_delivery_time = max(latest, digest.last_modified)

    def _put_markers(self, chain: Chain, *, at: datetime) -> None:
        for folder in ("CloudTrail/", "CloudTrail-Digest/"):
            self.put_marker(chain.bucket, chain.place.root(chain.account_id) + folder, at)

    def _begin(self, chain: Chain, start: datetime, *, linked: bool) -> None:
        status = self.status(chain.trail, chain.region, chain.account_id)
        status.start_logging_time = chain.logging_since
        previous = None
        if linked:
            previous = chains.make_digest(
                self, chain, start=start - 2 * HOUR, logs=(), previous=None
            )
        else:
            chains.announce(self, chain, at=start, name="StartLogging")
        if chain.trail.validation:
            chains.write_digest(self, chain, start=start - HOUR, logs=(), previous=previous)
        chain.next_start = start
