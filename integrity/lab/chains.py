"""Chains, written hour by hour as CloudTrail writes them: log files, then the digest over them.

A log file is delivered minutes after its newest event and belongs to the digest in whose hour it
was *delivered*; the digest is delivered thirty minutes after its hour ended. What the world's
`now` has not reached yet is prepared but not delivered. The functions here change a world; what
the world's owner calls are the methods of `World`.

Source: AWS: cloudtrail-log-file-validation-digest-file-structure.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from integrity.lab.estate import LabTrail
from integrity.lab.events import Event, event, events_up_to, log_json
from integrity.lab.naming import Place, iso, sixteen, up_to_five_minutes
from integrity.lab.objects import LabDigest, LabLog, StoredObject
from integrity.lab.signing import (
    digest_document,
    digest_metadata,
    gzipped,
    json_line,
    sha256_hex,
    sign_digest,
)

if TYPE_CHECKING:
    from integrity.lab.world import World

HOUR = timedelta(hours=1)
DELIVERY_DELAY = timedelta(minutes=6)
DIGEST_DELAY = timedelta(minutes=30)
SECOND = timedelta(seconds=1)

Prepared = tuple[LabLog, StoredObject | None]
"""A log file, and its object until it is delivered."""


@dataclass(slots=True)
class Traffic:
    """How much happens in an hour, how big a log file is, and how its digest spells slashes."""

    logs_per_hour: int = 3
    events_per_log: int = 5
    escape_slashes: bool = False


@dataclass(slots=True)
class Chain:
    """One account's digests of one source region and trail, and its notes while it is written.

    `digests` and `backfills` hold what was delivered, in order of end and of generation; after a
    restart within the hour the order of ends is not the order of links. `tip` is the digest that
    the next one names, `next_start` where its time begins. `undigested` are the log files of a
    trail without validation.
    """

    trail: LabTrail
    account_id: str
    region: str
    place: Place
    rng: random.Random = field(repr=False)
    logging_since: datetime
    traffic: Traffic
    next_start: datetime
    digests: list[LabDigest] = field(default_factory=list)
    backfills: list[LabDigest] = field(default_factory=list)
    tip: LabDigest | None = None
    undigested: list[LabLog] = field(default_factory=list)
    prepared: dict[datetime, list[Prepared]] = field(default_factory=dict, repr=False)
    announcements: list[Event] = field(default_factory=list, repr=False)

    @property
    def bucket(self) -> str:
        """The bucket that the chain is written to now."""
        return self.place.bucket

    def digest_key(self, end: datetime, *, trail: str | None = None, backfill: bool = False) -> str:
        """The key of the chain's digest that ends at `end`, were it written now.

        With `trail`, that of another trail beside it.
        """
        return self.place.digest_key(
            account_id=self.account_id,
            region=self.region,
            trail=trail or self.trail.name,
            home_region=self.trail.home_region,
            end=end,
            backfill=backfill,
        )

    @property
    def log_files(self) -> list[LabLog]:
        """Every log file that a digest of the chain names, backfills included, in their order."""
        return [log for digest in (*self.digests, *self.backfills) for log in digest.log_files]

    @property
    def pending(self) -> list[LabLog]:
        """Log files of hours that no digest covers yet, delivered or still to come."""
        return [log for hour in self.prepared.values() for log, _ in hour]


def prepare_log(
    chain: Chain, *, newest: datetime, delivered: datetime, extra: Sequence[Event] = ()
) -> tuple[LabLog, StoredObject]:
    """A log file whose newest event is at `newest`, with its object; not in the world yet."""
    events = events_up_to(
        chain.rng,
        count=chain.traffic.events_per_log,
        newest=newest,
        account_id=chain.account_id,
        region=chain.region,
    )
    events.extend(extra)
    times = [datetime.fromisoformat(event["eventTime"]) for event in events]
    content = log_json(events)
    key = chain.place.log_key(
        account_id=chain.account_id,
        region=chain.region,
        minute=up_to_five_minutes(max(times)),
        unique=sixteen(chain.rng),
    )
    log = LabLog(chain.bucket, key, sha256_hex(content), max(times), min(times), delivered)
    return log, StoredObject(gzipped(content), delivered)


def hour_logs(
    chain: Chain, start: datetime, *, count: int, late: bool, until: datetime | None = None
) -> list[Prepared]:
    """The log files delivered in the hour from `start`; a late one is of the hour before.

    With `until`, the time of StopLogging, none has events after it.
    """
    prepared: list[Prepared] = []
    for index in range(count):
        share = (index + chain.rng.uniform(0.15, 0.85)) / count
        delivered = start + timedelta(seconds=int(share * 3600))
        newest = delivered - timedelta(seconds=chain.rng.randrange(300, 480))
        newest = max(newest, chain.logging_since)
        if until is not None and newest > until:
            continue
        earliest = chain.logging_since + DELIVERY_DELAY
        told = _told_by(chain, newest)
        prepared.append(
            prepare_log(chain, newest=newest, delivered=max(delivered, earliest), extra=told)
        )
    if until is not None and (told := _told_by(chain, until)):
        delivered = min(until + DELIVERY_DELAY, start + HOUR - SECOND)
        prepared.append(prepare_log(chain, newest=until, delivered=delivered, extra=told))
    if late:
        newest = start - timedelta(seconds=chain.rng.randrange(600, 3000))
        if newest < chain.logging_since:
            raise ValueError(f"no log file can be late at {iso(start)}: logging had just begun")
        prepared.append(prepare_log(chain, newest=newest, delivered=start + timedelta(minutes=4)))
    chain.rng.shuffle(prepared)
    return prepared


def _told_by(chain: Chain, newest: datetime) -> list[Event]:
    """The announcements that a log file with events up to `newest` records; told only once."""
    told = [one for one in chain.announcements if one["eventTime"] <= iso(newest)]
    chain.announcements = [one for one in chain.announcements if one not in told]
    return told


def announce(world: World, chain: Chain, *, at: datetime, name: str, **said: Any) -> None:
    """Note an act on the trail: LookupEvents shows it, and the next log file records it.

    Only in the trail's own account and home region, where such calls are made. `said` is what the
    event holds beside: `request`, `response`, `error`.
    """
    if (chain.account_id, chain.region) != (chain.trail.account_id, chain.trail.home_region):
        return
    told = event(
        chain.rng,
        account_id=chain.account_id,
        region=chain.region,
        at=at,
        source="cloudtrail.amazonaws.com",
        name=name,
        **{"request": {"name": chain.trail.arn}} | said,
    )
    world.administration.append(told)
    chain.announcements.append(told)


def write_hours(
    world: World,
    chain: Chain,
    *,
    hours: int,
    empty_hours: Collection[int] = (),
    late_hours: Collection[int] = (),
    until: datetime | None = None,
) -> None:
    """The chain's next `hours` hours, as far as the world's `now` has delivered them."""
    first = chain.next_start
    for index in range(hours):
        start = first + index * HOUR
        if start not in chain.prepared:
            chain.prepared[start] = hour_logs(
                chain,
                start,
                count=0 if index in empty_hours else chain.traffic.logs_per_hour,
                late=index in late_hours,
                until=until,
            )
        _deliver_logs(world, chain, start)
        if start + HOUR + DIGEST_DELAY <= world.now and chain.next_start == start:
            logs = [log for log, _ in chain.prepared.pop(start)]
            chain.next_start = start + HOUR
            if chain.trail.validation:
                write_digest(world, chain, start=start, logs=logs, previous=chain.tip)
            else:
                chain.undigested.extend(logs)
    world.note_deliveries(chain)


def _deliver_logs(world: World, chain: Chain, start: datetime) -> None:
    """Put the log files of the hour from `start` that are due and not put yet, each once."""
    prepared = chain.prepared[start]
    for index, (log, stored) in enumerate(prepared):
        if stored is not None and log.last_modified <= world.now:
            world.objects[log.address] = stored
            prepared[index] = (log, None)


def write_digest(
    world: World,
    chain: Chain,
    *,
    start: datetime,
    logs: Sequence[LabLog],
    previous: LabDigest | None,
    generated_at: datetime | None = None,
) -> LabDigest:
    """Sign and deliver the digest of the hour from `start`; with `generated_at`, a backfill one."""
    digest = make_digest(
        world, chain, start=start, logs=logs, previous=previous, generated_at=generated_at
    )
    world.objects[digest.address] = StoredObject(
        gzipped(digest.body_json),
        digest.last_modified,
        digest_metadata(digest.signature, generated_at=generated_at),
    )
    if generated_at is not None:
        chain.backfills.append(digest)
    else:
        chain.tip = digest
        chain.digests.append(digest)
        if chain.digests[-2:] != sorted(chain.digests[-2:], key=lambda one: one.end):
            chain.digests.sort(key=lambda one: one.end)  # a restart within the hour
    return digest


def make_digest(
    world: World,
    chain: Chain,
    *,
    start: datetime,
    logs: Sequence[LabLog],
    previous: LabDigest | None,
    generated_at: datetime | None = None,
) -> LabDigest:
    """The signed digest of the hour from `start`, delivered nowhere."""
    end = start + HOUR
    key = chain.digest_key(end, backfill=generated_at is not None)
    signer = world.ring(chain.region).signer(generated_at or end)
    document = digest_document(
        account_id=chain.account_id,
        start=start,
        end=end,
        bucket=chain.bucket,
        key=key,
        fingerprint=signer.fingerprint,
        previous=previous,
        logs=logs,
    )
    body = json_line(document, escape_slashes=chain.traffic.escape_slashes)
    return LabDigest(
        bucket=chain.bucket,
        key=key,
        account_id=chain.account_id,
        region=chain.region,
        start=start,
        end=end,
        body_json=body,
        signature=sign_digest(document, body, signer),
        fingerprint=signer.fingerprint,
        log_files=tuple(logs),
        last_modified=generated_at or end + DIGEST_DELAY,
        starting=previous is None and generated_at is None,
        generated_at=generated_at,
    )
