"""Which chains are expected, of what the command line, the folders and AWS say: no bucket is read.

Whole trails are judged by it in `tests/verify`; here are its rules one by one.
"""

from __future__ import annotations

from typing import Any

import pytest

from integrity.chain.estate import Member, Region, Unasked
from integrity.chain.model import Root, Trail, TrailStatus
from integrity.chain.population import Found, Pair, Scope, Told, expect_chains
from tests.chain.specimens import at, hours

OWNER, MEMBER = "111122223333", "999988887777"
PLAIN, ORGANIZED = Root("trail-logs"), Root("trail-logs", "", "o-a1b2c3d4e5")
TRAIL = Trail("an ARN", "main", OWNER, "us-east-1", "trail-logs")
EMPTY = Found((PLAIN,), {})
NOBODY = Told()


def scope(trail: Trail = TRAIL, **asked: Any) -> Scope:
    return Scope(trail=trail, window=hours(0, 24), now=at(99), **asked)


def due(asked: Scope, found: Found = EMPTY, told: Told = NOBODY) -> list[Pair]:
    return [pair for pair, chain in expect_chains(asked, found, told).items() if chain.is_due]


def test_the_home_region_is_due_in_the_trails_own_account() -> None:
    assert due(scope()) == [(OWNER, "us-east-1")]


def test_the_command_line_names_its_regions_and_no_others() -> None:
    found = Found((PLAIN,), {(MEMBER, "eu-west-1"): [PLAIN]})
    asked = scope(source_regions=("eu-west-1",))

    assert due(asked, found) == [(OWNER, "eu-west-1"), (MEMBER, "eu-west-1")]


def test_a_region_that_needs_opt_in_is_due_of_a_member_only_where_the_member_is_named() -> None:
    found = Found((PLAIN,), {(MEMBER, "af-south-1"): [PLAIN]})
    told = Told(regions={"af-south-1": Region("af-south-1", needs_opt_in=True)})
    named = scope(source_regions=("af-south-1",), account_ids=(MEMBER,))

    assert due(scope(source_regions=("af-south-1",)), found, told) == [(OWNER, "af-south-1")]
    assert due(named, found, told) == [(MEMBER, "af-south-1")]


def test_an_account_that_is_named_and_has_no_folder_is_due_at_home() -> None:
    assert due(scope(account_ids=(MEMBER,))) == [(MEMBER, "us-east-1")]


def test_a_folder_alone_is_only_looked_into() -> None:
    found = Found((PLAIN,), {(OWNER, "eu-west-1"): [PLAIN]})

    chain = expect_chains(scope(), found, NOBODY)[OWNER, "eu-west-1"]

    assert (chain.is_due, chain.by_logs, chain.root, chain.beside) == (False, True, PLAIN, ())


def test_a_trail_that_signs_nothing_owes_no_digest() -> None:
    silent = Trail("an ARN", "main", OWNER, "us-east-1", "trail-logs", validation=False)

    chain = expect_chains(scope(silent), EMPTY, NOBODY)[OWNER, "us-east-1"]

    assert (chain.is_due, chain.by_logs) == (False, False)


def test_log_files_in_an_older_layout_expect_nothing() -> None:
    found = Found((ORGANIZED, PLAIN), {(MEMBER, "eu-west-1"): [PLAIN]})

    chain = expect_chains(scope(), found, NOBODY)[MEMBER, "eu-west-1"]

    assert (chain.root, chain.by_logs) == (PLAIN, False)


@pytest.mark.parametrize(
    ("ignored", "pairs"),
    [
        ((OWNER,), [(OWNER, "eu-west-1"), (OWNER, "us-east-1")]),
        ((f"{OWNER}/eu-west-1",), [(OWNER, "eu-west-1")]),
        ((MEMBER,), []),
    ],
)
def test_what_a_person_says_has_ended_is_still_looked_for(
    ignored: tuple[str, ...], pairs: list[Pair]
) -> None:
    found = Found((PLAIN,), {(OWNER, "eu-west-1"): [PLAIN]})

    expected = expect_chains(scope(ignored=ignored), found, NOBODY)

    assert len(expected) == 2
    assert [pair for pair, chain in expected.items() if chain.is_ignored] == pairs


def test_the_status_is_true_of_the_callers_chains_alone() -> None:
    found = Found((PLAIN,), {(MEMBER, "us-east-1"): [PLAIN]})
    status = TrailStatus("us-east-1", at(99), is_logging=True)
    told = Told(account_id=MEMBER, statuses={"us-east-1": status})

    expected = expect_chains(scope(), found, told)

    assert expected[MEMBER, "us-east-1"].status == status
    assert expected[OWNER, "us-east-1"].status is None


def test_a_member_is_due_a_day_after_it_joined() -> None:
    def members(joined: float) -> Told:
        one = Member(MEMBER, is_active=True, joined=at(joined))
        return Told(members={MEMBER: one}, regions={"us-east-1": Region("us-east-1")})

    assert (MEMBER, "us-east-1") in due(scope(), told=members(-0.1))
    assert (MEMBER, "us-east-1") not in due(scope(), told=members(0))


def test_what_would_settle_an_end_names_who_would_not_answer() -> None:
    refused = Unasked("organizations:ListAccounts", "it is not allowed", denied=True)
    told = Told(account_id=MEMBER, unasked=(refused,))

    home = expect_chains(scope(), EMPTY, told)[OWNER, "us-east-1"]

    assert home.settles == f"if it ended, --ignore {OWNER}/us-east-1 says so (it is not allowed)"
