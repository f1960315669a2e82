"""Whom a cause concerns, and after how much patience. Every number is configuration.

Decided from a cause alone, as docs/operations.md tells it: what contradicts itself, what is
switched off and what was hidden is for security at once; trouble is for operations when it stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct, field

from integrity.chain.times import DAY
from integrity.incidents.causes import Cause
from integrity.state import Audience
from integrity.structs import replace


class Policy(Struct, frozen=True, kw_only=True):
    """How patient the service is, and who is told.

    `head_ticks` and `trouble_ticks` are ticks in a row. A log file that no digest names is told
    `unreferenced_after` its hour has closed, a single object that cannot be read beside others that
    can after `unreadable_after`. What expires younger than `retention_days`, or under a lifecycle
    rule that is none of `known_rules` (None: nobody keeps them), is no retention. `remind_every`
    a reminder is sent; of facts of the past, which cannot heal, for `past_days`. `audiences`
    replaces a reason's, its patience stays; an empty tuple tells nobody.
    """

    head_ticks: int = 2
    trouble_ticks: int = 3
    unreferenced_after: timedelta = DAY
    unreadable_after: timedelta = DAY
    retention_days: int = 90
    known_rules: tuple[str, ...] | None = None
    remind_every: timedelta = DAY
    past_days: int = 30
    audiences: Mapping[str, tuple[Audience, ...]] = field(default_factory=dict)


class Route(Struct, frozen=True, kw_only=True):
    """An audience and the patience before it is told: all of it has to be over.

    `ticks` in a row found it; `age` since it was first seen; `closed` since its first hour ended.
    `is_single`: only for objects that stay unreadable beside readable ones.
    """

    audience: Audience
    ticks: int = 1
    age: timedelta = timedelta(0)
    closed: timedelta | None = None
    is_single: bool = False


_NOBODY_WAITS = (Route(audience=Audience.SECURITY),)
_TOLD_ONCE = (Route(audience=Audience.OPERATIONS),)


def routes(cause: Cause, reason: str, policy: Policy) -> tuple[Route, ...]:
    """Who is told of an incident, and when. No two routes for the same audience and patience."""
    own = _routes(cause, reason, policy)
    audiences = policy.audiences.get(reason)
    if audiences is None:
        return own
    return tuple(dict.fromkeys(replace(route, audience=one) for route in own for one in audiences))


def _routes(cause: Cause, reason: str, policy: Policy) -> tuple[Route, ...]:
    trouble = Route(audience=Audience.OPERATIONS, ticks=policy.trouble_ticks)
    match cause:
        case Cause.HEAD if reason != "head_rewound":
            return (Route(audience=Audience.SECURITY, ticks=policy.head_ticks),)
        case Cause.LOG_UNREFERENCED:
            return (Route(audience=Audience.SECURITY, closed=policy.unreferenced_after),)
        case Cause.UNREAD:
            single = Route(audience=Audience.SECURITY, age=policy.unreadable_after, is_single=True)
            return (trouble, single)
        case Cause.DIGEST_ABSENT if reason == "digest_late":
            return (trouble,)
        case Cause.UNLISTED | Cause.KEYS | Cause.ALGORITHM | Cause.UNPROVEN:
            return (trouble,)
        case Cause.EXPIRED | Cause.NEW_CHAIN | Cause.STATE_LOST | Cause.RECORDS | Cause.RULES:
            return _TOLD_ONCE
        case _:
            return _NOBODY_WAITS
