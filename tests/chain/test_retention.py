"""What a lifecycle rule can have removed, and what it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrity.chain.estate import ExpirationRule
from integrity.chain.retention import expiry_of

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/x"


@pytest.mark.parametrize(
    ("rule", "before"),
    [
        (ExpirationRule("days", "AWSLogs/", 7), NOW - 7 * DAY),
        (ExpirationRule("other prefix", "Config/", 7), None),
        (ExpirationRule("longer prefix", f"{KEY}/y", 7), None),
        (ExpirationRule("dated", "", date=NOW - DAY), NOW),
        (ExpirationRule("dated ahead", "", date=NOW + DAY), None),
        (ExpirationRule("longer than time itself", "", 2**31 - 1), NOW - 36_500 * DAY),
    ],
    ids=lambda value: value.rule_id if isinstance(value, ExpirationRule) else "",
)
def test_a_rule_reaches_so_far(rule: ExpirationRule, before: datetime | None) -> None:
    expiry = expiry_of([rule], KEY, NOW)
    assert (expiry.before if expiry is not None else None) == before


def test_of_several_rules_the_furthest_counts() -> None:
    rules = [ExpirationRule("slow", "", 90), ExpirationRule("fast", "AWSLogs/", 30)]
    expiry = expiry_of(rules, KEY, NOW)
    assert expiry is not None
    assert expiry.detail == "lifecycle rule 'fast': expires after 30 days, below AWSLogs/"


def test_a_rule_is_told_by_its_date_and_reach() -> None:
    expiry = expiry_of([ExpirationRule("once", "", date=NOW - DAY)], KEY, NOW)
    assert expiry is not None
    assert expiry.detail == "lifecycle rule 'once': expires on 2026-03-09T00:00:00Z, everywhere"


def test_a_day_is_one() -> None:
    expiry = expiry_of([ExpirationRule("daily", "", 1)], KEY, NOW)
    assert expiry is not None
    assert "after 1 day," in expiry.detail
