"""What a reason means for the person who is told of it: how sure, what is in doubt, what not to do.

Words alone, one entry for each reason, the service's own included. What was compared with what is
in docs/checks.md, what to do at length in docs/operations.md. What is undetermined never sounds
like tampering.
"""

from __future__ import annotations

from msgspec import Struct

from integrity.chain.findings import CLAUSES, Reason
from integrity.incidents.causes import Cause
from integrity.incidents.tick import Remark
from integrity.state import Audience
from integrity.structs import replace


class Advice(Struct, frozen=True, kw_only=True):
    """Sentences about one reason. `what` has no full stop, it begins a sentence."""

    what: str
    sure: str
    doubt: str
    do: str
    do_not: str


_CONFIRMED = (
    "Confirmed: everything that is called INVALID was read a second time before it was said"
)
_CONTRADICTED = (
    "Sure: the bucket contradicts what AWS says it delivered, or what an earlier run proved"
)
_TROUBLE = (
    "Undetermined: it could not be read or judged, which says nothing about what is in it; trouble "
    "is never taken for evidence"
)
_UNCOVERED = (
    "Undetermined: no signature covers it, so it can be neither proven nor refuted; AWS or an "
    "administrator may explain it"
)

_LOGS_OF_HOUR = (
    "every log file of these hours: nobody vouches for them now, also where they are unchanged"
)
_THESE_LOGS = "the events in these log files; the others of these hours are judged on their own"
_UNPROVEN = "nothing so far; these hours are not proven until it can be read"

_KEEP = (
    "do not delete, overwrite or restore anything in place before all versions of the objects and "
    "their metadata have been copied elsewhere, and do not stop the trail"
)
_NO_ALARM = (
    "do not take it for tampering, do not copy files back by hand, and do not give more rights "
    "than the detail names"
)
_NO_RESTART = (
    "do not delete the trail or make it anew, which forgets when it was stopped, and do not empty "
    "the bucket"
)


def _of_digest(reason: Reason, doubt: str = _LOGS_OF_HOUR) -> Advice:
    return _of(reason, sure=_CONFIRMED, doubt=doubt, do_not=_KEEP)


def _of_log(reason: Reason) -> Advice:
    return _of(reason, sure=_CONFIRMED, doubt=_THESE_LOGS, do_not=_KEEP)


def _of(reason: Reason, *, sure: str, doubt: str, do_not: str) -> Advice:
    clause = CLAUSES[reason]
    return Advice(what=clause.what, sure=sure, doubt=doubt, do=clause.next_step, do_not=do_not)


_ADVICE: dict[str, Advice] = {
    Reason.DIGEST_MISSING: _of_digest(Reason.DIGEST_MISSING),
    Reason.DIGEST_LATE: _of(Reason.DIGEST_LATE, sure=_TROUBLE, doubt=_UNPROVEN, do_not=_NO_ALARM),
    Reason.OBJECT_EXPIRED: _of(
        Reason.OBJECT_EXPIRED,
        sure="Undetermined: a lifecycle rule explains it; who may write rules may also delete",
        doubt="nothing by itself; what has expired can no longer be proven from this bucket",
        do_not="do not shorten the rule further, and do not verify this period as if it were whole",
    ),
    Reason.DIGEST_MALFORMED: _of_digest(Reason.DIGEST_MALFORMED),
    Reason.DIGEST_MOVED: _of_digest(Reason.DIGEST_MOVED),
    Reason.DIGEST_CLAIM_MISMATCH: _of_digest(Reason.DIGEST_CLAIM_MISMATCH),
    Reason.DIGEST_SIGNATURE_MISSING: _of_digest(
        Reason.DIGEST_SIGNATURE_MISSING,
        "the log files of these hours, unless the next digest states the signature: then they were "
        "checked all the same",
    ),
    Reason.DIGEST_SIGNATURE_INVALID: _of_digest(Reason.DIGEST_SIGNATURE_INVALID),
    Reason.DIGEST_KEY_UNKNOWN: _of_digest(Reason.DIGEST_KEY_UNKNOWN),
    Reason.DIGEST_LINK_MISMATCH: _of_digest(
        Reason.DIGEST_LINK_MISMATCH,
        "both digests and the log files that they name: each is signed, and they contradict each "
        "other",
    ),
    Reason.DIGEST_UNPROVEN: _of(
        Reason.DIGEST_UNPROVEN, sure=_TROUBLE, doubt=_UNPROVEN, do_not=_NO_ALARM
    ),
    Reason.LOG_MISSING: _of_log(Reason.LOG_MISSING),
    Reason.LOG_HASH_MISMATCH: _of_log(Reason.LOG_HASH_MISMATCH),
    Reason.LOG_MALFORMED: _of_log(Reason.LOG_MALFORMED),
    Reason.LOG_TRAILING_DATA: _of_log(Reason.LOG_TRAILING_DATA),
    Reason.HEAD_REWOUND: _of(
        Reason.HEAD_REWOUND,
        sure=_CONTRADICTED,
        doubt="everything after the newest digest that is left, log files included",
        do_not=_KEEP,
    ),
    Reason.TRAIL_OFF: _of(
        Reason.TRAIL_OFF,
        sure="Undetermined for the log files, but sure in itself: AWS says so about its own trail",
        doubt="whatever happens while it is off: it is not logged, or not signed",
        do_not=_NO_RESTART,
    ),
    Reason.NO_DIGESTS: _of(
        Reason.NO_DIGESTS,
        sure=_UNCOVERED,
        doubt="the whole window in this account and region",
        do_not=_NO_RESTART,
    ),
    Reason.CHAIN_GAP: _of(
        Reason.CHAIN_GAP,
        sure=_UNCOVERED,
        doubt="what happened in this time: log files of it have no signature",
        do_not=_NO_RESTART,
    ),
    Reason.HEAD_STALE: _of(
        Reason.HEAD_STALE,
        sure=_UNCOVERED,
        doubt="what has happened since the newest digest",
        do_not=_NO_RESTART,
    ),
    Reason.DIGEST_FOREIGN: _of(
        Reason.DIGEST_FOREIGN,
        sure="A note: it lies there, and no trail's digest is like it",
        doubt="nothing",
        do_not="do not delete it before somebody has said whose it is",
    ),
    Reason.LOG_UNREFERENCED: _of(
        Reason.LOG_UNREFERENCED,
        sure=(
            "Undetermined: every digest that could name it was read and names it not; a backfill "
            "may still do so"
        ),
        doubt="the events in these log files, and in nothing else",
        do_not="do not delete it before it has been copied with its metadata and versions",
    ),
    Reason.ALGORITHM_UNSUPPORTED: _of(
        Reason.ALGORITHM_UNSUPPORTED, sure=_TROUBLE, doubt=_UNPROVEN, do_not=_NO_ALARM
    ),
    Reason.OBJECT_UNREADABLE: _of(
        Reason.OBJECT_UNREADABLE, sure=_TROUBLE, doubt=_UNPROVEN, do_not=_NO_ALARM
    ),
    Reason.KEYS_UNAVAILABLE: _of(
        Reason.KEYS_UNAVAILABLE, sure=_TROUBLE, doubt=_UNPROVEN, do_not=_NO_ALARM
    ),
    Reason.LIMIT_EXCEEDED: _of(
        Reason.LIMIT_EXCEEDED,
        sure="Undetermined: it was not read to its end, because it is larger than is safe",
        doubt="this object; CloudTrail's own are far smaller",
        do_not="do not raise the bound before somebody has looked at the object elsewhere",
    ),
    Reason.EVENT_UNCONFIRMED: _of(
        Reason.EVENT_UNCONFIRMED,
        sure="Undetermined: all log files of these hours are proven, and none of them holds it; "
        "what was seen live is signed by nobody",
        doubt="this event: either it never happened, or CloudTrail did not record it",
        do_not="do not count on the event before the Event history shows it, and do not pass over "
        "it either",
    ),
    Remark.NEW_CHAIN: Advice(
        what="new chain of digests has begun",
        sure="A note: its first digest is signed, and nothing older of it was ever there",
        doubt="nothing; what happened before it is not covered",
        do="see whether the account or region was added on purpose",
        do_not="do not ignore it where nobody added an account or region",
    ),
    Remark.STATE_LOST: Advice(
        what="what earlier ticks knew of this trail is lost, or older than the records",
        sure="Sure: the records name a newer state than the one that was found",
        doubt="whether digests that were there before still are: until known again, one that was "
        "deleted on its first day is only late",
        do="restore the state, or verify the time since the last record with integrity verify",
        do_not="do not delete the records: they alone tell now what was proven",
    ),
    Remark.RECORDS_UNREADABLE: Advice(
        what="records of earlier runs cannot be read or written",
        sure="Sure: the place of the records did not answer as it should",
        doubt="whether the state is the newest one; verdicts are not touched by it",
        do="mend what the detail names: permission, key, name of the bucket or folder",
        do_not="do not point the service at an empty place to make it quiet",
    ),
    Remark.RULE_STOPPED: Advice(
        what="rules were stopped, or could not be given every event",
        sure="Sure: what the detail names was stopped; verdicts are not touched by it",
        doubt="whether events of this tick should have been told; the next ticks ask again for as "
        "long as they look back",
        do="mend the rule that the detail names, and try it with integrity rules test",
        do_not="do not raise the bounds to make it quiet: a rule that needs a second for one event "
        "needs hours for a busy day",
    ),
}


_HIDDEN = replace(
    _ADVICE[Reason.OBJECT_UNREADABLE],
    sure=(
        "Undetermined, but out of the ordinary: other files of the same chain and day can be read, "
        "and this one cannot"
    ),
    doubt="what is in this object, and in the log files under it if it is a digest file",
    do="find who wrote it or changed the right to read it (S3 data events, object versions, key)",
    do_not=_KEEP,
)
_EARLY = replace(
    _ADVICE[Reason.OBJECT_EXPIRED],
    sure=(
        "Undetermined: a lifecycle rule explains it, but a younger object than should expire, or a "
        "rule that was not known"
    ),
    do="find who wrote the rule (PutBucketLifecycleConfiguration in the Event history)",
    do_not="do not take the rule for granted, and do not delete what is left of this period",
)


def advice_for(reason: str, cause: str, audience: Audience) -> Advice:
    """The sentences about a reason, a finding's or the service's own, for who is told of it."""
    if reason == Reason.OBJECT_UNREADABLE and audience is Audience.SECURITY:
        return _HIDDEN
    return _EARLY if cause == Cause.EXPIRED_EARLY else _ADVICE[reason]
