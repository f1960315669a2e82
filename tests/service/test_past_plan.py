"""Which past days are watched, listed and read, and when: values alone."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from integrity.chain.findings import Outcome
from integrity.chain.known import KnownChain
from integrity.chain.model import ChainKind
from integrity.chain.seal import Seal, SealedDay, SealedMonth
from integrity.service.past import Past, PastPolicy
from integrity.structs import replace
from integrity.verify.days import DayKey
from tests.stores.specimens import DAY, HOUR, NOW, chain_id, known_chain

TODAY = NOW.replace(hour=0, minute=0)
SPREAD = 5 * HOUR
MONTHLY = PastPolicy(reprove_days=30)


def renewed(past: Past, *chains: KnownChain) -> Past:
    past.renew(chains or [known_chain(0, 60)], {}, spread=SPREAD)
    return past


def read(past: Past, now: datetime, keys: list[DayKey]) -> None:
    for key in keys:
        seal = Seal("sealed", 24, 72)
        past.put(
            key,
            replace(
                past.days[key], seal=seal, tried=now, proven=now, outcome=Outcome.VALID, digests=24
            ),
        )


def ages(past: Past) -> list[int]:
    return sorted((TODAY - day) // DAY for _, _, day in past.days)


def later(past: Past, months: tuple[SealedMonth, ...], now: datetime, policy: PastPolicy) -> Past:
    """As the next tick finds it: what changed has been kept."""
    kept = {(one.account_id, one.region, one.month): one for one in months}
    kept |= {(one.account_id, one.region, one.month): one for one in past.changed()}
    return Past([one for one in kept.values() if one.days], policy, now)


def test_a_watch_begins_with_every_day_that_has_ended() -> None:
    past = renewed(Past([], MONTHLY, NOW))
    assert ages(past) == list(range(1, 91))
    [one, other] = past.due_first(), past.due_again(HOUR)
    assert [(TODAY - day) // DAY for _, _, day in one] == [2, 1]
    assert other == []


def test_what_is_never_read_again_is_not_read_for_the_first_time_either() -> None:
    past = renewed(Past([], PastPolicy(reprove_days=0), NOW))
    assert ages(past) == [1, 2]
    read(past, NOW, past.due_first())
    assert past.due_again(DAY) == []
    assert len(past.changed()) == 1


def test_days_that_nobody_knows_of_are_not_read_at_once() -> None:
    new = known_chain(0, 30)
    assert ages(renewed(Past([], PastPolicy(reprove_days=0), NOW), new)) == [1]


def test_of_what_has_no_head_or_is_a_backfill_there_are_no_days() -> None:
    known = known_chain(0, 60)
    late = replace(known, chain=replace(known.chain, kind=ChainKind.BACKFILL))
    other = replace(known_chain(1, 60), head=None)
    assert renewed(Past([], MONTHLY, NOW), late, other).days == {}


def test_of_a_chain_that_ended_there_are_no_days_after_its_head() -> None:
    ended = known_chain(0, 60, NOW - 10 * DAY)
    assert ages(renewed(Past([], MONTHLY, NOW), ended)) == list(range(10, 91))


def test_what_retention_takes_is_let_go_of_and_not_taken_in_again() -> None:
    pair = (chain_id(0).account_id, chain_id(0).region)
    past = renewed(Past([], MONTHLY, NOW))
    floors = {pair: TODAY - 20 * DAY + HOUR}
    past.renew([known_chain(0, 60)], floors, spread=SPREAD)
    assert ages(past) == list(range(1, 20))
    assert ages(later(past, (), NOW, MONTHLY)) == list(range(1, 20))


def test_a_month_whose_days_are_all_too_old_is_given_back_empty() -> None:
    past = renewed(Past([], MONTHLY, NOW))
    kept = past.changed()
    after = renewed(Past(kept, MONTHLY, NOW + 40 * DAY))
    assert [len(one.days) for one in after.changed() if one.month < TODAY - 80 * DAY] == [0]


def test_each_day_is_read_soon_after_its_end_and_at_its_own_time() -> None:
    dues = set()
    for number in range(0, 17 * 40, 17):
        past = renewed(Past([], PastPolicy(reprove_days=0), NOW), known_chain(number, 60))
        [day] = [one for one in past.days.values() if one.day == TODAY - DAY]
        dues.add(day.due - TODAY)
    assert 2 * HOUR <= min(dues) < 3 * HOUR
    assert 6 * HOUR < max(dues) <= 7 * HOUR


def test_regions_of_one_account_are_read_together() -> None:
    past = renewed(Past([], MONTHLY, NOW), known_chain(0, 60), known_chain(1, 60))
    yesterday = {key: day.due for key, day in past.days.items() if day.day == TODAY - DAY}
    assert len(yesterday) == 2
    assert len(set(yesterday.values())) == 1


def test_a_sealed_day_is_listed_once_a_day_whenever_ticks_come() -> None:
    months: tuple[SealedMonth, ...] = ()
    past = renewed(Past([], MONTHLY, NOW))
    read(past, NOW, list(past.days))
    listed: Counter[DayKey] = Counter()
    for hour in range(24 * 4):
        now = NOW + HOUR * hour
        past = later(past, months, now, MONTHLY)
        months = tuple(past._before.values())
        due = past.due_listings()
        if hour >= 24:
            listed.update(due)
        past.note_listed(due, [])
    assert len(listed) == 90
    assert set(listed.values()) == {3}


def test_a_month_in_which_something_is_left_to_do_stays_due() -> None:
    past = renewed(Past([], MONTHLY, NOW))
    read(past, NOW, list(past.days))
    due = past.due_listings()
    assert len(due) == 90
    past.note_listed(due, due[:1])
    assert {day.month for _, _, day in past.due_listings()} == {due[0][2].month}
    assert due[0] in past.due_listings()


def simulate(chains: int, days: int, policy: PastPolicy, gap: range = range(0)) -> list[int]:
    """How many days are read in each tick of so many days, if nothing ticks in `gap`."""
    past = renewed(Past([], policy, NOW), *(known_chain(number, 60) for number in range(chains)))
    months: tuple[SealedMonth, ...] = ()
    number, last, longest = [], NOW - HOUR, timedelta(0)
    for hour in range(24 * days):
        if hour in gap:
            continue
        now = NOW + HOUR * hour
        past = later(past, months, now, policy)
        months = tuple(past._before.values())
        due = [*past.due_first(), *past.due_again(now - last)]
        for key in due:
            proven = past.days[key].proven
            longest = max(longest, now - (proven or NOW))
        read(past, now, due)
        number.append(len(due))
        last = now
    if not gap:
        assert longest <= policy.reprove_days * DAY
    assert all(day.proven is not None for day in past.days.values())
    return number


@pytest.mark.parametrize("chains", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_days_are_read_evenly_and_none_later_than_it_may(chains: int) -> None:
    ticks = simulate(chains, 58, MONTHLY)
    steady = ticks[24 * 30 :]
    rate = chains * 90 / (27 * 24)
    assert max(steady) <= max(2, 4 * rate + 1)
    assert sum(steady) <= 1.2 * rate * len(steady)


def test_after_a_long_sleep_there_is_no_storm() -> None:
    ticks = simulate(1, 58, MONTHLY, range(24 * 28, 24 * 48))
    assert max(ticks[24 * 28 :]) <= 20


def test_an_empty_day_before_everything_is_none_to_watch() -> None:
    past = renewed(Past([], MONTHLY, NOW))
    key = min(past.days)
    empty = replace(past.days[key], seal=Seal("", 0, 0), outcome=Outcome.VALID, tried=NOW)
    past.put(key, replace(empty, outcome=Outcome.INVALID))
    assert key in past.days
    past.put(key, empty)
    assert key not in past.days


def test_a_person_settles_what_is_missed() -> None:
    bare = SealedDay(day=TODAY - DAY, due=NOW)
    short = replace(bare, day=TODAY - 2 * DAY, seal=Seal("", 1, 2), digests=3, logs=4)
    account_id, region = chain_id(0).account_id, chain_id(0).region
    month = SealedMonth(
        account_id=account_id, region=region, month=TODAY.replace(day=1), days=(short, bare)
    )
    past = Past([month], MONTHLY, NOW)
    past.settle()
    assert [day.lacks for day in past.days.values()] == [(0, 0), (0, 0)]
    assert past.days[account_id, region, bare.day] == bare
