"""Which chains a job is about: found by folders, cut into segments, with AWS's word on each."""

from __future__ import annotations

from concurrent.futures import Executor
from threading import Event
from typing import Any

import pytest

from integrity.chain.model import (
    ChainId,
    KeysUnavailable,
    Root,
    StatusUnavailable,
    TimeWindow,
    Trail,
    TrailStatus,
)
from integrity.lab.objects import StoredObject
from integrity.lab.world import World
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.plan import Plan, cut, make_plan
from integrity.verify.ports import Witnesses
from integrity.verify.tools import Tools
from tests.chain.specimens import at, hours
from tests.memory import MemoryEstate, MemoryKeys, MemorySource, Silent

OWNER, MEMBER = "111122223333", "999988887777"
ORGANIZATION, OTHER = "o-a1b2c3d4e5", "o-zzzzzzzzzz"
TRAIL = Trail(
    f"arn:aws:cloudtrail:us-east-1:{OWNER}:trail/main", "main", OWNER, "us-east-1", "trail-logs"
)
NOW = at(24 * 60)
NOBODY = Witnesses()


class Statuses:
    """GetTrailStatus, refused in some regions."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.asked = refused, list[str]()

    def fetch_status(self, region: str) -> TrailStatus | StatusUnavailable:
        self.asked.append(region)
        if region in self.refused:
            return StatusUnavailable(region, "AccessDenied")
        return TrailStatus(region, NOW, is_logging=True)


def witnesses(statuses: Statuses, *regions: str, refused: tuple[str, ...] = ()) -> Witnesses:
    """The trail's owner may ask; these are the regions of AWS."""
    world = World(seed=1, now=NOW)
    world.regions = dict.fromkeys(regions, "opt-in-not-required")
    return Witnesses(account_id=OWNER, statuses=statuses, regions=MemoryEstate(world, refused))


class Keys(MemoryKeys):
    """Nobody's keys, and which regions they were asked for."""

    def __init__(self, *deaf: str) -> None:
        super().__init__(World(seed=1, now=NOW), dict.fromkeys(deaf, "denied"))
        self.regions: list[str] = []

    def fetch_keys(self, region: str, window: TimeWindow) -> Any:
        self.regions.append(region)
        assert window == hours(-2, 49)
        return super().fetch_keys(region, window)


def bucket(*folders: str, **source: Any) -> MemorySource:
    """A bucket in which each of these folders holds something."""
    world = World(seed=1, now=NOW)
    for folder in folders:
        world.objects["trail-logs", f"{folder}/2026/03/01/x"] = StoredObject(b"x", at(5))
    return MemorySource(world, **source)


def plan(
    executor: Executor,
    source: MemorySource,
    trail: Trail = TRAIL,
    witnesses: Witnesses = NOBODY,
    keys: Keys | None = None,
    **asked: Any,
) -> Plan:
    tools = Tools(source, keys or Keys(), None, executor, NOW, Silent(), Event())
    return make_plan(Job(trail=trail, window=hours(0, 24), **asked), tools, witnesses)


def places(made: Plan) -> list[tuple[str, str]]:
    return [(chain.account_id, chain.region) for chain in made.segments]


# Windows


@pytest.mark.parametrize("window", [hours(0, 24), hours(5.5, 24), hours(0, 7), hours(5, 6)])
def test_a_window_within_a_day_is_one_segment(window: TimeWindow) -> None:
    assert cut(window) == [window]


def test_a_long_window_is_cut_at_midnights() -> None:
    assert cut(hours(5.5, 55.25)) == [hours(5.5, 24), hours(24, 48), hours(48, 55.25)]
    assert len(cut(hours(0, 24 * 400))) == 400


def test_what_is_to_stay_whole_is_not_cut() -> None:
    """Not where a midnight lies in it, and not where one begins or ends it."""
    within, ending = hours(22, 26), hours(40, 48)
    assert cut(hours(20, 60), [within]) == [hours(20, 48), hours(48, 60)]
    assert cut(hours(20, 60), [ending]) == [hours(20, 24), hours(24, 60)]
    assert cut(hours(20, 60), [within, ending]) == [hours(20, 60)]
    assert cut(hours(20, 60), [hours(24, 30)]) == [hours(20, 48), hours(48, 60)]
    assert cut(hours(20, 60), [hours(25, 30)]) == cut(hours(20, 60))


def test_an_empty_window_is_one_piece() -> None:
    assert cut(hours(5, 5)) == [hours(5, 5)]


# Chains


def test_regions_are_found_by_digests_and_by_log_files(executor: Executor) -> None:
    source = bucket(
        f"AWSLogs/{OWNER}/CloudTrail-Digest/eu-west-1",
        f"AWSLogs/{OWNER}/CloudTrail/ap-south-1",
        f"AWSLogs/{OWNER}/CloudTrail/not a region",
        f"AWSLogs/{MEMBER}/CloudTrail/us-west-2",
    )

    made = plan(executor, source)

    assert list(made.segments) == [
        ChainId(Root("trail-logs"), OWNER, region, "main", "us-east-1")
        for region in ("ap-south-1", "eu-west-1", "us-east-1")
    ]


def test_in_an_empty_bucket_there_is_the_home_region(executor: Executor) -> None:
    assert places(plan(executor, bucket())) == [(OWNER, "us-east-1")]


def test_an_organization_trail_has_the_accounts_that_have_folders(executor: Executor) -> None:
    trail = replace(TRAIL, organization_id=ORGANIZATION)
    source = bucket(
        f"AWSLogs/{ORGANIZATION}/{MEMBER}/CloudTrail/eu-west-1",
        f"AWSLogs/{ORGANIZATION}/not-an-account/CloudTrail/eu-west-1",
        f"AWSLogs/{OWNER}/CloudTrail/us-west-2",
    )

    made = plan(executor, source, trail)

    assert places(made) == [(OWNER, "us-east-1"), (OWNER, "us-west-2"), (MEMBER, "eu-west-1")]
    assert {chain.root for chain in made.segments} == {Root("trail-logs", "", ORGANIZATION)}


def test_what_lies_in_the_layout_before_a_move_is_looked_for_beside_the_present_one(
    executor: Executor,
) -> None:
    trail = replace(TRAIL, organization_id=ORGANIZATION)
    source = bucket(
        f"AWSLogs/{OWNER}/CloudTrail/us-west-2", f"AWSLogs/{MEMBER}/CloudTrail/us-west-2"
    )

    made = plan(executor, source, trail)

    assert places(made) == [(OWNER, "us-east-1"), (OWNER, "us-west-2")]
    segments = [segment for parts in made.segments.values() for segment in parts]
    assert [segment.beside for segment in segments] == [(), (Root("trail-logs"),)]


def test_a_run_may_be_narrowed_to_accounts_and_regions(executor: Executor) -> None:
    trail = replace(TRAIL, organization_id=ORGANIZATION)
    source = bucket(f"AWSLogs/{ORGANIZATION}/{OWNER}/CloudTrail/eu-west-1")

    made = plan(
        executor, source, trail, account_ids=(MEMBER,), source_regions=("eu-west-1", "us-west-2")
    )

    assert places(made) == [(MEMBER, "eu-west-1"), (MEMBER, "us-west-2")]


def test_whose_account_lies_under_an_organization_is_found_there(executor: Executor) -> None:
    source = bucket(
        f"AWSLogs/{OTHER}/{MEMBER}/CloudTrail/eu-west-1",
        f"AWSLogs/{ORGANIZATION}/{OWNER}/CloudTrail-Digest/us-east-1",
    )

    made = plan(executor, source)

    (own,) = made.expected
    assert own == ChainId(
        Root("trail-logs", "", ORGANIZATION), OWNER, "us-east-1", "main", "us-east-1"
    )
    assert (made.expected[own].is_due, made.expected[own].by_logs) == (True, True)


def test_whose_account_lies_under_no_organization_is_looked_for_at_the_top(
    executor: Executor,
) -> None:
    source = bucket(f"AWSLogs/{OTHER}/{MEMBER}/CloudTrail/eu-west-1")

    made = plan(executor, source)

    due = {chain.root for chain, told in made.expected.items() if told.is_due or told.by_logs}
    assert due == {Root("trail-logs")}


def test_a_folder_that_does_not_answer_is_remembered(executor: Executor) -> None:
    trail = replace(TRAIL, organization_id=ORGANIZATION)
    source = bucket(
        f"AWSLogs/{ORGANIZATION}/{OWNER}/CloudTrail-Digest/us-east-1",
        unreachable={f"{OWNER}/CloudTrail/": "AccessDenied"},
    )

    made = plan(executor, source, trail)

    (folder,) = made.unlisted
    assert folder.location.key == f"AWSLogs/{ORGANIZATION}/{OWNER}/CloudTrail/"
    assert folder.detail == "AccessDenied"
    assert places(made) == [(OWNER, "us-east-1")]


# AWS's word


def test_the_status_is_asked_in_each_region_and_told_of_the_own_account(
    executor: Executor,
) -> None:
    trail = replace(TRAIL, organization_id=ORGANIZATION)
    source = bucket(
        f"AWSLogs/{ORGANIZATION}/{OWNER}/CloudTrail/eu-west-1",
        f"AWSLogs/{ORGANIZATION}/{MEMBER}/CloudTrail/us-west-2",
    )
    statuses = Statuses()

    made = plan(executor, source, trail, witnesses(statuses, "eu-west-1", "us-west-2"))

    assert sorted(statuses.asked) == ["eu-west-1", "us-east-1", "us-west-2"]
    known = {chain.region: told.status for chain, told in made.expected.items()}
    assert {region for region, status in known.items() if status} == {"eu-west-1", "us-east-1"}
    assert set(known) == {"eu-west-1", "us-east-1", "us-west-2"}
    assert made.method == ["bucket", "trail_status", "regions"]


def test_whoever_may_not_list_the_regions_asks_in_those_of_the_bucket(executor: Executor) -> None:
    source = bucket(f"AWSLogs/{OWNER}/CloudTrail/eu-west-1")
    statuses = Statuses()

    made = plan(
        executor, source, TRAIL, witnesses(statuses, "us-west-2", refused=("ec2:DescribeRegions",))
    )

    assert sorted(statuses.asked) == ["eu-west-1", "us-east-1"]
    assert made.method == ["bucket", "trail_status"]
    assert made.notes == ["ec2:DescribeRegions is not allowed"]


def test_the_last_segment_alone_has_the_witness_of_the_head(executor: Executor) -> None:
    keys = MemoryKeys(World(seed=1, now=NOW))
    tools = Tools(bucket(), keys, None, executor, NOW, Silent(), Event())

    made = make_plan(Job(trail=TRAIL, window=hours(0, 24 * 3)), tools, witnesses(Statuses()))

    (segments,) = made.segments.values()
    assert [segment.witness is not None for segment in segments] == [False, False, True]
    assert [(s.is_first, s.is_last) for s in segments] == [
        (True, False),
        (False, False),
        (False, True),
    ]


def test_who_would_not_answer_is_noted(executor: Executor) -> None:
    job = Job(trail=TRAIL, window=hours(0, 24))
    regions = ("us-east-1", "eu-west-1", "us-west-2")

    made = plan(executor, bucket(), TRAIL, witnesses(Statuses("us-east-1"), *regions))

    assert made.notes == ["GetTrailStatus in us-east-1: AccessDenied"]
    assert made.method == ["bucket", "trail_status", "regions"]
    elsewhere = made.trail_status(job)
    assert elsewhere is not None
    assert elsewhere.region == "eu-west-1"
    answered = plan(executor, bucket(), TRAIL, witnesses(Statuses(), *regions)).trail_status(job)
    assert answered is not None
    assert answered.region == "us-east-1"


def test_many_refusals_are_one_note(executor: Executor) -> None:
    regions = ("us-east-1", "eu-west-1", "us-west-2")

    made = plan(executor, bucket(), TRAIL, witnesses(Statuses(*regions), *regions))

    assert made.notes == ["GetTrailStatus in eu-west-1: AccessDenied (and in 2 more regions)"]
    assert made.trail_status(Job(trail=TRAIL, window=hours(0, 24))) is None


def test_without_an_answer_the_status_was_no_method(executor: Executor) -> None:
    alone = Witnesses(account_id=OWNER, statuses=Statuses("us-east-1"))

    assert plan(executor, bucket(), TRAIL, alone).method == ["bucket"]
    assert plan(executor, bucket()).method == ["bucket"]


def test_where_nothing_is_the_own_accounts_only_the_trail_itself_is_asked_about(
    executor: Executor,
) -> None:
    statuses = Statuses()

    made = plan(executor, bucket(), TRAIL, witnesses(statuses, "eu-west-1"), account_ids=(MEMBER,))

    assert statuses.asked == ["us-east-1"]
    assert [told.status for told in made.expected.values()] == [None]
    assert made.trail_status(Job(trail=TRAIL, window=hours(0, 24))) is not None


def test_keys_are_asked_for_once_a_region(executor: Executor) -> None:
    trail = replace(TRAIL, organization_id=ORGANIZATION)
    keys = Keys("eu-west-1")
    source = bucket(
        f"AWSLogs/{ORGANIZATION}/{OWNER}/CloudTrail/eu-west-1",
        f"AWSLogs/{ORGANIZATION}/{MEMBER}/CloudTrail/eu-west-1",
    )

    made = plan(executor, source, trail, keys=keys)

    assert keys.regions == ["eu-west-1", "us-east-1"]
    assert isinstance(keys.fetch_keys("eu-west-1", hours(-2, 49)), KeysUnavailable)
    assert {segment.keys for parts in made.segments.values() for segment in parts} == {()}
