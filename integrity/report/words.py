"""How a finding, a count and a verdict are said: in the AWS CLI's words wherever it has some.

Decided from one finding, count or outcome alone; where it stands on the page is `report.text`.
The AWS CLI's lines are `Digest file` or `Log file`, the place and the verdict, parted by tabs: who
reads its output by script reads ours.
(AWS: Validating CloudTrail log file integrity with the AWS CLI.)
"""

from __future__ import annotations

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.record import (
    DigestCounts,
    ExitStatus,
    Expected,
    LogCounts,
    Origin,
    Population,
    Requested,
)
from integrity.report.terminal import escape

WORDS: dict[Reason, str] = {
    Reason.DIGEST_MISSING: "not found",
    Reason.DIGEST_LATE: "not there yet",
    Reason.OBJECT_EXPIRED: "expired by a lifecycle rule",
    Reason.DIGEST_MALFORMED: "invalid format",
    Reason.DIGEST_MOVED: "has been moved from its original location",
    Reason.DIGEST_CLAIM_MISMATCH: "content contradicts its name",
    Reason.DIGEST_SIGNATURE_MISSING: "signature verification failed",
    Reason.DIGEST_SIGNATURE_INVALID: "signature verification failed",
    Reason.DIGEST_KEY_UNKNOWN: "public key not found",
    Reason.DIGEST_LINK_MISMATCH: "vouches for another predecessor",
    Reason.DIGEST_UNPROVEN: "no signature to verify",
    Reason.LOG_MISSING: "not found",
    Reason.LOG_HASH_MISMATCH: "hash value doesn't match",
    Reason.LOG_MALFORMED: "invalid format",
    Reason.LOG_TRAILING_DATA: "unexpected data after end of compressed stream",
    Reason.HEAD_REWOUND: "newest digest files are gone",
    Reason.TRAIL_OFF: "does not sign its log files",
    Reason.NO_DIGESTS: "No digests found",
    Reason.CHAIN_GAP: "not covered by any digest file",
    Reason.HEAD_STALE: "newest digest file is overdue",
    Reason.DIGEST_FOREIGN: "not a digest file of any trail",
    Reason.LOG_UNREFERENCED: "named by no digest file",
    Reason.ALGORITHM_UNSUPPORTED: "unknown algorithm",
    Reason.OBJECT_UNREADABLE: "could not be read",
    Reason.KEYS_UNAVAILABLE: "public keys unavailable",
    Reason.LIMIT_EXCEEDED: "too large",
}
"""What stands behind `INVALID:`, `UNDETERMINED:` or `NOTE:`; the AWS CLI's where it has words."""

_LABEL = {
    Outcome.INVALID: "INVALID",
    Outcome.UNDETERMINED: "UNDETERMINED",
    Outcome.VALID: "NOTE",
}


def label(outcome: Outcome) -> str:
    """The word in capitals before what was found; a finding that is `valid` is a note."""
    return _LABEL[outcome]


def subject(finding: Finding, trail_arn: str) -> str:
    """What the finding is about, `Digest file<TAB>s3://…`: a file, files, a chain or the trail."""
    if finding.s3_uri is not None:
        return f"{_file_kind(finding, finding.s3_uri)}\t{escape(finding.s3_uri)}"
    if finding.reason is Reason.TRAIL_OFF:
        return f"Trail\t{escape(trail_arn)}"
    place = escape(f"account {finding.account_id}, region {finding.region}")
    if finding.first is not None:
        kind = _file_kind(finding, finding.first)
        return f"{kind}s\t{finding.count} in {place}"
    return f"Chain\t{place}"


def _file_kind(finding: Finding, uri: str) -> str:
    """As the AWS CLI says it: `(backfill) ` before digest files of that chain, never logs."""
    if finding.reason is Reason.DIGEST_FOREIGN:
        return "Object"
    if finding.reason.value.startswith("log_"):
        return "Log file"
    if finding.reason.value.startswith("digest_") or "/CloudTrail-Digest/" in uri:
        return f"{backfill_mark(uri)}Digest file"
    return "Log file"


def backfill_mark(uri: str) -> str:
    """`(backfill) ` for the name of a backfill digest, as the AWS CLI marks it."""
    return "(backfill) " if uri.endswith("_backfill.json.gz") else ""


def said(finding: Finding) -> str:
    """What was found, without the outcome's word: `not found`."""
    if finding.reason is Reason.DIGEST_KEY_UNKNOWN and finding.detail:
        return escape(finding.detail)  # the AWS CLI's words, with the region and the fingerprint
    return WORDS[finding.reason]


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
        "as it is and follow the findings above"
    ),
    Outcome.UNDETERMINED: (
        "part of what was asked for could not be proven, and nothing contradicts it either; follow "
        "the findings above"
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
