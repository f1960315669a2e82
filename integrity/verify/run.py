"""One trail, one window, one record: plan, check every segment, join, and say what it amounts to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import msgspec

from integrity.record import Run, RunInfo
from integrity.verify.job import Job
from integrity.verify.plan import make_plan
from integrity.verify.ports import KeySource, ObjectSource, Progress, StatusSource
from integrity.verify.segment import check_segment
from integrity.verify.tools import Tools
from integrity.verify.whole import join_run


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a run's bytes and witnesses come from. Without `statuses` AWS's word is not asked."""

    objects: ObjectSource
    keys: KeySource
    statuses: StatusSource | None
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
    """The record of one trail over one window. `clock` is read at the start and at the end alone."""
    now = clock()
    with ThreadPoolExecutor(job.concurrency) as executor:
        tools = Tools(sources.objects, sources.keys, executor, now, progress)
        plan = make_plan(job, tools, sources.statuses)
        results = {
            chain: [check_segment(segment, job, tools) for segment in segments]
            for chain, segments in plan.segments.items()
        }
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
