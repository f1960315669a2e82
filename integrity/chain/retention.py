"""Whether a bucket's own lifecycle can have removed an object: retention, which is no tampering.

Decided from the enabled expiration rules, the object's key and the earliest time at which it can
have been written. S3 expires an object at a midnight after its days are over, so what is younger
was taken away by somebody else. It is no proof either: who may write rules may also delete.
(AWS: S3 User Guide, Expiring objects.)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from integrity.chain.estate import ExpirationRule
from integrity.chain.times import format_instant

_LONGEST_DAYS = 36_500


class Expiry(Struct, frozen=True):
    """A rule has removed, or may have, everything under its prefix written before `before`."""

    rule: ExpirationRule
    before: datetime

    @property
    def detail(self) -> str:
        """The rule, for a person."""
        return describe(self.rule)


def describe(rule: ExpirationRule) -> str:
    """A rule, for a person."""
    days = f"after {rule.days} {'day' if rule.days == 1 else 'days'}"
    when = days if rule.date is None else f"on {format_instant(rule.date)}"
    where = f"below {rule.prefix}" if rule.prefix else "everywhere"
    return f"lifecycle rule {rule.rule_id!r}: expires {when}, {where}"


def expiry_of(rules: Iterable[ExpirationRule], key: str, now: datetime) -> Expiry | None:
    """The rule that reaches furthest for a key, or for a whole folder; None: none matches it."""
    expiries = [
        Expiry(rule, before)
        for rule in rules
        if key.startswith(rule.prefix) and (before := _before(rule, now)) is not None
    ]
    return max(expiries, key=lambda expiry: expiry.before, default=None)


def is_covered(rule: ExpirationRule, known: Iterable[ExpirationRule]) -> bool:
    """Whether one of the known rules removes all that this one does, and as early."""
    return any(
        rule.prefix.startswith(one.prefix)
        and (rule.date == one.date if rule.days is None else _days(one) <= rule.days)
        for one in known
    )


def left_alone(
    rules: Iterable[ExpirationRule], folder: str, now: datetime, *, margin: timedelta
) -> datetime | None:
    """What was written in a folder before this time is gone, or will be within `margin`.

    None where no rule touches the folder. Expiry comes at a midnight and runs late: what is about
    to go is nobody's to miss.
    """
    touching = (
        rule for rule in rules if folder.startswith(rule.prefix) or rule.prefix.startswith(folder)
    )
    times = (_before(rule, now + margin) for rule in touching)
    return max((time for time in times if time is not None), default=None)


def _days(rule: ExpirationRule) -> int:
    return _LONGEST_DAYS if rule.days is None else rule.days


def _before(rule: ExpirationRule, now: datetime) -> datetime | None:
    if rule.days is not None:
        return now - timedelta(days=min(rule.days, _LONGEST_DAYS))
    # On its date, and every day from then on, S3 expires all that the rule matches.
    return now if rule.date is not None and rule.date <= now else None
