"""What can be found, and how it is said: outcomes, reasons, findings and how they combine.

Three outcomes and no fourth: silence is none of them. A reason is one clause of one check
(docs/checks.md has an entry for each); a finding is a reason with its place, its hour and a line
for the person who has to act on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from integrity.chain.evidence import Explanation, FirstSeen, Original
from integrity.chain.model import TimeWindow
from integrity.chain.times import format_instant


class Outcome(StrEnum):
    """`valid` < `undetermined` < `invalid`."""

    VALID = "valid"
    UNDETERMINED = "undetermined"
    INVALID = "invalid"


_SEVERITY = {Outcome.VALID: 0, Outcome.UNDETERMINED: 1, Outcome.INVALID: 2}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of a whole: the worst of its parts, and of nothing at all `undetermined`."""
    return max(outcomes, key=_SEVERITY.__getitem__, default=Outcome.UNDETERMINED)


class Reason(StrEnum):
    """The one vocabulary: code, JSON, text, alarms, metrics, documents and tests use these."""

    DIGEST_MISSING = "digest_missing"
    DIGEST_LATE = "digest_late"
    OBJECT_EXPIRED = "object_expired"
    DIGEST_MALFORMED = "digest_malformed"
    DIGEST_MOVED = "digest_moved"
    DIGEST_CLAIM_MISMATCH = "digest_claim_mismatch"
    DIGEST_SIGNATURE_MISSING = "digest_signature_missing"
    DIGEST_SIGNATURE_INVALID = "digest_signature_invalid"
    DIGEST_KEY_UNKNOWN = "digest_key_unknown"
    DIGEST_LINK_MISMATCH = "digest_link_mismatch"
    DIGEST_UNPROVEN = "digest_unproven"
    LOG_MISSING = "log_missing"
    LOG_HASH_MISMATCH = "log_hash_mismatch"
    LOG_MALFORMED = "log_malformed"
    LOG_TRAILING_DATA = "log_trailing_data"
    HEAD_REWOUND = "head_rewound"
    TRAIL_OFF = "trail_off"
    NO_DIGESTS = "no_digests"
    CHAIN_GAP = "chain_gap"
    HEAD_STALE = "head_stale"
    DIGEST_FOREIGN = "digest_foreign"
    LOG_UNREFERENCED = "log_unreferenced"
    ALGORITHM_UNSUPPORTED = "algorithm_unsupported"
    OBJECT_UNREADABLE = "object_unreadable"
    KEYS_UNAVAILABLE = "keys_unavailable"
    LIMIT_EXCEEDED = "limit_exceeded"
    EVENT_UNCONFIRMED = "event_unconfirmed"


class Clause(Struct, frozen=True):
    """A reason's usual outcome, what it says, and what the reader does next."""

    outcome: Outcome
    what: str
    next_step: str


_INVALID, _UNDETERMINED, _VALID = Outcome.INVALID, Outcome.UNDETERMINED, Outcome.VALID

_COMPARE = "leave the bucket as it is, and find who wrote it (S3 data events, object versions)"

CLAUSES: dict[Reason, Clause] = {
    Reason.DIGEST_MISSING: Clause(
        _INVALID,
        "digest file is gone though CloudTrail delivered it",
        "look for a delete marker or an older version, and for DeleteObject in the S3 data events",
    ),
    Reason.DIGEST_LATE: Clause(
        _UNDETERMINED,
        "digest file is not there yet",
        "wait: CloudTrail redelivers out of order; verify this hour again after the grace",
    ),
    Reason.OBJECT_EXPIRED: Clause(
        _UNDETERMINED,
        "object is older than the bucket's lifecycle rule lets live",
        "nothing to mend here; to prove this period, use a copy or a longer retention",
    ),
    Reason.DIGEST_MALFORMED: Clause(
        _INVALID, "digest file is not a digest that CloudTrail writes", _COMPARE
    ),
    Reason.DIGEST_MOVED: Clause(
        _INVALID,
        "digest file was signed for another place than this one",
        "compare with the object at the place it names; " + _COMPARE,
    ),
    Reason.DIGEST_CLAIM_MISMATCH: Clause(
        _INVALID, "digest file's content contradicts its name", _COMPARE
    ),
    Reason.DIGEST_SIGNATURE_MISSING: Clause(
        _INVALID,
        "digest file has lost the signature in its object metadata",
        "find who copied or rewrote the object; restore the original version with its metadata",
    ),
    Reason.DIGEST_SIGNATURE_INVALID: Clause(
        _INVALID, "digest file's signature is not CloudTrail's for this content", _COMPARE
    ),
    Reason.DIGEST_KEY_UNKNOWN: Clause(
        _INVALID, "digest file names a public key that CloudTrail does not know", _COMPARE
    ),
    Reason.DIGEST_LINK_MISMATCH: Clause(
        _INVALID,
        "digest file vouches for another predecessor than the one that is there",
        "compare both digest files with a copy or an older version, and open a case with AWS",
    ),
    Reason.DIGEST_UNPROVEN: Clause(
        _UNDETERMINED,
        "digest file's signature is nowhere to be had",
        "copy the object with its metadata, or wait for the next digest, which states it",
    ),
    Reason.LOG_MISSING: Clause(
        _INVALID,
        "log file is gone though a signed digest names it",
        "look for a delete marker or an older version, and for DeleteObject in the S3 data events",
    ),
    Reason.LOG_HASH_MISMATCH: Clause(
        _INVALID, "log file's content is not what CloudTrail signed", _COMPARE
    ),
    Reason.LOG_MALFORMED: Clause(_INVALID, "log file is not one whole gzip stream", _COMPARE),
    Reason.LOG_TRAILING_DATA: Clause(
        _INVALID, "log file has bytes after the content that CloudTrail wrote", _COMPARE
    ),
    Reason.HEAD_REWOUND: Clause(
        _INVALID,
        "newest digest files, known to have been delivered, are gone or changed",
        "look for delete markers in the newest day folders, and for DeleteObject in the events",
    ),
    Reason.TRAIL_OFF: Clause(
        _UNDETERMINED,
        "trail does not sign its log files now",
        "find who did it (StopLogging, UpdateTrail in the Event history), and switch it on",
    ),
    Reason.NO_DIGESTS: Clause(
        _UNDETERMINED,
        "no digest file of this trail lies in the window",
        "check the name, bucket and prefix, and whether validation is on: integrity trails",
    ),
    Reason.CHAIN_GAP: Clause(
        _UNDETERMINED,
        "no digest covers this time, so nobody vouches for what happened in it",
        "look around it in the Event history for StopLogging, UpdateTrail and DeleteTrail",
    ),
    Reason.HEAD_STALE: Clause(
        _UNDETERMINED,
        "newest digest file is older than it should be",
        "check the trail's delivery errors (get-trail-status) and the bucket's policy",
    ),
    Reason.DIGEST_FOREIGN: Clause(
        _VALID,
        "object among the digest files is not one of any trail",
        "find out who put it there; it changes nothing about the verdict",
    ),
    Reason.LOG_UNREFERENCED: Clause(
        _UNDETERMINED,
        "log file is named by no digest: nobody vouches for it",
        "do not rely on its events until a digest names it; find who wrote it (S3 data events)",
    ),
    Reason.ALGORITHM_UNSUPPORTED: Clause(
        _UNDETERMINED,
        "signed document names an algorithm that this version does not know",
        "update integrity; if it is the newest version, tell its maintainers",
    ),
    Reason.OBJECT_UNREADABLE: Clause(
        _UNDETERMINED,
        "object could not be read",
        "mend what the detail names, and verify this window again",
    ),
    Reason.KEYS_UNAVAILABLE: Clause(
        _UNDETERMINED,
        "public keys of the source region could not be had",
        "allow cloudtrail:ListPublicKeys there, or hand keys over with --keys or --keys-profile",
    ),
    Reason.LIMIT_EXCEEDED: Clause(
        _UNDETERMINED,
        "object is larger than the configured bound",
        "see who wrote it: CloudTrail's own files are far smaller",
    ),
    Reason.EVENT_UNCONFIRMED: Clause(
        _UNDETERMINED,
        "event was seen live, and no signed log file holds it",
        "look for it in the Event history; find who can write to the log group or the bucket",
    ),
}


class Place(Struct, frozen=True, gc=False):
    """Whom a finding is about beside its object: an account's source region."""

    account_id: str
    region: str


class Finding(Struct, frozen=True, gc=False, kw_only=True):
    """A reason with its place and hour. `message` is one line for a person, fixed when it was
    found.

    Where many findings of one reason in one chain were folded into one, `count` says how many, and
    `first` and `last` name the first and the last subject.

    Of what is gone or altered, so many older versions were tried (null: nobody could), and
    `originals` are those that verify: its own, and those that are gone with it. `explanation` is
    null where nobody looked for one. `first_seen` is null where nobody keeps what was seen before:
    then it is the time of the run.
    """

    reason: Reason
    outcome: Outcome
    account_id: str
    region: str
    s3_uri: str | None
    window: TimeWindow
    version_id: str | None = None
    last_modified: datetime | None = None
    expected: str | None = None
    actual: str | None = None
    detail: str = ""
    message: str
    count: int = 1
    first: str | None = None
    last: str | None = None
    explanation: Explanation | None = None
    versions_tried: int | None = None
    originals: tuple[Original, ...] = ()
    first_seen: FirstSeen | None = None


def find(
    reason: Reason,
    place: Place,
    window: TimeWindow,
    *,
    s3_uri: str | None = None,
    outcome: Outcome | None = None,
    version_id: str | None = None,
    last_modified: datetime | None = None,
    expected: str | None = None,
    actual: str | None = None,
    detail: str = "",
    next_step: str = "",
) -> Finding:
    """A finding with its message.

    `outcome` and `next_step` replace the reason's own where given.
    """
    clause = CLAUSES[reason]
    return Finding(
        reason=reason,
        outcome=outcome or clause.outcome,
        account_id=place.account_id,
        region=place.region,
        s3_uri=s3_uri,
        window=window,
        version_id=version_id,
        last_modified=last_modified,
        expected=expected,
        actual=actual,
        detail=detail,
        message=message(clause, place, window, s3_uri, detail, next_step),
    )


def message(
    clause: Clause,
    place: Place,
    window: TimeWindow,
    s3_uri: str | None,
    detail: str,
    next_step: str,
) -> str:
    """One line for a person: what, where, which hours, why, and what to do next."""
    where = f"account {place.account_id}, region {place.region}"
    subject = f"{s3_uri} ({where})" if s3_uri else where
    hours = f"{format_instant(window.start)} to {format_instant(window.end)}"
    because = f" ({detail})" if detail else ""
    return f"{clause.what}: {subject}, {hours}{because}. Next: {next_step or clause.next_step}."
