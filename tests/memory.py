"""A lab world as the sources of a verification, without a network: the ports, answered from memory.

What goes wrong on purpose is told by `unreachable` (places that answer nothing), `torn` (places
whose first transfer breaks) and `deaf_regions` (regions without ListPublicKeys). Objects come one
by one, as a folder gives them, or swiftly, as S3 does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any, TypeVar

from integrity.chain.content import Buffer, read_member
from integrity.chain.estate import ExpirationRule, History, Member, Organization, Region, Unasked
from integrity.chain.findings import Finding, Reason
from integrity.chain.model import (
    Absent,
    Encryption,
    Fetched,
    KeysUnavailable,
    Listed,
    PublicKey,
    S3Location,
    StatusUnavailable,
    TimeWindow,
    Trail,
    TrailStatus,
    Unreachable,
    Version,
)
from integrity.chain.trouble import archived
from integrity.chain.wish import Item, Wish
from integrity.lab.estate import LabTrail
from integrity.lab.objects import StoredVersion
from integrity.lab.world import World
from integrity.record import Run
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import Progress, Witnesses
from integrity.verify.run import Sources, Verification, verify_trail

T = TypeVar("T")
PIECE_BYTES = 1000


@dataclass
class MemorySource:
    """Objects of a world. Counts what is asked; bodies come in small pieces."""

    world: World
    unreachable: dict[str, str] = field(default_factory=dict)
    fetched: list[S3Location] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    order: Callable[[list[Listed]], list[Listed]] = lambda objects: objects

    def _refusal(self, location: S3Location) -> Unreachable | None:
        for part, detail in self.unreachable.items():
            if part in location.uri:
                return Unreachable(location, detail)
        return None

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        self.fetched.append(location)
        refusal = self._refusal(location)
        if refusal is not None:
            return refusal
        stored = self.world.objects.get((location.bucket, location.key))
        if stored is None:
            return Absent(location)
        if stored.storage_class != "STANDARD":
            return Unreachable(location, archived(stored.storage_class))
        metadata = {name.lower(): text for name, text in stored.metadata.items()}
        content = read(_pieces(stored.body))
        size = len(stored.body)
        return Fetched(location, content, metadata, stored.last_modified, None, size)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        self.listed.append(prefix)
        refusal = self._refusal(S3Location(bucket, prefix))
        if refusal is not None:
            yield refusal
            return
        found = [
            Listed(
                S3Location(bucket, key),
                len(stored.body),
                stored.last_modified,
                stored.etag,
                storage_class=stored.storage_class,
            )
            for key in self.world.objects.keys_under(bucket, prefix)
            for stored in [self.world.objects[bucket, key]]
        ]
        yield from self.order(found)

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        refusal = self._refusal(S3Location(bucket, folder))
        if refusal is not None:
            return refusal
        keys = self.world.objects.keys_under(bucket, folder)
        below = [key[len(folder) :].split("/") for key in keys]
        return tuple(sorted({parts[0] for parts in below if len(parts) > 1}))


class SwiftSource(MemorySource):
    """The same, which also gives many small objects at once. What is left over is asked for again.

    They are taken in the thread that draws what is left over; every other one that has a proof is
    proven instead.
    """

    def fetch_small(self, wish: Wish[Item], stopping: Stopping) -> Iterator[Item]:
        for number, item in enumerate(wish.items):
            location = wish.locate(item)
            answer = location and self.fetch(location, lambda pieces: b"".join(pieces))
            if isinstance(answer, Fetched) and not wish.with_metadata:
                answer = replace(answer, metadata={})
            if not (isinstance(answer, Fetched) and _is_done(wish, item, answer, number)):
                yield item
            if stopping.is_set():
                return


def _is_done(wish: Wish[Item], item: Item, fetched: Fetched[bytes], number: int) -> bool:
    if wish.proof is None or number % 2:
        return wish.take(item, fetched)
    content = read_member((fetched.content,), max_bytes=wish.proof.max_bytes)
    if content.flaw is not None or content.sha256 != wish.proof.sha256_of(item):
        return False
    wish.proof.proven(item, fetched.size)
    return True


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES))


@dataclass
class MemoryKeys:
    """ListPublicKeys of a world."""

    world: World
    deaf_regions: dict[str, str] = field(default_factory=dict)
    asked: list[TimeWindow] = field(default_factory=list)

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        self.asked.append(window)
        if region in self.deaf_regions:
            return KeysUnavailable(region, self.deaf_regions[region])
        return tuple(
            PublicKey(
                region, key.fingerprint, key.der, key.not_before, key.not_after, self.world.now
            )
            for key in self.world.public_keys(region)
            if key.not_before <= window.end and window.start <= key.not_after
        )


@dataclass
class MemoryStatuses:
    """GetTrailStatus of a world, asked by the trail's owner or by `account_id`."""

    world: World
    trail: LabTrail
    account_id: str | None = None
    refused: bool = False
    asked: list[str] = field(default_factory=list)

    def fetch_status(self, region: str) -> TrailStatus | StatusUnavailable:
        self.asked.append(region)
        if self.refused:
            detail = f"cloudtrail:GetTrailStatus in region {region} is not allowed"
            return StatusUnavailable(region, detail, denied=True)
        status = self.world.status(self.trail, region, self.account_id)
        return TrailStatus(
            region,
            self.world.now,
            status.is_logging,
            status.latest_digest_delivery_time,
            status.latest_digest_delivery_error or "",
            status.start_logging_time,
            status.stop_logging_time,
        )


@dataclass
class MemoryEstate:
    """DescribeRegions and ListAccounts of a world; `refused` holds the calls that are denied."""

    world: World
    refused: tuple[str, ...] = ()

    def list_regions(self) -> tuple[Region, ...] | Unasked:
        call = "ec2:DescribeRegions"
        if call in self.refused:
            return Unasked(call, f"{call} is not allowed", denied=True)
        return tuple(
            Region(name, status != "not-opted-in", status != "opt-in-not-required")
            for name, status in self.world.regions.items()
        )

    def list_accounts(self) -> Organization | Unasked:
        call = "organizations:ListAccounts"
        if call in self.refused or self.world.organization is None:
            return Unasked(call, f"{call} on * is not allowed", denied=True)
        return Organization(
            self.world.organization.organization_id,
            tuple(
                Member(one.account_id, one.status == "ACTIVE", one.joined_at)
                for one in self.world.accounts.values()
            ),
        )


@dataclass
class MemoryRetention:
    """GetBucketLifecycleConfiguration of a world."""

    world: World
    is_refused: bool = False
    asked: list[str] = field(default_factory=list)

    def _exists(self, bucket: str) -> bool:
        return bucket in self.world.buckets

    def fetch_rules(self, bucket: str) -> tuple[ExpirationRule, ...] | Unasked:
        self.asked.append(bucket)
        if self.is_refused:
            call = "s3:GetLifecycleConfiguration"
            return Unasked(call, f"{call} on {bucket} is not allowed", denied=True)
        return tuple(
            ExpirationRule(rule.rule_id, rule.prefix, rule.days)
            for rule in (self.world.buckets[bucket].expirations if self._exists(bucket) else ())
            if rule.enabled
        )


@dataclass
class MemoryHistory:
    """LookupEvents of a world, with the trail's account asking."""

    world: World
    is_refused: bool = False
    more: bool = False
    asked: list[tuple[str, tuple[str, ...], TimeWindow]] = field(default_factory=list)

    def lookup_events(
        self, region: str, names: Iterable[str], window: TimeWindow
    ) -> History | Unasked:
        names = tuple(names)
        self.asked.append((region, names, window))
        call = "cloudtrail:LookupEvents"
        if self.is_refused:
            return Unasked(call, f"{call} in region {region} is not allowed", denied=True)
        events = [
            json.dumps(event).encode()
            for event in self.world.administration
            if event["eventName"] in names
            and event["awsRegion"] == region
            and window.holds(datetime.fromisoformat(event["eventTime"]))
        ]
        return History(tuple(events), self.more)


@dataclass
class MemoryVersions:
    """Versions of a world's objects; `refused` is what may not be done: list, fetch, describe."""

    world: World
    refused: tuple[str, ...] = ()
    listed: list[str] = field(default_factory=list)
    fetched: list[tuple[S3Location, str]] = field(default_factory=list)

    def list_versions(self, bucket: str, prefix: str) -> Iterator[Version | Unreachable]:
        self.listed.append(prefix)
        if "list" in self.refused:
            yield Unreachable(S3Location(bucket, prefix), "s3:ListBucketVersions is not allowed")
            return
        objects = self.world.objects
        for bucket_there, key in {*objects.data, *objects.history}:
            if bucket_there == bucket and key.startswith(prefix):
                yield from self._of(S3Location(bucket, key))

    def _of(self, location: S3Location) -> Iterator[Version]:
        address = (location.bucket, location.key)
        history = self.world.objects.history.get(address, [])
        if not history:
            stored = self.world.objects[address]
            history = [StoredVersion("null", stored.last_modified, stored)]
        for one in history:
            yield Version(
                location=location,
                version_id=one.version_id,
                last_modified=one.at,
                is_latest=one is history[-1],
                is_marker=one.stored is None,
                size=len(one.stored.body) if one.stored is not None else 0,
                etag=one.stored.etag if one.stored is not None else "",
                storage_class=one.stored.storage_class if one.stored is not None else "",
            )

    def fetch_version(
        self, location: S3Location, version_id: str, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        self.fetched.append((location, version_id))
        if "fetch" in self.refused:
            return Unreachable(location, "s3:GetObjectVersion is not allowed")
        version = self.world.objects.version_of((location.bucket, location.key), version_id)
        if version is None or version.stored is None:
            return Absent(location)
        stored = version.stored
        metadata = {name.lower(): text for name, text in stored.metadata.items()}
        content = read(_pieces(stored.body))
        size = len(stored.body)
        return Fetched(location, content, metadata, stored.last_modified, version_id, size)

    def describe_version(self, location: S3Location, version_id: str) -> Encryption | Unreachable:
        if "describe" in self.refused:
            return Unreachable(location, "s3:GetObjectVersion is not allowed")
        version = self.world.objects.version_of((location.bucket, location.key), version_id)
        key = version.stored.kms_key_id if version and version.stored else None
        return Encryption("aws:kms" if key else "AES256", key or "")


class Silent:
    """Nobody is told."""

    def expect(self, log_files: int) -> None: ...

    def done(self, log_files: int, stored_bytes: int) -> None: ...

    def valid_digest(self, location: S3Location) -> None: ...

    def valid_log(self, location: S3Location) -> None: ...


def as_trail(trail: LabTrail, *, name: str | None = None) -> Trail:
    """The lab's trail as AWS would describe it, or one that is only claimed, under `name`."""
    return Trail(
        arn=trail.arn if name is None else trail.arn.replace(trail.name, name),
        name=name or trail.name,
        account_id=trail.account_id,
        home_region=trail.home_region,
        bucket=trail.bucket,
        prefix=trail.prefix,
        organization_id=trail.organization_id or "",
        multi_region=trail.multi_region,
        validation=trail.validation,
        is_organization=trail.organization_id is not None,
    )


def witnesses(
    world: World, trail: LabTrail, *, refused: tuple[str, ...] = (), caller: str | None = None
) -> Witnesses:
    """Everybody who can be asked, by the trail's owner or by the account `caller`."""
    estate = MemoryEstate(world, refused)
    statuses = MemoryStatuses(world, trail, caller, "cloudtrail:GetTrailStatus" in refused)
    return Witnesses(
        account_id=caller or trail.account_id, statuses=statuses, regions=estate, accounts=estate
    )


def verify(world: World, trail: LabTrail, start: datetime, end: datetime, **options: Any) -> Run:
    """The record of a lab trail, verified as the command line would."""
    return verify_on(world, trail, start, end, **options).run


def verify_on(
    world: World,
    trail: LabTrail,
    start: datetime,
    end: datetime,
    *,
    witness: bool = True,
    source: MemorySource | None = None,
    keys: MemoryKeys | None = None,
    now: datetime | None = None,
    name: str | None = None,
    refused: tuple[str, ...] = (),
    caller: str | None = None,
    retention: MemoryRetention | None = None,
    has_retention: bool = True,
    meant: Trail | None = None,
    progress: Progress | None = None,
    previous_sha256: str | None = None,
    stopping: Stopping | None = None,
    history: MemoryHistory | None = None,
    versions: MemoryVersions | None = None,
    **options: Any,
) -> Verification:
    """The record, and what is known afterwards; `known` is what was known before.

    `refused` holds the calls that are denied; `meant` stands in for what AWS says of the trail.
    """
    neighbours = tuple(
        as_trail(other)
        for other in world.trails
        if other is not trail and not other.validation and other.bucket == trail.bucket
    )
    job = Job(
        trail=meant or as_trail(trail, name=name),
        window=TimeWindow(start, end),
        unsigned_neighbours=neighbours,
        **{"concurrency": 4} | options,
    )
    return verify_trail(
        job,
        Sources(
            source or SwiftSource(world),
            keys or MemoryKeys(world),
            (retention or MemoryRetention(world)) if has_retention else None,
            replace(witnesses(world, trail, refused=refused, caller=caller), history=history)
            if witness
            else Witnesses(),
            versions=versions,
        ),
        run_id="a-run",
        caller_arn=None,
        progress=progress or Silent(),
        clock=lambda: now or world.now,
        stopping=stopping or Event(),
        previous_sha256=previous_sha256,
    )


def reasons(run: Run) -> list[str]:
    """The reasons of all findings, in order of the alphabet."""
    return sorted(finding.reason.value for finding in run.findings)


def only(run: Run, reason: Reason) -> Finding:
    """The one finding of that reason."""
    (finding,) = [finding for finding in run.findings if finding.reason is reason]
    return finding


def day(number: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant of March 2026, when the lab's trails log."""
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC) + timedelta(days=number - 1)
