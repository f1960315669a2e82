"""Makes a bundle: verifies a trail where it is, and keeps in a folder what was read for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from integrity import __version__
from integrity.chain.model import TimeWindow
from integrity.errors import UsageError
from integrity.record import Tool
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import Progress, Witnesses
from integrity.wiring.connection import Connection

if TYPE_CHECKING:
    from integrity.evidence.collect_answers import CollectedAnswers
    from integrity.evidence.manifest import Beginning
    from integrity.verify.run import Sources, Verification


def bundle_trail(
    connection: Connection,
    job: Job,
    folder: Path,
    *,
    is_fixed: bool,
    progress: Progress,
    clock: Callable[[], datetime],
    stopping: Stopping,
) -> Verification:
    """The trail's record, and `folder` with everything that it was made of.

    Where a collection was interrupted it goes on; unless the time `is_fixed`, with the one that was
    asked for then. One that is interrupted again is no bundle yet. Raises UsageError where the
    folder holds anything else.
    """
    from integrity.evidence.collect import CollectedObjects
    from integrity.evidence.collect_answers import CollectedAnswers, CollectedKeys
    from integrity.evidence.collect_versions import CollectedVersions
    from integrity.evidence.collection import begin, interrupted

    known = interrupted(folder)
    if known is not None and not is_fixed:
        job = replace(job, window=TimeWindow(known.asked.start, known.asked.end))
    collection = begin(folder, _beginning(job))
    try:
        sources = connection.sources_of(job)
        witnesses, past = sources.witnesses, sources.versions
        answers = CollectedAnswers(
            witnesses.statuses,
            witnesses.regions,
            witnesses.accounts,
            sources.retention,
            witnesses.history,
        )
        keys = CollectedKeys(sources.keys)
        verification = connection.verify(
            job,
            progress=progress,
            clock=clock,
            stopping=stopping,
            names_valid=True,
            sources=replace(
                _answering(sources, answers),
                objects=CollectedObjects(sources.objects, collection),
                keys=keys,
                versions=None if past is None else CollectedVersions(past, collection),
            ),
        )
        run = verification.run
        if not run.run.interrupted:
            told = answers.all(
                job.trail,
                witnesses.account_id,
                run.run.caller_arn,
                has_versions=past is not None,
            )
            collection.finish(run, keys.all(), told)
    finally:
        collection.close()
    return verification


def _answering(sources: Sources, answers: CollectedAnswers) -> Sources:
    asked = sources.witnesses
    return replace(
        sources,
        retention=answers if sources.retention is not None else None,
        witnesses=Witnesses(
            account_id=asked.account_id,
            statuses=answers if asked.statuses is not None else None,
            regions=answers if asked.regions is not None else None,
            accounts=answers if asked.accounts is not None else None,
            history=answers if asked.history is not None else None,
        ),
    )


def _beginning(job: Job) -> Beginning:
    from integrity.evidence.manifest import Asked, Beginning

    if job.window.start == job.window.end:
        raise UsageError("a bundle of no time holds nothing: choose a later --end-time")
    return Beginning(
        tool=Tool("integrity", __version__),
        trail=job.trail,
        neighbours=job.unsigned_neighbours,
        asked=Asked(
            start=job.window.start,
            end=job.window.end,
            account_ids=job.account_ids,
            source_regions=job.source_regions,
            ignored=job.ignored,
            grace=job.grace,
            redelivery_grace=job.redelivery_grace,
            allow_gaps=job.allow_gaps,
            log_files=job.log_files,
        ),
    )
