"""How a count and a verdict are said, in the AWS CLI's words wherever it has some.

Decided from one count or outcome alone; where it stands on the page is `report.text`, how a finding
is said `chain.words`.
(AWS: Validating CloudTrail log file integrity with the AWS CLI.)
"""

from __future__ import annotations

from integrity.chain.findings import Outcome
from integrity.chain.terminal import escape
from integrity.record import (
    DigestCounts,
    ExitStatus,
    Expected,
    LogCounts,
    Origin,
    Population,
    Requested,
)


def ratio(counts: DigestCounts | LogCounts, files: str) -> str:
    """`23/24 digest files valid, 1/24 digest files INVALID`."""
    shares = [f"{counts.valid}/{counts.total} {files} valid"]
    if counts.invalid:
        shares.append(f"{counts.invalid}/{counts.total} {files} INVALID")
    if counts.undetermined:
        shares.append(f"{counts.undetermined}/{counts.total} {files} UNDETERMINED")
    return ", ".join(shares)


def narrowing(requested: Requested) -> str:
    """What a run was narrowed to, for its first and last line; empty where it was not."""
    parts = []
    if requested.account_ids is not None:
        parts.append(
            f"to {counted(len(requested.account_ids), 'account')} "
            f"{', '.join(requested.account_ids)}"
        )
    if requested.source_regions is not None:
        parts.append(
            f"to {counted(len(requested.source_regions), 'source region')} "
            f"{', '.join(requested.source_regions)}"
        )
    if not requested.log_files:
        parts.append("to digest files")
    if requested.ignored:
        parts.append(f"by ignoring {', '.join(requested.ignored)}")
    return escape(f"narrowed {' and '.join(parts)}") if parts else ""


_WITNESS = {
    Origin.TRAIL_STATUS: "GetTrailStatus",
    Origin.REGIONS: "DescribeRegions",
    Origin.ORGANIZATION: "ListAccounts",
}


def told(population: Population) -> str:
    """Whose word the population is: `regions: 17 expected (GetTrailStatus), 17 found; …`."""
    mine = [call for call in population.unasked if call.startswith("organizations:")]
    others = [call for call in population.unasked if call not in mine]
    regions = _told_by(population.regions_from, population.regions, others)
    accounts = _told_by(population.accounts_from, population.accounts, mine)
    return f"regions: {regions}; accounts: {accounts}"


def _told_by(origin: Origin, number: Expected, refused: list[str]) -> str:
    if origin is Origin.TRAIL:
        return "the trail's own"
    if origin is Origin.REQUEST:
        return f"{number.expected} asked for, {number.found} found"
    if origin is Origin.BUCKET:
        return f"only those the bucket shows ({', '.join(refused) or 'AWS was not asked'})"
    but = f"; {', '.join(refused)}, in part at least" if refused else ""
    return f"{number.expected} expected ({_WITNESS[origin]}{but}), {number.found} found"


def counted(number: int, noun: str) -> str:
    """The noun for so many: `account`, `accounts`."""
    return noun if number == 1 else f"{noun}s"


_MEANING = {
    Outcome.VALID: (
        "every digest file expected is there, signed and linked, and every log file that they name "
        "has the content that CloudTrail signed"
    ),
    Outcome.INVALID: (
        "files of this trail were changed, removed or put in CloudTrail's place; leave the bucket "
        "as it is and follow the findings"
    ),
    Outcome.UNDETERMINED: (
        "part of what was asked for could not be proven, and nothing contradicts it either; follow "
        "the findings"
    ),
}

_FORGIVEN = "nothing but gaps in which no log file was delivered, forgiven by --allow-gaps"
_NOTHING = "nothing was there to be verified, and nothing found is never a proof"


def meaning(outcome: Outcome, status: int, *, empty: bool) -> str:
    """What a verdict means. `empty`: not one chain was found to judge."""
    if outcome is Outcome.UNDETERMINED and status == ExitStatus.VALID:
        return _FORGIVEN
    if outcome is Outcome.UNDETERMINED and empty:
        return _NOTHING
    return _MEANING[outcome]
