"""An organization against the lab's server: what is typed, who is asked, what comes of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from integrity.chain.findings import Outcome
from integrity.cli import main
from integrity.lab import attacks
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer, serve
from integrity.record import Origin, Run, decode
from tests.organizations import (
    LAYOUTS,
    ORGANIZATION,
    OWNER,
    SECOND,
    Layout,
    Stage,
    organization,
)

HOURS = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-01T08:00:00Z")

Captured = pytest.CaptureFixture[str]
Opened = Callable[[Stage], LabServer]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Serves an organization to the command line until the test ends."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    servers = ExitStack()

    def open_lab(stage: Stage) -> LabServer:
        lab = servers.enter_context(serve(stage.world))
        for name, value in lab.environment.items():
            monkeypatch.setenv(name, value)
        return lab

    with servers:
        yield open_lab


def record(capsys: Captured, *arguments: str) -> tuple[int, Run]:
    status = main(["verify", *HOURS, "--format", "json", *arguments])
    shown = capsys.readouterr()
    assert shown.err == ""
    return status, decode(shown.out.encode())


def places(run: Run) -> set[tuple[str, str, str]]:
    return {(one.reason.value, one.account_id, one.region) for one in run.findings}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_clean_organization_is_valid(opened: Opened, capsys: Captured, layout: Layout) -> None:
    lab = opened(organization(layout))
    status, run = record(capsys)
    assert (status, run.outcome, run.findings) == (0, Outcome.VALID, ())
    assert run.population.chains.found == 9
    assert run.population.method == ("bucket", "trail_status", "regions", "organization")
    assert lab.requests.by_operation["GetTrailStatus"] == 3
    assert lab.requests.by_operation["GetBucketLifecycleConfiguration"] == 0


def test_the_population_is_said_in_a_line(opened: Opened, capsys: Captured) -> None:
    opened(organization())
    assert main(["verify", *HOURS]) == 0
    assert (
        "           regions: 3 expected (GetTrailStatus), 3 found; accounts: 3 expected "
        "(ListAccounts), 3 found"
    ) in capsys.readouterr().out.splitlines()


def test_an_explicit_bucket_is_searched_for_its_layout(opened: Opened, capsys: Captured) -> None:
    """The trail was deleted: nobody tells its prefix, nor its organization."""
    stage = organization(LAYOUTS[2])
    arn = stage.trail.arn
    stage.trail.deleted = True
    opened(stage)
    status, run = record(capsys, "--trail-arn", arn, "--s3-bucket", stage.trail.bucket)
    assert (status, run.findings) == (0, ())
    assert run.population.chains.found == 9
    assert {chain.root for chain in run.chains} == {
        f"s3://trail-logs/{ORGANIZATION}/AWSLogs/{ORGANIZATION}"
    }


def test_harm_in_one_member_is_status_1_and_named(opened: Opened, capsys: Captured) -> None:
    stage = organization()
    log = stage.chain(SECOND, "eu-west-1").log_files[4]
    attacks.edit_log(stage.world, log)
    opened(stage)
    assert main(["verify", *HOURS]) == 1
    lines = capsys.readouterr().out.splitlines()
    uri = f"s3://{log.address[0]}/{log.address[1]}"
    assert f"Log file\t{uri}\tINVALID: hash value doesn't match" in lines


def test_a_members_folder_that_is_gone_is_found(opened: Opened, capsys: Captured) -> None:
    stage = organization()
    stage.wipe(SECOND)
    opened(stage)
    status, run = record(capsys)
    assert status == 3
    assert {place[:2] for place in places(run)} == {("no_digests", SECOND)}


def test_an_owners_region_that_is_gone_is_invalid(opened: Opened, capsys: Captured) -> None:
    stage = organization()
    stage.wipe(OWNER, "eu-west-1")
    opened(stage)
    status, run = record(capsys)
    assert (status, places(run)) == (1, {("head_rewound", OWNER, "eu-west-1")})


def test_who_may_not_ask_is_told_whose_word_it_is(opened: Opened, capsys: Captured) -> None:
    stage = organization()
    stage.wipe(SECOND)
    lab = opened(stage)
    lab.faults.append(Fault("deny", operation="ListAccounts"))
    lab.faults.append(Fault("deny", operation="GetTrailStatus"))
    lab.faults.append(Fault("deny", operation="DescribeRegions"))
    lab.faults.append(Fault("deny", operation="DescribeOrganization"))
    status, run = record(capsys)
    assert (status, run.findings) == (0, ())
    population = run.population
    assert (population.accounts_from, population.regions_from) == (Origin.BUCKET, Origin.BUCKET)
    for permission in (
        "organizations:ListAccounts",
        "organizations:DescribeOrganization",
        "ec2:DescribeRegions",
        "cloudtrail:GetTrailStatus",
    ):
        assert any(permission in note for note in population.notes)
    assert main(["verify", *HOURS]) == 0
    assert "accounts: only those the bucket shows (organizations:ListAccounts denied)" in (
        capsys.readouterr().out
    )


def test_a_member_verifies_its_part_with_its_own_word(
    opened: Opened, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = organization()
    attacks.cut_head(stage.world, stage.chain(SECOND, "eu-west-1"), 3)
    lab = opened(stage)
    for name, value in lab.environment_for(SECOND).items():
        monkeypatch.setenv(name, value)
    status, run = record(capsys)
    assert (status, places(run)) == (1, {("head_rewound", SECOND, "eu-west-1")})


def test_what_the_lifecycle_removed_is_expired(opened: Opened, capsys: Captured) -> None:
    stage = organization()
    stage.world.expire(stage.trail.bucket, days=1, prefix="AWSLogs/")
    lab = opened(stage)
    status, run = record(capsys)
    assert status == 3
    assert {place[0] for place in places(run)} == {"object_expired"}
    lab.faults.append(Fault("deny", operation="GetBucketLifecycleConfiguration"))
    status, run = record(capsys)
    assert status != 0
    assert "object_expired" not in {place[0] for place in places(run)}


def test_calls_are_made_only_in_the_regions_that_are_asked_for(
    opened: Opened, capsys: Captured
) -> None:
    lab = opened(organization())
    status, run = record(capsys, "--source-region", "eu-west-1")
    assert (status, run.population.chains.found) == (0, 3)
    assert lab.requests.by_region["GetTrailStatus", "eu-west-1"] == 1
    assert lab.requests.by_operation["GetTrailStatus"] == 1
