"""Acts that add objects: forged log files, junk among the digests, and harmless company."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from integrity.lab.chains import Chain
from integrity.lab.events import events_up_to, log_json
from integrity.lab.naming import sixteen, stamp, up_to_five_minutes
from integrity.lab.objects import Address, LabDigest, StoredObject
from integrity.lab.signing import gzipped
from integrity.lab.world import World


def _forged_log(world: World, chain: Chain, newest: datetime, kind: str) -> tuple[Address, bytes]:
    rng = random.Random(f"{world.seed}/planted/{newest.isoformat()}/{len(world.objects)}")
    events = events_up_to(
        rng, count=2, newest=newest, account_id=chain.account_id, region=chain.region
    )
    key = chain.place.log_key(
        account_id=chain.account_id,
        region=chain.region,
        minute=up_to_five_minutes(newest),
        unique=sixteen(rng),
        kind=kind,
    )
    return (chain.bucket, key), gzipped(log_json(events))


def plant_log(
    world: World, chain: Chain, *, newest: datetime, last_modified: datetime | None = None
) -> Address:
    """A well-made log file that CloudTrail never wrote, named for events up to `newest`.

    By default it is last modified five minutes later, as if it had been delivered then.
    """
    address, body = _forged_log(world, chain, newest, "CloudTrail")
    at = last_modified or newest + timedelta(minutes=5)
    world.objects[address] = StoredObject(body, at)
    return address


def plant_insight(world: World, chain: Chain, *, newest: datetime) -> Address:
    """An Insight file, which no digest names, lies beside the log files; nobody's fault."""
    address, body = _forged_log(world, chain, newest, "CloudTrail-Insight")
    world.objects[address] = StoredObject(body, newest + timedelta(minutes=30))
    return address


def plant_digest(
    world: World,
    chain: Chain,
    *,
    end: datetime,
    trail: str = "made-up",
    body: bytes = b"junk",
    last_modified: datetime | None = None,
) -> Address:
    """Junk lies among the digests under a well-made name of a trail that never was."""
    key = chain.digest_key(end, trail=trail)
    world.objects[chain.bucket, key] = StoredObject(body, last_modified or world.now)
    return chain.bucket, key


def plant_log_beside_junk(world: World, chain: Chain, *, newest: datetime) -> Address:
    """A forged log file, and over its hour a made-up trail's junk digest to excuse it."""
    plant_digest(world, chain, end=newest.replace(minute=0, second=0) + timedelta(hours=1))
    return plant_log(world, chain, newest=newest)


def plant_future(
    world: World, chain: Chain, *, day: datetime, junk: LabDigest | None = None
) -> Address:
    """Among the digests of an early `day` lies one of the trail's own name stamped 9999.

    It is a copy of the digest `junk`, or junk.
    """
    address = chain.bucket, chain.digest_key(day).replace(stamp(day), "99991231T235959Z")
    copied = world.objects[junk.address] if junk is not None else StoredObject(b"junk", world.now)
    world.objects[address] = replace(copied, last_modified=world.now)
    return address


def plant_folder_markers(world: World, chain: Chain, *, at: datetime) -> list[Address]:
    """Other tools left their zero-byte folder markers between digests and log files; harmless."""
    place = chain.place
    folders = (
        place.digest_folder(chain.account_id, chain.region),
        place.log_folder(chain.account_id, chain.region),
    )
    keys = [f"{folder}{at:%Y/%m/%d}{end}" for folder in folders for end in ("/", "_$folder$")]
    for key in keys:
        world.put_marker(chain.bucket, key, at)
    return [(chain.bucket, key) for key in keys]
