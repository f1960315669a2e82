"""One trail, one window, one record: plan, check every segment, join."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import msgspec

from integrity.chain.model import ChainId
from integrity.record import Run, RunInfo, SegmentResult
from integrity.verify.job import Job
from integrity.verify.parallel import each
from integrity.verify.plan import make_plan
from integrity.verify.ports import KeySource, ObjectSource, Progress, RetentionSource, Witnesses
from integrity.verify.segment import check_segment
from integrity.verify.tools import Tools
from integrity.verify.whole import join_run

_AT_ONCE = 16
"""How many segments are under way together: nearly empty ones wait for answers most of the time."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a run's bytes and witnesses come from. Without `witnesses` AWS's word is not asked."""

    objects: ObjectSource
    keys: KeySource
    witnesses: Witnesses
    retention: RetentionSource | None = None
    name: str = "s3"


def verify_trail(
    job: Job,
    sources: Sources,
    *,
    run_id: str,
    caller_arn: str | None,
    progress: Progress,
    clock: Callable[[], datetime],
) -> Run:
    """The record of one trail over one window.

    `clock` is read at the start and at the end alone.
    """
    now = clock()
    with ThreadPoolExecutor(job.concurrency) as readers, ThreadPoolExecutor(_AT_ONCE) as engine:
        tools = Tools(sources.objects, sources.keys, readers, now, progress, sources.retention)
        plan = make_plan(job, tools, sources.witnesses)
        segments = [segment for parts in plan.segments.values() for segment in parts]
        checked = each(
            engine,
            lambda segment: check_segment(segment, job, tools),
            segments,
            in_flight=_AT_ONCE,
        )
        results: dict[ChainId, list[SegmentResult]] = {}
        for _, result in checked:
            results.setdefault(result.chain, []).append(result)
    info = RunInfo(
        id=run_id,
        caller_arn=caller_arn,
        configuration_sha256=hashlib.sha256(msgspec.json.encode(job)).hexdigest(),
        source=sources.name,
        started_at=now,
        finished_at=clock(),
        judged_at=now,
    )
    return join_run(job, plan, results, info)
