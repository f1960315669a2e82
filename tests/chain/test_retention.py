"""What a lifecycle rule can have removed, and what it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrity.chain.estate import ExpirationRule
from integrity.chain.retention import expiry_of, is_covered, left_alone

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


SIXTY = ExpirationRule("sixty", "AWSLogs/", 60)
ONCE = ExpirationRule("once", "", date=NOW + DAY)


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        (ExpirationRule("renamed", "AWSLogs/", 60), True),
        (ExpirationRule("longer", "AWSLogs/", 61), True),
        (ExpirationRule("narrower", "AWSLogs/111122223333/", 60), True),
        (ExpirationRule("shorter", "AWSLogs/", 59), False),
        (ExpirationRule("wider", "", 60), False),
        (ExpirationRule("dated", "AWSLogs/", date=NOW), False),
        (ONCE, True),
        (ExpirationRule("on another day", "", date=NOW), False),
    ],
    ids=lambda value: value.rule_id if isinstance(value, ExpirationRule) else "",
)
def test_a_rule_is_known_that_takes_nothing_earlier_than_a_known_one(
    rule: ExpirationRule,
    covered: bool,  # noqa: FBT001 - pytest hands it over by name
) -> None:
    assert is_covered(rule, [ONCE, SIXTY]) is covered


@pytest.mark.parametrize(
    ("rules", "since"),
    [
        ([SIXTY], NOW - 57 * DAY),
        ([SIXTY, ExpirationRule("short", f"{KEY}/y", 30)], NOW - 27 * DAY),
        ([ONCE], NOW + 3 * DAY),
        ([ExpirationRule("far ahead", "", date=NOW + 4 * DAY)], None),
        ([ExpirationRule("elsewhere", "Config/", 1)], None),
        ([], None),
    ],
)
def test_what_is_about_to_go_is_left_alone(
    rules: list[ExpirationRule], since: datetime | None
) -> None:
    assert left_alone(rules, KEY, NOW, margin=3 * DAY) == since
