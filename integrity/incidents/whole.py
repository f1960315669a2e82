"""A tick's record as one: its own window, and the looks beside it at incidents and past days.

As for incidents, what every tick answers for itself is the main run's alone to say: a look at a
past day knows nothing of how a trail or a chain is now.
"""

from __future__ import annotations

from collections.abc import Iterator

from integrity.chain.findings import Finding, worst
from integrity.incidents.causes import NATURES, OF_REASON
from integrity.record import Run
from integrity.structs import replace

Mark = tuple[object, ...]


def whole(run: Run) -> Run:
    """With what the looks found: as bad as the worst of it, and each finding once."""
    findings = tuple(_findings(run))
    is_interrupted = any(one.run.interrupted for one in (run, *run.looks))
    return replace(
        run,
        run=replace(run.run, interrupted=is_interrupted),
        outcome=worst([run.outcome, *(finding.outcome for finding in findings)]),
        findings=findings,
    )


def _findings(run: Run) -> Iterator[Finding]:
    beside = (one for look in run.looks for one in look.findings if not _is_by_tick(one))
    told = set()
    for finding in (*run.findings, *beside):
        mark = mark_of(finding)
        if mark not in told:
            told.add(mark)
            yield finding


def mark_of(finding: Finding) -> Mark:
    """What it is about: a look may find the same once more."""
    place = (finding.account_id, finding.region, finding.window)
    return (finding.reason, *place, finding.s3_uri or finding.first)


def _is_by_tick(finding: Finding) -> bool:
    cause = OF_REASON.get(finding.reason)
    return cause is not None and NATURES[cause].by_tick
