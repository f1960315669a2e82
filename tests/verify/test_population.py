"""Which chains are expected, and how it is said: a trail's regions, its layouts, its retention."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Literal

import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.model import S3Location, TimeWindow, Unreachable
from integrity.lab import attacks
from integrity.lab.estate import LabOrganization, LabTrail
from integrity.lab.world import Chain, World
from integrity.record import Origin, Run, decode, encode
from integrity.report.text import Style, render_run
from integrity.structs import replace
from tests.memory import MemoryRetention, SwiftSource, as_trail, reasons, verify
from tests.organizations import ACCOUNTS, DAY, HOUR, ORGANIZATION, OWNER, REGIONS, SECOND, START

LIST_ACCOUNTS, DESCRIBE_REGIONS = "organizations:ListAccounts", "ec2:DescribeRegions"
GET_TRAIL_STATUS = "cloudtrail:GetTrailStatus"
NOW = START + 3 * DAY
END = START + 8 * HOUR


def world_of(*regions: str, **made: object) -> tuple[World, LabTrail]:
    """A trail of one account with eight hours in these regions."""
    world = World(seed=3, now=NOW)
    trail = world.add_trail(**made)  # type: ignore[arg-type]
    for region in regions:
        run_chain(world, trail, region=region)
    return world, trail


def run_chain(
    world: World,
    trail: LabTrail,
    *,
    region: str = "us-east-1",
    account_id: str | None = None,
    start: timedelta = timedelta(0),
    hours: int = 8,
    begin: Literal["starting", "linked"] = "starting",
) -> Chain:
    return world.run_chain(
        trail,
        account_id=account_id,
        region=region,
        start=START + start,
        hours=hours,
        logs_per_hour=1,
        events_per_log=1,
        begin=begin,
    )


def wipe(world: World, part: str) -> None:
    """Everything with this in its key is gone."""
    for bucket, key in list(world.objects):
        if part in key:
            del world.objects[bucket, key]


def places(run: Run) -> set[tuple[str, str]]:
    return {(one.reason.value, one.region) for one in run.findings}


def text(run: Run) -> str:
    return "\n".join(render_run(run, Style(), status=None))


class TestRegions:
    def test_they_are_those_of_get_trail_status(self) -> None:
        world, trail = world_of("us-east-1", "eu-west-1")
        world.regions["sa-east-1"] = "opt-in-not-required"
        run = verify(world, trail, START, END)
        assert (run.findings, run.outcome) == ((), Outcome.VALID)
        assert run.population.regions_from is Origin.TRAIL_STATUS
        assert run.population.accounts_from is Origin.TRAIL
        assert run.population.method == ("bucket", "trail_status", "regions")
        assert "regions: 2 expected (GetTrailStatus), 2 found; accounts: the trail's own" in text(
            run
        )
        assert decode(encode(run)) == run

    def test_a_whole_region_that_is_gone_is_found(self) -> None:
        world, trail = world_of("us-east-1", "eu-west-1")
        wipe(world, "/eu-west-1/")
        run = verify(world, trail, START, END)
        assert places(run) == {("head_rewound", "eu-west-1")}
        assert (run.population.regions.expected, run.population.regions.found) == (2, 1)

    @pytest.mark.parametrize("refused", [DESCRIBE_REGIONS, GET_TRAIL_STATUS])
    def test_who_may_not_ask_is_told_whose_word_it_is(self, refused: str) -> None:
        world, trail = world_of("us-east-1", "eu-west-1")
        wipe(world, "/eu-west-1/")
        run = verify(world, trail, START, END, refused=(refused,))
        assert run.outcome is Outcome.VALID
        assert run.population.regions_from is Origin.BUCKET
        assert run.population.unasked == (f"{refused} denied",)
        assert f"regions: only those the bucket shows ({refused} denied)" in text(run)
        assert refused.rpartition(":")[2] in run.population.notes[0]

    def test_without_the_list_the_regions_of_the_bucket_are_asked(self) -> None:
        world, trail = world_of("us-east-1", "eu-west-1")
        attacks.cut_head(world, world.chains[1], 3)
        run = verify(world, trail, START, END, refused=(DESCRIBE_REGIONS,))
        assert places(run) == {("head_rewound", "eu-west-1")}

    def test_the_home_region_is_expected_whoever_answers(self) -> None:
        world, trail = world_of("us-east-1", "eu-west-1")
        wipe(world, "/us-east-1/")
        run = verify(world, trail, START, END, witness=False)
        assert places(run) == {("no_digests", "us-east-1")}
        assert "AWS was not asked" in text(run)

    def test_a_trail_of_one_region_has_its_home(self) -> None:
        world, trail = world_of("us-east-1", multi_region=False)
        other = world.add_trail(name="other", validation=False)
        run_chain(world, other, region="eu-west-1")
        run = verify(world, trail, START, END)
        assert run.outcome is Outcome.VALID
        assert run.population.regions_from is Origin.TRAIL
        assert run.population.chains.expected == 1

    def test_a_narrowed_run_says_so(self) -> None:
        world, trail = world_of("us-east-1", "eu-west-1")
        run = verify(world, trail, START, END, source_regions=("eu-west-1",))
        assert run.outcome is Outcome.VALID
        assert "regions: 1 asked for, 1 found; accounts: the trail's own" in text(run)

    def test_a_region_that_is_named_and_not_there_is_no_silence(self) -> None:
        world, trail = world_of("us-east-1")
        run = verify(world, trail, START, END, source_regions=("us-east-1", "eu-west-1"))
        assert places(run) == {("no_digests", "eu-west-1")}

    def test_a_stopped_trail_is_told_by_any_region_that_was_asked(self) -> None:
        world, trail = world_of("us-east-1", "eu-west-1")
        for chain in world.chains:
            world.stop_chain(chain)
        run = verify(world, trail, START, END - HOUR, source_regions=("eu-west-1",))
        assert reasons(run) == ["trail_off"]

    def test_a_region_that_ends_is_not_excused_by_its_log_files(self) -> None:
        world, trail = world_of("us-east-1", "me-south-1")
        attacks.delete_newest(world, world.chains[1], 2)
        world.regions["me-south-1"] = "not-opted-in"
        run = verify(world, trail, START, END)
        assert places(run) == {("head_stale", "me-south-1")}
        assert "region me-south-1 is not enabled now" in run.findings[0].detail


class TestRecreated:
    """A trail that was deleted and made again under its name has forgotten when it was stopped."""

    def recreated(self) -> tuple[World, LabTrail]:
        world, trail = world_of("us-east-1")
        run_chain(world, trail, start=10 * HOUR)
        return world, trail

    def test_the_time_between_is_a_gap(self) -> None:
        world, trail = self.recreated()
        run = verify(world, trail, START, START + 18 * HOUR)
        assert reasons(run) == ["chain_gap"]
        assert run.findings[0].window == TimeWindow(END, START + 10 * HOUR)

    def test_hours_taken_before_it_are_in_the_gap(self) -> None:
        world, trail = self.recreated()
        attacks.cut_head(world, world.chains[0], 4)
        run = verify(world, trail, START, START + 18 * HOUR)
        assert reasons(run) == ["chain_gap"]
        assert run.findings[0].window.start == END - 4 * HOUR

    def test_all_digests_taken_before_it_leave_their_log_files(self) -> None:
        world, trail = self.recreated()
        attacks.delete_all(world, world.chains[0])
        run = verify(world, trail, START, START + 18 * HOUR)
        assert reasons(run) == ["chain_gap"]


class TestEnds:
    """A chain that ends in the window: who says so, and what contradicts it."""

    def ended(self) -> tuple[World, LabTrail]:
        world, trail = world_of("us-east-1")
        run_chain(world, trail, region="eu-west-1", hours=4)
        world.status(trail, "eu-west-1").latest_digest_delivery_error = "NoSuchBucket"
        return world, trail

    def test_nobody_says_so(self) -> None:
        world, trail = self.ended()
        run = verify(world, trail, START, END)
        assert places(run) == {("head_stale", "eu-west-1")}
        (finding,) = run.findings
        assert finding.detail == (
            "newest digest ends 2026-03-01T04:00:00Z; if it ended, --ignore "
            f"{OWNER}/eu-west-1 says so; AWS reports the delivery error NoSuchBucket"
        )

    def test_a_person_says_so(self) -> None:
        world, trail = self.ended()
        run = verify(world, trail, START, END, ignored=(f"{OWNER}/eu-west-1",))
        assert run.outcome is Outcome.VALID
        (chain,) = [chain for chain in run.chains if chain.region == "eu-west-1"]
        assert (chain.state.value, chain.ended_at) == ("ended", START + 4 * HOUR)

    def test_a_region_that_was_on_before_its_first_digest(self) -> None:
        world, trail = world_of("us-east-1")
        chain = run_chain(world, trail, region="eu-west-1", start=3 * HOUR, hours=5)
        attacks.plant_log(world, chain, newest=START + timedelta(minutes=70))
        run = verify(world, trail, START, END)
        assert places(run) == {("chain_gap", "eu-west-1")}

    def test_a_chain_with_nothing_due_yet(self) -> None:
        world = World(seed=3, now=START + timedelta(minutes=40))
        trail = world.add_trail()
        run_chain(world, trail, hours=1)
        run = verify(world, trail, START + timedelta(minutes=5), world.now)
        assert run.outcome is not Outcome.INVALID

    def test_digests_wiped_of_a_region_that_delivered_nothing_as_far_as_aws_knows(self) -> None:
        world, trail = world_of("us-east-1", "eu-west-1")
        wipe(world, "CloudTrail-Digest/eu-west-1/")
        run = verify(world, trail, START, END, refused=(GET_TRAIL_STATUS,))
        assert places(run) == {("no_digests", "eu-west-1")}


class TestLayouts:
    """A trail that became an organization's: both layouts in one bucket."""

    def moved(self, *, linked: bool) -> tuple[World, LabTrail]:
        world, trail = world_of(*REGIONS)
        plain = list(world.chains)
        trail.place = dataclasses.replace(trail.place, organization_id=ORGANIZATION)
        world.organization = LabOrganization(ORGANIZATION, OWNER)
        for account_id in ACCOUNTS:
            world.add_account(account_id)
        for chain in plain:
            chain.place = trail.place
            if linked:
                world.continue_chain(chain, hours=8)
            else:
                start = chain.next_start - START
                status = dataclasses.replace(world.status(trail, chain.region))
                run_chain(world, trail, region=chain.region, start=start)
                world.status(trail, chain.region).start_logging_time = status.start_logging_time
        for account_id in ACCOUNTS[1:]:
            for region in REGIONS:
                run_chain(world, trail, region=region, account_id=account_id, start=8 * HOUR)
        return world, trail

    @pytest.mark.parametrize("linked", [True, False], ids=["linked", "begun anew"])
    @pytest.mark.parametrize(("first", "last"), [(1, 7), (3, 14), (0, 16), (9, 16)])
    def test_before_and_after_the_move_nothing_is_amiss(
        self, first: int, last: int, *, linked: bool
    ) -> None:
        world, trail = self.moved(linked=linked)
        run = verify(world, trail, START + first * HOUR, START + last * HOUR)
        assert (run.findings, run.outcome) == ((), Outcome.VALID)
        own = [chain for chain in run.chains if chain.account_id == OWNER]
        assert [chain.covered for chain in own] == [
            (TimeWindow(START + first * HOUR, START + last * HOUR),)
        ] * 3

    @pytest.mark.parametrize("linked", [True, False], ids=["linked", "begun anew"])
    @pytest.mark.parametrize("number", [3, 12])
    def test_harm_in_either_layout_is_found(self, number: int, *, linked: bool) -> None:
        world, trail = self.moved(linked=linked)
        chain = world.chains[0 if linked or number < 9 else 3]
        attacks.delete_digest(world, chain.digests[number if linked or number < 9 else 3])
        run = verify(world, trail, START, START + 16 * HOUR)
        assert places(run) == {("digest_missing", "us-east-1")}

    def test_the_older_layout_gone_is_a_gap(self) -> None:
        world, trail = self.moved(linked=False)
        wipe(world, f"AWSLogs/{OWNER}/CloudTrail-Digest/eu-west-1/")
        run = verify(world, trail, START, START + 16 * HOUR)
        assert {finding.region for finding in run.findings} == {"eu-west-1"}
        assert run.outcome is Outcome.UNDETERMINED

    def test_log_files_of_another_layout_expect_nothing(self) -> None:
        world, trail = self.moved(linked=True)
        second = world.add_trail(name="second", validation=False)
        world.regions["eu-south-1"] = "opted-in"
        run_chain(world, second, region="eu-south-1")
        run = verify(world, trail, START, START + 16 * HOUR)
        assert run.outcome is Outcome.VALID

    def test_members_trails_of_the_same_name_are_not_ours(self) -> None:
        """Control Tower's older accounts have each a trail of that name, in the plain layout."""
        world, trail = self.moved(linked=True)
        theirs = world.add_trail(account_id=SECOND)
        chain = run_chain(world, theirs, region="eu-west-1", hours=16)
        attacks.garble_digests(world, chain.digests[4:5])
        attacks.cut_head(world, world.chains[-2], 3)
        run = verify(world, trail, START, START + 16 * HOUR)
        assert "digest_malformed" not in reasons(run)

    def test_another_layouts_years_are_not_listed(self) -> None:
        """Another trail has gone on in the plain layout, every day since the move."""
        world, trail = self.moved(linked=True)
        other = world.add_trail(name="other")
        world.now = START + 60 * DAY
        world.run_chain(other, region="us-east-1", start=START, hours=50 * 24, logs_per_hour=0)
        source = SwiftSource(world)
        run = verify(world, trail, START, START + 16 * HOUR, source=source)
        assert "digest_missing" not in reasons(run)
        plain = f"AWSLogs/{OWNER}/CloudTrail-Digest/us-east-1/"
        assert len([folder for folder in source.listed if folder.startswith(plain)]) <= 3

    def test_the_plain_layout_may_not_be_listed(self) -> None:
        """A policy may grant the organization's folder alone: that is enough, and said."""
        world, trail = self.moved(linked=True)
        source = _Closed(world, closed="AWSLogs/")
        run = verify(world, trail, START + 9 * HOUR, START + 16 * HOUR, source=source)
        assert run.outcome is Outcome.VALID
        assert "s3:ListBucket" in run.population.notes[0]

    def test_the_account_is_named_and_its_organization_may_not_be_listed(self) -> None:
        world, trail = self.moved(linked=True)
        source = _Closed(world, closed=f"AWSLogs/{ORGANIZATION}/")
        window = (START + 9 * HOUR, START + 16 * HOUR)
        run = verify(world, trail, *window, source=source, account_ids=(SECOND,))
        assert run.outcome is Outcome.VALID
        assert run.population.chains.found == 3
        whole = verify(world, trail, *window, source=source)
        assert "object_unreadable" in reasons(whole)

    def test_a_bucket_whose_top_may_not_be_listed(self) -> None:
        world, trail = world_of("us-east-1")
        claimed = replace(as_trail(trail), looked_up=False)
        run = verify(world, trail, START, END, source=_Closed(world, closed=""), meant=claimed)
        assert run.outcome is Outcome.VALID
        assert "s3:ListBucket" in run.population.notes[0]


class _Closed(SwiftSource):
    """One folder may not be listed."""

    def __init__(self, world: World, *, closed: str) -> None:
        super().__init__(world)
        self.closed = closed

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        if folder == self.closed:
            return Unreachable(S3Location(bucket, folder), "s3:ListBucket is not allowed")
        return super().list_folders(bucket, folder)


class TestRetention:
    """Three days of a chain, of which a rule has deleted what is older than one."""

    def world(self) -> tuple[World, LabTrail]:
        world, trail = world_of()
        run_chain(world, trail, hours=70, begin="linked")
        return world, trail

    def test_what_a_rule_deleted_is_expired_and_not_missing(self) -> None:
        world, trail = self.world()
        world.expire(trail.bucket, days=1, prefix="AWSLogs/")
        run = verify(world, trail, START + DAY, START + 2 * DAY + 18 * HOUR)
        assert set(reasons(run)) == {"object_expired"}
        assert run.outcome is Outcome.UNDETERMINED
        assert "lifecycle rule 'after-1': expires after 1 day, below AWSLogs/" in (
            run.findings[0].detail
        )
        assert run.totals.digest_files.invalid == 0
        (chain,) = run.chains
        assert "M" not in chain.hours
        assert "G" not in chain.hours
        assert chain.hours.startswith("U" * 23)

    def test_a_window_that_is_gone_wholly(self) -> None:
        world, trail = self.world()
        world.expire(trail.bucket, days=1)
        run = verify(world, trail, START, START + DAY)
        assert reasons(run) == ["object_expired"]
        assert "everywhere" in run.findings[0].detail

    def test_log_files_alone(self) -> None:
        world, trail = self.world()
        world.expire(trail.bucket, days=1, prefix=f"AWSLogs/{OWNER}/CloudTrail/")
        run = verify(world, trail, START + DAY, START + 2 * DAY + 18 * HOUR)
        assert set(reasons(run)) == {"object_expired"}
        assert all(finding.detail.startswith("named by ") for finding in run.findings)
        assert run.totals.log_files.undetermined == len(run.findings)

    def test_what_is_younger_was_taken_by_somebody_else(self) -> None:
        world, trail = self.world()
        world.expire(trail.bucket, days=2)
        attacks.delete_digest(world, world.chains[0].digests[40])
        attacks.delete_log(world, world.chains[0].log_files[45])
        start = START + DAY + 4 * HOUR
        run = verify(world, trail, start, START + 2 * DAY + 12 * HOUR)
        assert reasons(run) == ["digest_missing", "log_missing"]

    @pytest.mark.parametrize("why", ["refused", "disabled", "elsewhere", "nobody"])
    def test_what_no_rule_explains_stays_missing(self, why: str) -> None:
        world, trail = self.world()
        world.expire(trail.bucket, days=1, prefix="AWSLogs/")
        rule = world.buckets[trail.bucket].expirations[0]
        rule.enabled = why != "disabled"
        rule.prefix = "Config/" if why == "elsewhere" else rule.prefix
        retention = MemoryRetention(world, is_refused=why == "refused")
        window = (START + DAY, START + 2 * DAY + 18 * HOUR)
        run = verify(world, trail, *window, retention=retention, has_retention=why != "nobody")
        assert set(reasons(run)) == {"chain_gap", "digest_missing", "log_missing"}
        detail = _first(run, Reason.DIGEST_MISSING).detail
        assert ("s3:GetLifecycleConfiguration" in detail) is (why == "refused")

    def test_a_healthy_trail_asks_for_no_rules(self) -> None:
        world, trail = self.world()
        retention = MemoryRetention(world)
        verify(world, trail, START + HOUR, START + DAY, retention=retention)
        assert retention.asked == []

    def test_a_head_that_expired_was_not_rewound(self) -> None:
        """A trail that was stopped long ago, and whose digests are all past their time."""
        world, trail = world_of("us-east-1", "eu-west-1")
        world.stop_chain(world.chains[1])
        world.now = START + 9 * DAY
        world.continue_chain(world.chains[0], hours=9 * 24)
        world.expire(trail.bucket, days=2)
        run = verify(world, trail, START + 8 * DAY, START + 8 * DAY + 12 * HOUR)
        assert places(run) == {("no_digests", "eu-west-1")}


def _first(run: Run, reason: Reason) -> Finding:
    return next(finding for finding in run.findings if finding.reason is reason)


class TestRedelivered:
    def test_first_late_then_valid(self) -> None:
        world = World(seed=3, now=START + timedelta(hours=9, minutes=20))
        trail = world.add_trail()
        chain = run_chain(world, trail)
        late = chain.digests[5]
        world.redeliver(chain, late, at=START + 20 * HOUR)
        run = verify(world, trail, START, END - HOUR)
        assert reasons(run) == ["digest_late"]
        assert run.outcome is Outcome.UNDETERMINED
        world.advance(START + 21 * HOUR)
        run = verify(world, trail, START, END - HOUR)
        assert (reasons(run), run.outcome) == ([], Outcome.VALID)
