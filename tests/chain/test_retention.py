"""What a bucket's lifecycle can have removed."""

from __future__ import annotations

from datetime import datetime

import pytest

from integrity.chain.estate import ExpirationRule
from integrity.chain.retention import Expiry, expiry_of
from tests.chain.specimens import at

NOW = at(240)
KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/a.json.gz"


def rule(prefix: str = "", days: int | None = None, date: datetime | None = None) -> ExpirationRule:
    return ExpirationRule("a rule", prefix, days, date)


def test_days_count_back_from_now() -> None:
    assert expiry_of([rule(days=3)], KEY, NOW) == Expiry(rule(days=3), at(240 - 72))


def test_more_days_than_a_date_can_be_put_back_reach_nothing() -> None:
    expiry = expiry_of([rule(days=2**31 - 1)], KEY, NOW)

    assert expiry is not None
    assert expiry.before.year < 2006


@pytest.mark.parametrize(
    ("date", "before"), [(at(200), NOW), (NOW, NOW), (at(241), None)], ids=["past", "now", "later"]
)
def test_from_its_date_on_a_rule_removes_everything(
    date: datetime, before: datetime | None
) -> None:
    expiry = expiry_of([rule(date=date)], KEY, NOW)

    assert (expiry.before if expiry is not None else None) == before


def test_a_rule_without_days_or_a_date_removes_nothing() -> None:
    assert expiry_of([rule()], KEY, NOW) is None


def test_the_rule_that_reaches_furthest_speaks() -> None:
    rules = [rule(days=5), rule("AWSLogs/", days=2), rule("Config/", days=1)]

    expiry = expiry_of(rules, KEY, NOW)

    assert expiry is not None
    assert expiry.rule is rules[1]
    assert expiry_of(rules[2:], KEY, NOW) is None
    assert expiry_of([], KEY, NOW) is None


def test_it_is_said_with_the_rule_its_time_and_its_place() -> None:
    dated = rule("AWSLogs/", date=at(0))

    assert Expiry(rule(days=3), NOW).detail == "lifecycle rule 'a rule': expires 3 days, everywhere"
    assert Expiry(dated, NOW).detail == (
        "lifecycle rule 'a rule': expires on 2026-03-01T00:00:00Z, below AWSLogs/"
    )
