"""A tick's record in the service's log: every finding in the AWS CLI's words, and what it came to.

A metric filter on INVALID works on these lines. Of looks beside the tick's own window (open
incidents, the watched past) only what that window did not show is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from logging import getLogger

from integrity.chain.findings import Finding
from integrity.chain.words import line
from integrity.record import Run

_log = getLogger(__name__)


def log_run(run: Run) -> None:
    """Every finding in the AWS CLI's words, and a line for the whole."""
    arn = run.trail_arn
    for finding in _findings(run):
        _log.warning(
            line(finding, arn),
            extra={
                "trail": arn,
                "reason": finding.reason.value,
                "outcome": finding.outcome.value,
                "account_id": finding.account_id,
                "region": finding.region,
                "count": finding.count,
            },
        )
    _log.info(
        "tick",
        extra={
            "trail": arn,
            "run": run.run.id,
            "outcome": run.outcome.value,
            "findings": len(run.findings),
            "log_files": run.totals.log_files.total,
            "seconds": (run.run.finished_at - run.run.started_at).total_seconds(),
            "interrupted": run.run.interrupted,
        },
    )


def _findings(run: Run) -> Iterator[Finding]:
    told = set()
    for finding in (*run.findings, *(one for look in run.looks for one in look.findings)):
        place = (finding.reason, finding.account_id, finding.region, finding.s3_uri, finding.window)
        if place not in told:
            told.add(place)
            yield finding
