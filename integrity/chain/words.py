"""How a finding is said on one line: in the AWS CLI's words wherever it has some.

Decided from one finding alone. The AWS CLI's lines are `Digest file` or `Log file`, the place and
the verdict, parted by tabs: who reads its output by script, or watches a log for INVALID, reads
ours.
(AWS: Validating CloudTrail log file integrity with the AWS CLI.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from integrity.chain.evidence import EventRecord, EventWitness, Explanation, FirstSeen, SeenOf
from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant

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
    Reason.EVENT_UNCONFIRMED: "seen live, not in the signed record",
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


def line(finding: Finding, trail_arn: str) -> str:
    """The whole line, `Digest file<TAB>s3://…<TAB>INVALID: not found`, printable but for tabs."""
    return f"{subject(finding, trail_arn)}\t{label(finding.outcome)}: {said(finding)}"


_MOST_SAID = 500

_WITNESSES = {
    EventWitness.LOG_FILE: "verified log files",
    EventWitness.EVENT_HISTORY: "the Event history",
}
_OF = {
    EventWitness.LOG_FILE: "verified log file",
    EventWitness.EVENT_HISTORY: "Event history",
}


def explained(explanation: Explanation | None) -> str:
    """`explained by StopLogging by … at … (verified log file)`, or `unexplained by …`, or nothing
    where nobody looked.
    """
    if explanation is None:
        return ""
    if explanation.events:
        told = "explained by " + "; ".join(map(_event, explanation.events))
    else:
        told = "unexplained by " + " and ".join(_WITNESSES[one] for one in explanation.asked)
        if explanation.near:
            told += "; near it, and no explanation: " + "; ".join(map(_event, explanation.near))
    left = explanation.unread
    more = f"; {left} log {'file' if left == 1 else 'files'} or events could not be searched"
    return escape(told + more * bool(left))


def _event(event: EventRecord) -> str:
    """Names are as long as who chose them liked: the record has them whole."""
    said = str(event)
    said = said if len(said) <= _MOST_SAID else f"{said[:_MOST_SAID]}..."
    return f"{said} ({_OF[event.witness]})"


def restorable(finding: Finding) -> str:
    """What lay there before, in one line; nothing where nobody looked or nothing is left of it."""
    tried, number = finding.versions_tried, len(finding.originals)
    if not number:
        return f"no older version verifies ({tried} tried)" if tried else ""
    first = finding.originals[0]
    told = (
        f"the original is version {first.version_id}, written {format_instant(first.written_at)}, "
        f"{first.fate.value} {format_instant(first.gone_at)}"
    )
    if number > 1:
        times = [one.gone_at for one in finding.originals]
        told = (
            f"{number} originals are left as older versions, replaced or deleted between "
            f"{format_instant(min(times))} and {format_instant(max(times))}"
        )
    them = "it" if number == 1 else "them"
    return escape(f"{told}: `integrity restore` prints how to bring {them} back")


def first_seen(
    seen: FirstSeen | None, judged_at: datetime, clock: Callable[[datetime], str] = format_instant
) -> str:
    """Since when it is known, and who says so: the time of the run, where nobody keeps another."""
    if seen is None:
        return f"{clock(judged_at)} (by this run, which knows of no earlier one)"
    if seen.of is SeenOf.INCIDENT:
        return f"{clock(seen.at)} (its incident; this finding may have joined it later)"
    return clock(seen.at)
