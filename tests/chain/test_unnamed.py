"""Log files that no digest names: what can be said of them once the digests were read."""

from __future__ import annotations

from datetime import datetime

import pytest

from integrity.chain.link import Entry, Standing
from integrity.chain.model import Listed, Root, TimeWindow
from integrity.chain.times import format_minute_stamp
from integrity.chain.unnamed import Claim, Unnamed, Vouchers, judge_unnamed, unnamed, vouchers
from tests.chain.specimens import CHAIN, at, entry, hours, location, run_of

MINUTE = 1 / 60
COVERED = Vouchers(doubtful=(), vouched=(hours(0, 24),), newest=(at(24),))
LATER = at(24 * 60)


def listed(named: float, modified: float, *, day: int = 1) -> Listed:
    """A log file named for an hour of March, last modified at another."""
    key = (
        f"AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/{day:02}/"
        f"111122223333_CloudTrail_us-east-1_{format_minute_stamp(at(named))}_aB3dE5fG7hJ9kL1m"
        ".json.gz"
    )
    return Listed(location(key), 1000, at(modified))


def log(named: float | None, modified: float) -> Unnamed:
    named_for = None if named is None else at(named)
    return Unnamed(listed(named or 0, modified), named_for)


def own(one: Listed) -> Unnamed:
    return unnamed(one, (CHAIN.root,), CHAIN.account_id, CHAIN.region)


# What a name is worth


def test_a_name_in_its_place_is_the_time_of_a_log_file() -> None:
    one = listed(5.25, 5.5)

    assert own(one) == Unnamed(one, at(5.25))
    assert own(one).time == at(5.25)
    assert own(one).windows() == [
        hours(5.25 - 10 * MINUTE, 5.25 + 10 * MINUTE),
        hours(5.5, 5.5),
    ]


@pytest.mark.parametrize(
    "one",
    [
        listed(7, 5.9),
        listed(5.25, 5.5, day=2),
        Listed(location("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/x"), 1, at(5.5)),
    ],
    ids=["written before its events", "in another day's folder", "no name"],
)
def test_a_name_that_is_not_credible_says_nothing(one: Listed) -> None:
    assert own(one).named_for is None
    assert own(one).time == one.last_modified
    assert own(one).windows() == [TimeWindow(one.last_modified, one.last_modified)]


def test_a_clock_may_be_an_hour_off() -> None:
    assert own(listed(6.5, 5.5)).named_for == at(6.5)
    assert own(listed(6.5 + MINUTE, 5.5)).named_for is None


@pytest.mark.parametrize(
    ("root", "account_id", "region"),
    [
        (Root("other-logs"), CHAIN.account_id, CHAIN.region),
        (CHAIN.root, "999988887777", CHAIN.region),
        (CHAIN.root, CHAIN.account_id, "eu-west-1"),
    ],
)
def test_a_name_from_elsewhere_says_nothing(root: Root, account_id: str, region: str) -> None:
    assert unnamed(listed(5.25, 5.5), (root,), account_id, region).named_for is None


def test_a_trail_that_moved_has_more_roots_than_one() -> None:
    roots = (Root("trail-logs", "", "o-a1b2c3d4e5"), CHAIN.root)

    assert unnamed(listed(5.25, 5.5), roots, CHAIN.account_id, CHAIN.region).named_for == at(5.25)


# Judgement


def test_a_log_file_whose_digests_do_not_name_it_is_unreferenced() -> None:
    assert judge_unnamed(log(5.25, 5.5), COVERED, LATER) is Claim.UNREFERENCED
    assert judge_unnamed(log(None, 5.5), COVERED, LATER) is Claim.UNREFERENCED


@pytest.mark.parametrize(
    ("doubtful", "excused"),
    [
        (hours(4, 5.25), True),
        (hours(5.25 + 10 * MINUTE, 7), True),
        (hours(3, 5.25 - 11 * MINUTE), False),
        (hours(8, 9), True),
        (hours(8.5, 9), True),
        (hours(8.6, 9), False),
        (hours(10, 11), False),
    ],
)
def test_a_doubtful_digest_over_its_name_or_its_delivery_leaves_it_unattested(
    doubtful: TimeWindow, *, excused: bool
) -> None:
    """Its name is 05:15, it was delivered at 08:30."""
    read = Vouchers((doubtful,), (hours(0, 24),), (at(24),))

    claim = judge_unnamed(log(5.25, 8.5), read, LATER)

    assert claim is (Claim.UNATTESTED if excused else Claim.UNREFERENCED)


def pending(delivered: float, now: float, named: float, newest: datetime | None) -> Claim:
    read = Vouchers((), (hours(0, 24),), (newest,))
    return judge_unnamed(log(named, delivered), read, at(now))


def test_what_the_next_digest_may_name_is_pending() -> None:
    assert pending(24.5, 25, 24.4, at(24)) is Claim.PENDING
    assert pending(24.5, 25, 24.4, None) is Claim.PENDING


def test_what_the_next_digest_did_not_name_is_not_pending() -> None:
    assert pending(23.5, 25, 23.4, at(24)) is Claim.UNREFERENCED


def test_pending_lasts_a_day() -> None:
    assert pending(24.5, 48.5, 23.4, at(24)) is Claim.PENDING
    assert pending(24.5, 48.6, 23.4, at(24)) is Claim.UNATTESTED


def test_a_name_of_more_than_thirty_days_ago_is_never_pending() -> None:
    now = 24.5 + 30 * 24

    assert pending(now, now, 24.4, at(24)) is Claim.UNATTESTED
    assert pending(now + 0.1, now, 10, at(24)) is Claim.UNREFERENCED
    assert pending(now, now, 24.6, at(24)) is Claim.PENDING


def test_another_trails_digest_may_still_name_it() -> None:
    read = Vouchers((), (hours(0, 25),), (at(25), at(24)))

    assert judge_unnamed(log(24.4, 24.5), read, at(26)) is Claim.PENDING


def test_in_uncovered_time_a_log_file_is_unattested() -> None:
    """Whether by its name, or by a delivery soon after it."""
    read = Vouchers((), (hours(0, 5), hours(9, 24)), (at(24),))

    assert judge_unnamed(log(6, 6.1), read, LATER) is Claim.UNATTESTED
    assert judge_unnamed(log(4.9, 5.1), read, LATER) is Claim.UNATTESTED
    assert judge_unnamed(log(6, 10), read, LATER) is Claim.UNATTESTED


def test_written_long_after_its_name_it_is_not_excused_by_uncovered_time() -> None:
    """A forger plants months later under an old name; the trail may log no longer by then."""
    assert judge_unnamed(log(5, 24 * 50), COVERED, LATER) is Claim.UNREFERENCED


# What the digests that were read amount to


@pytest.mark.parametrize(
    ("standing", "doubtful"),
    [
        (Standing.AUTHENTIC, False),
        (Standing.UNJUDGED, False),
        (Standing.MISSING, True),
        (Standing.LATE, True),
        (Standing.EXPIRED, True),
        (Standing.BROKEN, True),
        (Standing.UNREADABLE, True),
    ],
)
def test_own_digests_that_are_gone_or_not_believed_are_doubtful(
    standing: Standing, *, doubtful: bool
) -> None:
    read = vouchers([*run_of(1, 4), entry(5, standing)], [], [at(5)])

    assert read.doubtful == ([hours(4, 5)] if doubtful else [])
    assert read.newest == [at(5)]
    vouched = 5 if standing is Standing.AUTHENTIC else 4
    assert read.vouched == [hours(0, vouched)]


@pytest.mark.parametrize("named", [True, False])
def test_another_trails_doubtful_digest_counts_only_where_that_trail_names_it(
    *, named: bool
) -> None:
    other: Entry = entry(5, Standing.BROKEN, named=named)

    assert vouchers([], [other], []).doubtful == ([hours(4, 5)] if named else [])


def test_another_trail_vouches_for_no_time() -> None:
    assert vouchers([], run_of(1, 4), []).vouched == []
