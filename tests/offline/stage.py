"""A lab world as files: a plain copy as `aws s3 sync` leaves it, or a bundle of what was read."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event

from integrity.chain.model import PublicKey, TimeWindow
from integrity.evidence.collect import CollectedObjects
from integrity.evidence.collect_answers import CollectedAnswers, CollectedKeys
from integrity.evidence.collect_versions import CollectedVersions
from integrity.evidence.collection import begin
from integrity.lab.world import World
from integrity.record import Run
from integrity.sources.key_file import encode_keys
from integrity.structs import replace
from integrity.verify.claim import Claim
from integrity.verify.job import Job
from integrity.verify.run import Sources, verify_trail
from integrity.wiring import Offline, open_offline
from integrity.wiring.collecting import _answering, _beginning
from integrity.wiring.offline import OfflineConnection
from tests.memory import (
    MemoryHistory,
    MemoryKeys,
    MemoryRetention,
    MemorySource,
    MemoryVersions,
    Silent,
    as_trail,
    witnesses,
)
from tests.scenarios import Stage


def sync(world: World, bucket: str, folder: Path) -> Path:
    """The bucket's objects as files, without metadata, with their LastModified."""
    for key in world.objects.keys_under(bucket, ""):
        stored = world.objects[bucket, key]
        if key.endswith("/"):
            continue
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored.body)
        at = stored.last_modified.timestamp()
        os.utime(path, (at, at))
    return folder


def save_keys(world: World, path: Path) -> Path:
    """Every public key of the world."""
    ever = TimeWindow(datetime.min.replace(tzinfo=world.now.tzinfo), world.now)
    regions = sorted({chain.region for chain in world.chains})
    keys: list[PublicKey] = []
    for region in regions:
        answer = MemoryKeys(world).fetch_keys(region, ever)
        assert isinstance(answer, tuple)
        keys += answer
    path.write_bytes(encode_keys(keys))
    return path


def job_of(stage: Stage, **asked: object) -> Job:
    """What the scenario is verified with, without what only the live bucket shows."""
    job = Job(
        trail=as_trail(stage.trail, name=stage.trail_name),
        window=TimeWindow(stage.start, stage.end),
        source_regions=(stage.chain.region,) if stage.is_abroad else None,
        allow_gaps=stage.allow_gaps,
        unreferenced=False,
        concurrency=4,
    )
    return replace(job, **asked)  # type: ignore[arg-type]


def sources_of(stage: Stage, *, refused: tuple[str, ...] = ()) -> Sources:
    """The world itself; of versions and the Event history what is `refused` may not be asked."""
    source = MemorySource(stage.world)
    if stage.denied:
        source.unreachable[stage.denied] = "access denied"
    return Sources(
        source,
        MemoryKeys(stage.world),
        MemoryRetention(stage.world),
        replace(
            witnesses(stage.world, stage.trail),
            history=MemoryHistory(stage.world, is_refused="history" in refused),
        ),
        versions=MemoryVersions(stage.world, refused=refused),
    )


def run_of(job: Job, sources: Sources, now: datetime) -> Run:
    return verify_trail(
        job,
        sources,
        run_id="a-run",
        caller_arn=None,
        progress=Silent(),
        clock=lambda: now,
        stopping=Event(),
    ).run


def collect(
    stage: Stage, folder: Path, job: Job | None = None, *, sources: Sources | None = None
) -> Run:
    """Make a bundle of the scenario, and the record of it."""
    job = job or job_of(stage)
    sources = sources or sources_of(stage)
    collection = begin(folder, _beginning(job))
    told, past = sources.witnesses, sources.versions
    answers = CollectedAnswers(
        told.statuses, told.regions, told.accounts, sources.retention, told.history
    )
    keys = CollectedKeys(sources.keys)
    kept = replace(
        _answering(sources, answers),
        objects=CollectedObjects(sources.objects, collection),
        keys=keys,
        versions=None if past is None else CollectedVersions(past, collection),
    )
    try:
        run = run_of(job, kept, stage.world.now)
        collection.finish(
            run,
            keys.all(),
            answers.all(job.trail, told.account_id, None, has_versions=past is not None),
        )
    finally:
        collection.close()
    return run


def verify_offline(
    offline: Offline,
    now: datetime,
    *,
    name: str | None = None,
    fit: Callable[[Job], Job] = lambda job: job,
) -> Run:
    """The record of the one trail that a folder holds."""
    connection = open_offline(offline, now=now)
    assert isinstance(connection, OfflineConnection)
    (meant,) = connection.open_trails(Claim(name=name))
    job = meant.collected
    if job is None:
        assert meant.window is not None
        job = Job(trail=meant.trail, window=meant.window, concurrency=4)
    return connection.verify(
        fit(job),
        progress=Silent(),
        clock=lambda: now,
        stopping=Event(),
        names_valid=True,
    ).run
