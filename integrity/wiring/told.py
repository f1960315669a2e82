"""A tick's record in the service's log: every finding in the AWS CLI's words, and what it came to.

A metric filter on INVALID works on these lines. It is handed the record as one, with what looks
beside the tick's own window saw (`incidents.whole`).
"""

from __future__ import annotations

from logging import getLogger

from integrity.chain.words import line
from integrity.record import Run

_log = getLogger(__name__)


def log_run(run: Run) -> None:
    """Every finding in the AWS CLI's words, and a line for the whole."""
    arn = run.trail_arn
    for finding in run.findings:
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
