"""An organization's trail: every member in every region, what harm is found, what is no harm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from integrity.chain.findings import Outcome
from integrity.chain.model import Trail
from integrity.lab import attacks
from integrity.record import Origin, Run
from integrity.report.text import Style, render_run
from integrity.structs import replace
from tests.memory import SwiftSource, as_trail, reasons, verify
from tests.organizations import (
    ACCOUNTS,
    DAY,
    END,
    HOUR,
    HOURS,
    LAYOUTS,
    ORGANIZATION,
    OWNER,
    REGIONS,
    SECOND,
    START,
    THIRD,
    Layout,
    Stage,
    organization,
)

LIST_ACCOUNTS, DESCRIBE_REGIONS = "organizations:ListAccounts", "ec2:DescribeRegions"
GET_TRAIL_STATUS = "cloudtrail:GetTrailStatus"
EVERYBODY = (LIST_ACCOUNTS, DESCRIBE_REGIONS, GET_TRAIL_STATUS)


def found(stage: Stage, **options: object) -> Run:
    """The window of the organization, verified."""
    return verify(stage.world, stage.trail, START, END, **options)


def places(run: Run) -> set[tuple[str, str, str]]:
    return {(one.reason.value, one.account_id, one.region) for one in run.findings}


def text(run: Run) -> str:
    return "\n".join(render_run(run, Style(), status=None))


class TestClean:
    @pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
    def test_every_layout_is_valid(self, layout: Layout) -> None:
        run = found(organization(layout))
        assert (run.findings, run.outcome) == ((), Outcome.VALID)
        population = run.population
        assert (population.accounts.expected, population.accounts.found) == (3, 3)
        assert (population.regions.expected, population.regions.found) == (3, 3)
        assert (population.chains.expected, population.chains.found) == (9, 9)
        assert population.accounts_from is Origin.ORGANIZATION
        assert population.regions_from is Origin.TRAIL_STATUS
        assert (population.notes, population.unasked) == ((), ())
        assert "regions: 3 expected (GetTrailStatus), 3 found" in text(run)
        assert "accounts: 3 expected (ListAccounts), 3 found" in text(run)

    @pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
    @pytest.mark.parametrize("told", ["id", "nothing"])
    def test_a_bucket_that_was_only_named_is_searched(self, layout: Layout, told: str) -> None:
        """`--s3-bucket`: nobody says what stands before and behind AWSLogs/."""
        stage = organization(layout)
        trail = as_trail(stage.trail)
        run = found(stage, meant=_claimed(trail, known=told == "id"), witness=False)
        assert (run.findings, run.outcome) == ((), Outcome.VALID)
        assert run.population.chains.found == 9
        assert run.population.accounts_from is Origin.BUCKET
        assert "accounts: only those the bucket shows (AWS was not asked)" in text(run)

    def test_without_the_organizations_id(self) -> None:
        """DescribeOrganization was denied: the folders tell it."""
        stage = organization()
        run = found(stage, meant=replace(as_trail(stage.trail), organization_id=""))
        assert run.outcome is Outcome.VALID
        assert run.population.chains.found == 9

    def test_markers_and_other_folders_beside(self) -> None:
        stage = organization()
        place = stage.trail.place
        for key in (
            "AWSLogs/",
            "AWSLogs/Config/x.json",
            f"AWSLogs/{ORGANIZATION}/",
            f"AWSLogs/{ORGANIZATION}/ConfigWritabilityCheckFile",
            f"{place.root(OWNER)}Config/us-east-1/2026/3/1/x.json.gz",
            f"{place.root(OWNER)}CloudTrail/not a region/x",
            f"{place.root(OWNER)}CloudTrail-Digest/moon-east-1/",
            f"{place.root('999999999999')}elasticloadbalancing/us-east-1/2026/03/01/x.log.gz",
            f"{place.root('999999999999')}CloudTrail/",
        ):
            stage.world.put_marker(stage.trail.bucket, key, START)
        run = found(stage)
        assert (run.findings, run.outcome) == ((), Outcome.VALID)
        assert run.population.chains.found == 9

    @pytest.mark.parametrize("same_name", [False, True])
    def test_another_organizations_folder_in_the_bucket_is_not_ours(
        self, *, same_name: bool
    ) -> None:
        stage = organization()
        other = stage.world.add_trail(
            name=stage.trail.name if same_name else "other",
            account_id="999999999999",
            organization_id="o-anotherorg",
        )
        stage.world.run_chain(other, account_id="888888888888", hours=HOURS, start=START)
        del stage.world.accounts["888888888888"]
        run = found(stage)
        assert (run.findings, run.outcome) == ((), Outcome.VALID)
        assert run.population.chains.found == 9


HARM: dict[str, tuple[Callable[[Stage, str, str], object], str]] = {
    "log edited": (
        lambda stage, account, region: attacks.edit_log(
            stage.world, stage.chain(account, region).log_files[4]
        ),
        "log_hash_mismatch",
    ),
    "log deleted": (
        lambda stage, account, region: attacks.delete_log(
            stage.world, stage.chain(account, region).log_files[2]
        ),
        "log_missing",
    ),
    "digest deleted": (
        lambda stage, account, region: attacks.delete_digest(
            stage.world, stage.chain(account, region).digests[3]
        ),
        "digest_missing",
    ),
    "digest edited": (
        lambda stage, account, region: attacks.edit_digest(
            stage.world, stage.chain(account, region).digests[3]
        ),
        "digest_signature_invalid",
    ),
}


class TestHarm:
    @pytest.mark.parametrize("region", REGIONS)
    @pytest.mark.parametrize("account_id", ACCOUNTS)
    @pytest.mark.parametrize("harm", HARM)
    def test_in_any_member_and_region_it_is_found_and_named(
        self, harm: str, account_id: str, region: str
    ) -> None:
        stage = organization()
        act, reason = HARM[harm]
        act(stage, account_id, region)
        run = found(stage)
        assert places(run) == {(reason, account_id, region)}
        assert run.outcome is Outcome.INVALID

    @pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
    def test_in_any_layout_it_is_found(self, layout: Layout) -> None:
        stage = organization(layout)
        attacks.edit_log(stage.world, stage.chain(THIRD, "eu-west-1").log_files[4])
        assert places(found(stage)) == {("log_hash_mismatch", THIRD, "eu-west-1")}

    @pytest.mark.parametrize("region", REGIONS)
    @pytest.mark.parametrize("account_id", ACCOUNTS)
    def test_a_head_that_was_cut_is_found(self, account_id: str, region: str) -> None:
        """GetTrailStatus speaks of the caller's account alone; a member's chain is overdue."""
        stage = organization()
        attacks.cut_head(stage.world, stage.chain(account_id, region), 3)
        run = found(stage)
        own = account_id == OWNER
        assert places(run) == {("head_rewound" if own else "head_stale", account_id, region)}
        assert run.outcome is (Outcome.INVALID if own else Outcome.UNDETERMINED)
        if not own:
            (finding,) = run.findings
            assert "the account is active in the organization" in finding.detail
            assert f"--ignore {account_id}/{region}" in finding.detail

    def test_a_member_that_asks_is_told_of_its_own_chains(self) -> None:
        """GetTrailStatus answers a member for the member's chains, not for the owner's."""
        stage = organization()
        attacks.cut_head(stage.world, stage.chain(SECOND, "eu-west-1"), 3)
        attacks.cut_head(stage.world, stage.chain(OWNER, "eu-west-1"), 3)
        run = found(stage, caller=SECOND, refused=(LIST_ACCOUNTS,))
        assert places(run) == {
            ("head_rewound", SECOND, "eu-west-1"),
            ("head_stale", OWNER, "eu-west-1"),
        }

    @pytest.mark.parametrize("refused", [(), EVERYBODY], ids=["asked", "refused"])
    @pytest.mark.parametrize("account_id", ACCOUNTS)
    def test_digests_wiped_with_the_logs_still_there(
        self, account_id: str, refused: tuple[str, ...]
    ) -> None:
        stage = organization()
        stage.wipe(account_id, "eu-west-1", kind="CloudTrail-Digest")
        run = found(stage, refused=refused)
        own = not refused and account_id == OWNER
        assert places(run) == {("head_rewound" if own else "no_digests", account_id, "eu-west-1")}
        assert run.outcome is not Outcome.VALID
        if not own:
            assert "log files were delivered" in run.findings[0].detail

    def test_digests_wiped_are_found_without_a_look_for_unreferenced_logs(self) -> None:
        stage = organization()
        stage.wipe(SECOND, "eu-west-1", kind="CloudTrail-Digest")
        run = found(stage, refused=EVERYBODY, unreferenced=False)
        assert places(run) == {("no_digests", SECOND, "eu-west-1")}
        assert run.totals.log_files.unattested is None


class TestWipedFolders:
    @pytest.mark.parametrize("account_id", ACCOUNTS)
    def test_a_regions_whole_folder(self, account_id: str) -> None:
        stage = organization()
        stage.wipe(account_id, "eu-west-1")
        run = found(stage)
        reason = "head_rewound" if account_id == OWNER else "no_digests"
        assert places(run) == {(reason, account_id, "eu-west-1")}
        assert run.population.chains.expected == 9
        assert run.population.chains.found == 8

    @pytest.mark.parametrize("account_id", [SECOND, THIRD])
    def test_a_members_whole_folder(self, account_id: str) -> None:
        stage = organization()
        stage.wipe(account_id)
        run = found(stage)
        assert places(run) == {("no_digests", account_id, region) for region in REGIONS}
        assert run.outcome is Outcome.UNDETERMINED
        assert "active in the organization since" in run.findings[0].detail
        assert "accounts: 3 expected (ListAccounts), 2 found" in text(run)

    def test_the_owners_whole_folder(self) -> None:
        stage = organization()
        stage.wipe(OWNER)
        run = found(stage)
        assert places(run) == {("head_rewound", OWNER, region) for region in REGIONS}

    def test_everything(self) -> None:
        stage = organization()
        stage.world.objects.clear()
        assert found(stage).outcome is Outcome.INVALID
        assert found(stage, refused=EVERYBODY).outcome is Outcome.UNDETERMINED
        assert found(stage, witness=False).outcome is Outcome.UNDETERMINED

    def test_a_region_of_a_whole_organization(self) -> None:
        stage = organization()
        for account_id in ACCOUNTS:
            stage.wipe(account_id, "eu-west-1")
        run = found(stage)
        assert {(one.account_id, one.region) for one in run.findings} == {
            (account_id, "eu-west-1") for account_id in ACCOUNTS
        }

    def test_who_may_not_list_accounts_is_told_whose_word_it_is(self) -> None:
        stage = organization()
        stage.wipe(SECOND)
        run = found(stage, refused=(LIST_ACCOUNTS,))
        assert run.outcome is Outcome.VALID
        assert run.population.accounts_from is Origin.BUCKET
        assert run.population.unasked == (f"{LIST_ACCOUNTS} denied",)
        assert f"{LIST_ACCOUNTS} on * is not allowed" in run.population.notes
        assert (
            "regions: 3 expected (GetTrailStatus), 3 found; accounts: only those the bucket shows "
            "(organizations:ListAccounts denied)"
        ) in text(run)

    def test_who_may_not_list_regions_still_knows_the_account(self) -> None:
        stage = organization()
        stage.wipe(SECOND)
        run = found(stage, refused=(DESCRIBE_REGIONS,))
        assert places(run) == {("no_digests", SECOND, "us-east-1")}
        assert run.population.regions_from is Origin.BUCKET
        assert "regions: only those the bucket shows (ec2:DescribeRegions denied)" in text(run)

    def test_who_may_not_list_regions_is_told_whose_word_it_is(self) -> None:
        stage = organization()
        stage.wipe(SECOND, "eu-west-1")
        run = found(stage, refused=(DESCRIBE_REGIONS,))
        assert run.outcome is Outcome.VALID
        assert "regions: only those the bucket shows (ec2:DescribeRegions denied)" in text(run)

    def test_without_trail_status_the_organization_is_still_known(self) -> None:
        stage = organization()
        stage.wipe(OWNER, "eu-west-1")
        run = found(stage, refused=(GET_TRAIL_STATUS,))
        assert places(run) == {("no_digests", OWNER, "eu-west-1")}
        assert run.population.regions_from is Origin.REGIONS
        (note,) = run.population.notes
        assert note.startswith("GetTrailStatus in ap-southeast-2: ")
        assert note.endswith("(and in 2 more regions)")
        assert "regions: 3 expected (DescribeRegions; cloudtrail:GetTrailStatus denied" in text(run)

    def test_another_organizations_accounts_are_no_witness(self) -> None:
        stage = organization()
        stage.wipe(SECOND)
        assert stage.world.organization is not None
        stage.world.organization.organization_id = "o-anotherorg"
        run = found(stage)
        assert run.outcome is Outcome.VALID
        assert run.population.unasked == (f"{LIST_ACCOUNTS} not answered",)
        assert "o-anotherorg" in run.population.notes[0]


class TestHealthy:
    def quiet(self, stage: Stage, **options: object) -> Run:
        run = found(stage, **options)
        assert (places(run), run.outcome) == (set(), Outcome.VALID)
        return run

    def states(self, run: Run, account_id: str) -> set[str]:
        return {chain.state.value for chain in run.chains if chain.account_id == account_id}

    @pytest.mark.parametrize("refused", [(), EVERYBODY])
    def test_an_account_that_joined_in_the_window(self, refused: tuple[str, ...]) -> None:
        stage = organization()
        stage.world.add_account("444455556666", joined_at=START + 2 * HOUR)
        for region in REGIONS:
            stage.run("444455556666", region, START + 3 * HOUR, 5)
        run = self.quiet(stage, refused=refused)
        assert self.states(run, "444455556666") == {"new"}

    def test_an_account_that_joined_and_has_nothing_yet(self) -> None:
        stage = organization()
        stage.world.add_account("444455556666", joined_at=END - HOUR)
        self.quiet(stage)

    def test_an_account_that_joined_after_the_window(self) -> None:
        stage = organization()
        stage.world.add_account("444455556666", joined_at=END + HOUR)
        self.quiet(stage)

    def test_a_member_whose_first_days_are_gone(self) -> None:
        """It joined long before its first digest: what came between was taken away."""
        stage = organization()
        stage.world.add_account("444455556666", joined_at=START - 9 * DAY)
        stage.run("444455556666", "eu-west-1", START + 3 * HOUR, 5)
        run = found(stage)
        assert ("chain_gap", "444455556666", "eu-west-1") in places(run)

    def test_a_member_that_joined_in_the_window_owes_nothing_before(self) -> None:
        stage = organization()
        start, end = START, START + 3 * DAY
        stage.world.now = START + 5 * DAY
        for chain in stage.world.chains:
            stage.world.continue_chain(chain, hours=64, logs_per_hour=0)
        stage.world.add_account("444455556666", joined_at=START + 12 * HOUR)
        for region in REGIONS:
            stage.run("444455556666", region, START + 2 * DAY, 24)
        run = verify(stage.world, stage.trail, start, end)
        gaps = [one.window for one in run.findings]
        assert reasons(run) == ["chain_gap"] * 3
        assert {gap.start for gap in gaps} == {START + 12 * HOUR}
        assert {gap.end for gap in gaps} == {START + 2 * DAY}

    def left(self, stage: Stage, status: str | None, hours: int, start: timedelta) -> None:
        stage.world.add_account("444455556666")
        for region in REGIONS:
            stage.run("444455556666", region, START + start, hours)
        if status is None:
            del stage.world.accounts["444455556666"]
        else:
            stage.world.accounts["444455556666"].status = status

    @pytest.mark.parametrize("status", ["SUSPENDED", "PENDING_CLOSURE", None])
    def test_an_account_that_left_before_the_window(self, status: str | None) -> None:
        stage = organization()
        self.left(stage, status, 6, -3 * DAY)
        run = self.quiet(stage)
        assert self.states(run, "444455556666") == {"ended"}
        ended = {chain.ended_at for chain in run.chains if chain.account_id == "444455556666"}
        assert ended == {START - 3 * DAY + 6 * HOUR}
        assert run.population.chains.expected == 9
        assert "ended at 2026-02-26T06:00:00Z, before what was asked for" in text(run)

    @pytest.mark.parametrize("status", ["SUSPENDED", None])
    def test_an_account_that_left_in_the_window(self, status: str | None) -> None:
        stage = organization()
        self.left(stage, status, 4, timedelta(0))
        run = self.quiet(stage)
        assert self.states(run, "444455556666") == {"ended"}
        assert "2026-03-01T00:00:00Z to 2026-03-01T04:00:00Z; ended at 2026-03-01T04:00:00Z" in (
            text(run)
        )

    def test_an_account_that_left_and_whose_head_was_cut(self) -> None:
        """Log files that came later contradict the end."""
        stage = organization()
        self.left(stage, None, 6, timedelta(0))
        for region in REGIONS:
            chain = stage.chain("444455556666", region)
            attacks.delete_newest(stage.world, chain, 2)
        run = found(stage)
        assert places(run) == {("head_stale", "444455556666", region) for region in REGIONS}

    def test_an_account_that_left_and_whose_digests_were_wiped(self) -> None:
        stage = organization()
        self.left(stage, None, 6, timedelta(0))
        stage.wipe("444455556666", "eu-west-1", kind="CloudTrail-Digest")
        run = found(stage)
        assert places(run) == {("no_digests", "444455556666", "eu-west-1")}

    def test_who_may_not_ask_is_told_what_settles_it(self) -> None:
        stage = organization()
        self.left(stage, "SUSPENDED", 6, -3 * DAY)
        run = found(stage, refused=(LIST_ACCOUNTS,))
        assert places(run) == {("no_digests", "444455556666", region) for region in REGIONS}
        detail = run.findings[0].detail
        assert "newest digest ends 2026-02-26T06:00:00Z" in detail
        assert f"{LIST_ACCOUNTS} on * is not allowed" in detail
        assert "--ignore 444455556666/ap-southeast-2" in detail
        ignored = found(stage, refused=(LIST_ACCOUNTS,), ignored=("444455556666",))
        assert ignored.outcome is Outcome.VALID
        assert self.states(ignored, "444455556666") == {"ended"}

    @pytest.mark.parametrize("account_id", ACCOUNTS)
    def test_a_region_just_enabled(self, account_id: str) -> None:
        stage = organization()
        stage.world.regions["eu-south-1"] = "opted-in"
        stage.run(account_id, "eu-south-1", START + 3 * HOUR, 5)
        run = self.quiet(stage)
        assert {c.state.value for c in run.chains if c.region == "eu-south-1"} == {"new"}
        assert "eu-south-1" in run.population.notes[0]

    def test_an_opt_in_region_that_members_do_not_have(self) -> None:
        stage = organization()
        stage.world.regions["eu-south-1"] = "opted-in"
        stage.run(OWNER, "eu-south-1")
        assert self.quiet(stage).population.chains.found == 10
        named = found(stage, source_regions=("eu-south-1",))
        assert named.outcome is Outcome.VALID
        assert named.population.chains.found == 1

    def test_a_region_that_is_not_enabled_any_more(self) -> None:
        stage = organization()
        stage.run(OWNER, "eu-south-1", START - 3 * DAY, 6)
        stage.world.regions["eu-south-1"] = "not-opted-in"
        run = self.quiet(stage)
        assert {c.state.value for c in run.chains if c.region == "eu-south-1"} == {"ended"}
        told = found(stage, refused=(DESCRIBE_REGIONS,))
        assert places(told) == {("no_digests", OWNER, "eu-south-1")}
        assert DESCRIBE_REGIONS in told.findings[0].detail

    def test_a_trail_just_made(self) -> None:
        """Its members joined long ago; before it was there, it could not cover them."""
        stage = organization()
        run = verify(stage.world, stage.trail, START - 3 * HOUR, END)
        assert (run.findings, run.outcome) == ((), Outcome.VALID)

    def test_a_second_trail_without_validation_is_one_note_a_chain(self) -> None:
        stage = organization()
        second = stage.world.add_trail(
            name="second", validation=False, organization_id=ORGANIZATION
        )
        stage.world.run_chain(second, region="eu-west-1", start=START, hours=6, logs_per_hour=2)
        run = found(stage)
        assert run.outcome is Outcome.VALID
        (note,) = run.findings
        assert (note.reason.value, note.outcome, note.count) == (
            "log_unreferenced",
            Outcome.VALID,
            12,
        )


class TestUnlisted:
    def test_a_members_folder_that_may_not_be_listed(self) -> None:
        stage = organization()
        folder = f"AWSLogs/{ORGANIZATION}/{SECOND}/CloudTrail-Digest/"
        source = SwiftSource(stage.world, unreachable={folder: "s3:ListBucket is not allowed"})
        run = found(stage, source=source)
        assert set(reasons(run)) == {"object_unreadable"}
        assert run.outcome is Outcome.UNDETERMINED


class TestNarrowed:
    def test_to_an_account(self) -> None:
        run = found(organization(), account_ids=(SECOND,))
        assert (run.outcome, run.population.chains.found) == (Outcome.VALID, 3)
        assert run.population.accounts_from is Origin.REQUEST

    def test_to_an_account_that_is_not_there(self) -> None:
        run = found(organization(), account_ids=(SECOND, "999999999999"))
        assert places(run) == {("no_digests", "999999999999", "us-east-1")}

    def test_to_a_region(self) -> None:
        run = found(organization(), source_regions=("eu-west-1",))
        assert (run.outcome, run.population.chains.found) == (Outcome.VALID, 3)
        assert run.population.regions_from is Origin.REQUEST
        assert "regions: 1 asked for, 1 found" in text(run)

    def test_to_a_region_of_an_account_whose_folder_is_gone(self) -> None:
        stage = organization()
        stage.wipe(SECOND, "eu-west-1")
        options = {"account_ids": (SECOND,), "source_regions": ("eu-west-1",), "refused": EVERYBODY}
        run = found(stage, **options)
        assert places(run) == {("no_digests", SECOND, "eu-west-1")}

    def test_to_a_region_that_was_wiped_of_all_accounts(self) -> None:
        stage = organization()
        stage.wipe(SECOND, "eu-west-1")
        run = found(stage, source_regions=("eu-west-1",), refused=EVERYBODY)
        assert places(run) == {("no_digests", SECOND, "eu-west-1")}


def _claimed(trail: Trail, *, known: bool) -> Trail:
    """Of a trail's place only the bucket is known, and perhaps the organization."""
    identifier = trail.organization_id if known else ""
    prefix = trail.prefix if trail.prefix != ORGANIZATION else ""
    return replace(
        trail, prefix=prefix, organization_id=identifier, looked_up=False, is_organization=known
    )
