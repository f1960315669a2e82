"""Which findings are one matter: families of reasons, how they join, what can hide them.

A family holds the reasons that one act or one trouble shows itself by, now as one and later as
another, so that a matter is told once and gets worse rather than being told twice. It stays small
enough for its name to say what to do. Decided from a finding's own words and from whether its
neighbours could be read; to whom it matters is `policy`'s.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from integrity.chain.findings import Reason
from integrity.chain.times import DAY


class Cause(StrEnum):
    """A family of reasons."""

    DIGEST_ABSENT = "digest_absent"
    DIGEST_ALTERED = "digest_altered"
    DIGEST_LINK = "digest_link"
    LOG_ABSENT = "log_absent"
    LOG_ALTERED = "log_altered"
    LOG_UNREFERENCED = "log_unreferenced"
    HEAD = "head"
    TRAIL = "trail"
    GAP = "gap"
    UNREAD = "unread"
    UNLISTED = "unlisted"
    HIDDEN = "hidden"
    KEYS = "keys"
    ALGORITHM = "algorithm"
    UNPROVEN = "unproven"
    LIMIT = "limit"
    EXPIRED = "expired"
    EXPIRED_EARLY = "expired_early"
    NEW_CHAIN = "new_chain"
    STATE_LOST = "state_lost"
    RECORDS = "records"
    RULES = "rules"
    UNCONFIRMED = "unconfirmed"


class Nature(Struct, frozen=True, kw_only=True):
    """How the findings of a family behave.

    `reach`: so far apart two of them in one account and region may lie and still be one matter;
    None: however far. `by_tick`: every tick answers for it, whatever its window. `grows`: that
    there are twice as many is news. `is_past`: it is a fact of the past that cannot heal.
    `is_noted`: it is told once, neither reminded nor resolved.
    """

    reach: timedelta | None = timedelta(0)
    by_tick: bool = False
    grows: bool = False
    is_past: bool = False
    is_noted: bool = False


_OBJECTS = Nature(grows=True)
_STANDING = Nature(reach=None, by_tick=True)
_TROUBLE = Nature(reach=DAY)
_NOTED = Nature(reach=None, by_tick=True, is_noted=True)

NATURES: dict[Cause, Nature] = {
    Cause.DIGEST_ABSENT: _OBJECTS,
    Cause.DIGEST_ALTERED: _OBJECTS,
    Cause.DIGEST_LINK: _OBJECTS,
    Cause.LOG_ABSENT: _OBJECTS,
    Cause.LOG_ALTERED: _OBJECTS,
    Cause.LOG_UNREFERENCED: _OBJECTS,
    Cause.HEAD: _STANDING,
    Cause.TRAIL: _STANDING,
    Cause.GAP: Nature(is_past=True),
    Cause.UNREAD: _TROUBLE,
    Cause.UNLISTED: _STANDING,
    Cause.HIDDEN: _OBJECTS,
    Cause.KEYS: Nature(reach=None),
    Cause.ALGORITHM: _TROUBLE,
    Cause.UNPROVEN: _TROUBLE,
    Cause.LIMIT: _OBJECTS,
    Cause.EXPIRED: Nature(reach=None, is_past=True, is_noted=True),
    Cause.EXPIRED_EARLY: Nature(reach=DAY, grows=True, is_past=True),
    Cause.NEW_CHAIN: _NOTED,
    Cause.STATE_LOST: _NOTED,
    Cause.RECORDS: _STANDING,
    Cause.RULES: _STANDING,
    Cause.UNCONFIRMED: Nature(is_past=True, is_noted=True),
}

OF_REASON: dict[Reason, Cause] = {
    Reason.DIGEST_MISSING: Cause.DIGEST_ABSENT,
    Reason.DIGEST_LATE: Cause.DIGEST_ABSENT,
    Reason.OBJECT_EXPIRED: Cause.EXPIRED,
    Reason.DIGEST_MALFORMED: Cause.DIGEST_ALTERED,
    Reason.DIGEST_MOVED: Cause.DIGEST_ALTERED,
    Reason.DIGEST_CLAIM_MISMATCH: Cause.DIGEST_ALTERED,
    Reason.DIGEST_SIGNATURE_MISSING: Cause.DIGEST_ALTERED,
    Reason.DIGEST_SIGNATURE_INVALID: Cause.DIGEST_ALTERED,
    Reason.DIGEST_KEY_UNKNOWN: Cause.DIGEST_ALTERED,
    Reason.DIGEST_LINK_MISMATCH: Cause.DIGEST_LINK,
    Reason.DIGEST_UNPROVEN: Cause.UNPROVEN,
    Reason.LOG_MISSING: Cause.LOG_ABSENT,
    Reason.LOG_HASH_MISMATCH: Cause.LOG_ALTERED,
    Reason.LOG_MALFORMED: Cause.LOG_ALTERED,
    Reason.LOG_TRAILING_DATA: Cause.LOG_ALTERED,
    Reason.HEAD_REWOUND: Cause.HEAD,
    Reason.TRAIL_OFF: Cause.TRAIL,
    Reason.NO_DIGESTS: Cause.HEAD,
    Reason.CHAIN_GAP: Cause.GAP,
    Reason.HEAD_STALE: Cause.HEAD,
    Reason.LOG_UNREFERENCED: Cause.LOG_UNREFERENCED,
    Reason.ALGORITHM_UNSUPPORTED: Cause.ALGORITHM,
    Reason.OBJECT_UNREADABLE: Cause.UNREAD,
    Reason.KEYS_UNAVAILABLE: Cause.KEYS,
    Reason.LIMIT_EXCEEDED: Cause.LIMIT,
    Reason.EVENT_UNCONFIRMED: Cause.UNCONFIRMED,
}
"""What a reason belongs to, as far as it alone decides. `digest_foreign` is always a note."""

_LOGS = frozenset(
    {
        Reason.LOG_MISSING,
        Reason.LOG_HASH_MISMATCH,
        Reason.LOG_MALFORMED,
        Reason.LOG_TRAILING_DATA,
    }
)
_BESIDE = frozenset(
    {
        Reason.TRAIL_OFF,
        Reason.LOG_UNREFERENCED,
        Reason.DIGEST_FOREIGN,
        Reason.EVENT_UNCONFIRMED,
    }
)
_BEFORE_LOGS = frozenset(Reason) - _BESIDE - _LOGS


def hiding(cause: Cause) -> frozenset[Reason]:
    """What, in the same hours of the same chain, keeps a thing from being found though it is there.

    A digest that is gone or doubtful hides all that its log files are; who alters a log file and
    then removes its digest has mended nothing.
    """
    if cause in (Cause.LOG_ABSENT, Cause.LOG_ALTERED):
        return _BEFORE_LOGS | _LOGS
    if cause is Cause.HEAD:
        return frozenset({Reason.OBJECT_UNREADABLE})
    return _BEFORE_LOGS
