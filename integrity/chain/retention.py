"""Whether a bucket's own lifecycle can have removed an object: retention, which is no tampering.

Decided from the enabled expiration rules, the object's key and the earliest time at which it can
have been written. S3 expires an object at a midnight after its days are over, so what is younger
was taken away by somebody else. It is no proof either: who may write rules may also delete.
(AWS: S3 User Guide, Expiring objects.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrity.chain.estate import ExpirationRule
from integrity.chain.times import format_instant

_LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Expiry:
    """A rule has removed, or may have, everything under its prefix written before `before`."""

    rule: ExpirationRule
    before: datetime

    @property
    def detail(self) -> str:
        """The rule, for a person."""
        rule = self.rule
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


def _before(rule: ExpirationRule, now: datetime) -> datetime | None:
    if rule.days is not None:
        return now - timedelta(days=min(rule.days, _LONGEST_DAYS))
    # On its date, and every day from then on, S3 expires all that the rule matches.
    return now if rule.date is not None and rule.date <= now else None
