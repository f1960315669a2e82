"""What every state store promises of the watched past: one suite for all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrity.chain.estate import ExpirationRule
from integrity.chain.findings import Outcome
from integrity.chain.seal import Seal, SealedDay, SealedMonth
from integrity.record import PastCounts
from integrity.service.ports import StateStore
from integrity.state import ConflictError
from integrity.structs import replace
from tests.stores.conftest import OpenStore
from tests.stores.specimens import (
    ARN,
    DAY,
    NOW,
    OTHER_ARN,
    chain_id,
    checkpoint,
    commit,
    run_summary,
    sha256,
)


def month(number: int = 0, at: datetime = NOW, days: int = 3) -> SealedMonth:
    chain, first = chain_id(number), at.replace(day=1, hour=0, minute=0)
    sealed = (
        SealedDay(
            day=first + DAY * n,
            due=first + DAY * n,
            seal=Seal(sha256("seal", number, n), 24, 72),
            digests=24,
            logs=72,
            tried=at,
            proven=at,
            outcome=Outcome.VALID,
        )
        for n in range(days)
    )
    return SealedMonth(
        account_id=chain.account_id,
        region=chain.region,
        month=first,
        days=tuple(sealed),
        listed=at,
    )


def test_of_a_trail_that_nobody_has_heard_of_no_month_is_known(store: StateStore) -> None:
    assert list(store.load_months(ARN)) == []


def test_what_was_committed_is_there_in_order(open_store: OpenStore) -> None:
    bare = SealedDay(day=NOW.replace(hour=0, minute=0), due=NOW)
    given = (month(1), month(0), replace(month(0, NOW - 30 * DAY), listed=None, days=(bare,)))
    open_store().commit(replace(commit(), months=given))
    assert list(open_store().load_months(ARN)) == [given[2], given[1], given[0]]
    assert list(open_store().load_months(OTHER_ARN)) == []


def test_what_did_not_change_stays_and_what_has_no_day_goes(store: StateStore) -> None:
    store.commit(replace(commit(), months=(month(0), month(1), month(2))))
    changed = replace(month(1), listed=NOW + DAY)
    store.commit(replace(commit(1), months=(changed, replace(month(2), days=()))))
    assert list(store.load_months(ARN)) == [month(0), changed]
    store.commit(replace(commit(2), months=(month(2),)))
    assert list(store.load_months(ARN)) == [month(0), changed, month(2)]


def test_a_commit_that_loses_changes_no_month(store: StateStore) -> None:
    store.commit(replace(commit(), months=(month(0),)))
    with pytest.raises(ConflictError):
        store.commit(replace(commit(), months=(replace(month(0), listed=None), month(1))))
    assert list(store.load_months(ARN)) == [month(0)]


def test_known_rules_and_counts_come_back(store: StateStore) -> None:
    rules = (
        ExpirationRule("a", "AWSLogs/", 365),
        ExpirationRule("b", "", None, datetime(2027, 1, 1, tzinfo=UTC)),
    )
    counts = PastCounts(90, 88, 3, 1, 2)
    run = replace(run_summary(), past=counts)
    store.commit(commit(state=replace(checkpoint(), rules=rules), run=run))
    kept = store.load(ARN).checkpoint
    assert kept is not None
    assert kept.rules == rules
    assert store.list_runs(ARN, limit=1)[0].past == counts


@pytest.mark.slow
def test_the_past_of_a_large_organization_fits(open_store: OpenStore) -> None:
    """Three hundred and forty chains, four months of thirty days each."""
    months = [
        month(number, NOW + timedelta(days=31 * back), 28)
        for number in range(340)
        for back in range(4)
    ]
    store = open_store()
    store.commit(replace(commit(), months=tuple(months)))
    kept = open_store().load_months(ARN)
    key = lambda one: (one.account_id, one.region, one.month)  # noqa: E731
    assert list(kept) == sorted(months, key=key)
