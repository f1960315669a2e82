"""Exit statuses, and how a whole's outcome follows from its parts."""

from __future__ import annotations

from integrity.chain.findings import Finding, Outcome, Reason, worst
from integrity.record.chains import ChainResult
from integrity.record.run import Run


class ExitStatus:
    """The exit status of every command that verifies."""

    VALID = 0
    INVALID = 1
    USAGE = 2
    UNDETERMINED = 3
    FAULT = 70
    INTERRUPTED = 130


_STATUS = {
    Outcome.VALID: ExitStatus.VALID,
    Outcome.UNDETERMINED: ExitStatus.UNDETERMINED,
    Outcome.INVALID: ExitStatus.INVALID,
}


def exit_status(run: Run) -> int:
    """What the process ends with.

    `--allow-gaps` forgives gaps in which no log file was delivered.
    """
    if run.requested.allow_gaps and _only_empty_gaps(run):
        return ExitStatus.VALID
    return _STATUS[run.outcome]


def worst_status(statuses: list[int]) -> int:
    """Of several trails' statuses the worst: interrupted, invalid, usage, undetermined, valid."""
    order = (
        ExitStatus.VALID,
        ExitStatus.UNDETERMINED,
        ExitStatus.USAGE,
        ExitStatus.INVALID,
        ExitStatus.INTERRUPTED,
    )
    return max(statuses, key=order.index, default=ExitStatus.UNDETERMINED)


def _only_empty_gaps(run: Run) -> bool:
    serious = [finding for finding in run.findings if finding.outcome is not Outcome.VALID]
    return (
        bool(serious)
        and all(finding.reason is Reason.CHAIN_GAP for finding in serious)
        and run.totals.log_files.unattested == 0
    )


def outcome_of(chains: tuple[ChainResult, ...], findings: tuple[Finding, ...]) -> Outcome:
    """The run's outcome: the worst of its parts, and without a chain `undetermined`."""
    if not chains:
        return worst([Outcome.UNDETERMINED, *(finding.outcome for finding in findings)])
    return worst([chain.outcome for chain in chains] + [finding.outcome for finding in findings])
