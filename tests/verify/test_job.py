"""What a verification is asked to do, and what that says about a chain."""

from __future__ import annotations

from typing import Any

import pytest

from integrity.chain.model import Root, Trail
from integrity.chain.population import Scope
from integrity.record import Requested
from integrity.verify.job import Job
from tests.chain.specimens import at, hours

TRAIL = Trail(
    "arn:aws:cloudtrail:us-east-1:111122223333:trail/main",
    "main",
    "111122223333",
    "us-east-1",
    "trail-logs",
    "audit",
    "o-a1b2c3d4e5",
)


def job(**asked: Any) -> Job:
    return Job(trail=TRAIL, window=hours(0, 24), **asked)


@pytest.mark.parametrize(
    ("ignored", "ignores"),
    [
        ((), False),
        (("111122223333",), True),
        (("111122223333/eu-west-1",), True),
        (("111122223333/eu-west-2", "999988887777"), False),
    ],
)
def test_an_account_or_one_of_its_regions_is_ignored(
    ignored: tuple[str, ...], *, ignores: bool
) -> None:
    scope = job(ignored=ignored).scope(at(99))

    assert scope.ignores(("111122223333", "eu-west-1")) is ignores


def test_what_is_asked_for_is_what_chains_are_expected_of() -> None:
    asked = job(account_ids=("999988887777",), source_regions=("eu-west-1",), ignored=("x",))

    assert asked.scope(at(99)) == Scope(
        trail=TRAIL,
        window=hours(0, 24),
        now=at(99),
        account_ids=("999988887777",),
        source_regions=("eu-west-1",),
        ignored=("x",),
    )


def test_a_trail_writes_under_its_root() -> None:
    assert TRAIL.root == Root("trail-logs", "audit", "o-a1b2c3d4e5")


def test_the_record_says_what_was_asked_for() -> None:
    asked = job(
        account_ids=("111122223333",),
        source_regions=("eu-west-1",),
        ignored=("999988887777",),
        unreferenced=False,
        allow_gaps=True,
    )

    assert asked.requested == Requested(
        start=at(0),
        end=at(24),
        account_ids=("111122223333",),
        source_regions=("eu-west-1",),
        ignored=("999988887777",),
        unreferenced=False,
        allow_gaps=True,
    )
    assert asked.requested.window == hours(0, 24)
