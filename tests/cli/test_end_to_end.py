"""The whole program against the lab's server: what a person types, and what comes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrity.chain.findings import Outcome
from integrity.cli import main
from integrity.lab import attacks
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer, serve
from integrity.lab.world import World
from integrity.record import Run, decode

START = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-01T06:00:00Z")
ROOT = Path(__file__).parents[2]

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def world() -> World:
    world = World(seed=5)
    trail = world.add_trail()
    for region in ("us-east-1", "eu-west-1"):
        world.run_chain(trail, region=region, start=START, hours=8)
    return world


@pytest.fixture
def lab(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def records(capsys: Captured, *arguments: str) -> tuple[int, list[Run], str]:
    status = main(["verify", "--format", "json", *arguments])
    shown = capsys.readouterr()
    return status, [decode(line.encode()) for line in shown.out.splitlines()], shown.err


def record(capsys: Captured, *arguments: str) -> tuple[int, Run]:
    status, (run,), errors = records(capsys, *HOURS, *arguments)
    assert errors == ""
    return status, run


def reasons(run: Run) -> set[str]:
    return {finding.reason.value for finding in run.findings}


@pytest.mark.usefixtures("lab")
def test_a_clean_trail_is_valid(capsys: Captured) -> None:
    assert main(["verify", *HOURS]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0].startswith("Validating log files for trail arn:aws:cloudtrail:us-east-1:")
    assert "Proven     all of it, in 2 chains" in lines
    assert lines[-1].startswith("VALID: ")
    assert shown.err == ""


@pytest.mark.usefixtures("lab")
def test_a_clean_trail_is_silence_for_cron(capsys: Captured) -> None:
    assert main(["verify", *HOURS, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("lab")
def test_the_record_says_who_asked_and_which_keys_answered(capsys: Captured) -> None:
    status, run = record(capsys)
    assert (status, run.outcome) == (0, Outcome.VALID)
    assert run.run.caller_arn is not None
    assert run.run.caller_arn.startswith("arn:aws:")
    assert run.run.source == "s3"
    assert {(key.region, key.origin) for key in run.keys} == {
        ("us-east-1", "ListPublicKeys"),
        ("eu-west-1", "ListPublicKeys"),
    }
    assert set(run.population.method) >= {"bucket", "trail_status"}
    assert run.totals.log_files.total == run.totals.log_files.valid > 0
    assert run.run.started_at.microsecond == 0


def test_an_attack_is_status_1_and_named(lab: LabServer, world: World, capsys: Captured) -> None:
    log = world.chains[0].log_files[4]
    attacks.edit_log(world, log)
    attacks.delete_digest(world, world.chains[1].digests[4])
    lab.sync()
    assert main(["verify", *HOURS]) == 1
    lines = capsys.readouterr().out.splitlines()
    uri = f"s3://{log.address[0]}/{log.address[1]}"
    assert f"Log file\t{uri}\tINVALID: hash value doesn't match" in lines
    gone = [line for line in lines if line.startswith("Digest file\t")]
    assert len(gone) == 1
    assert gone[0].endswith("\tINVALID: not found")
    assert lines[-1].startswith("INVALID: ")


@pytest.mark.usefixtures("lab")
def test_a_narrowed_run_verifies_less_and_says_so(capsys: Captured) -> None:
    assert main(["verify", *HOURS, "--source-region", "eu-west-1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "narrowed to source region eu-west-1" in lines[0]
    assert "narrowed to source region eu-west-1" in lines[-1]
    assert "Proven     all of it, in 1 chain" in lines


@pytest.mark.usefixtures("lab")
def test_verbose_names_every_valid_file_once(capsys: Captured) -> None:
    assert main(["verify", *HOURS, "--verbose"]) == 0
    lines = capsys.readouterr().out.splitlines()
    digests = [line for line in lines if line.startswith("Digest file\t")]
    logs = [line for line in lines if line.startswith("Log file\t")]
    assert len(set(digests)) == len(digests)
    assert len(set(logs)) == len(logs)
    assert f"{len(digests)}/{len(digests)} digest files valid" in lines
    assert f"{len(logs)}/{len(logs)} log files valid" in lines


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("name", ["main", "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"])
def test_a_trail_is_found_by_its_name_or_arn(name: str, capsys: Captured) -> None:
    assert record(capsys, "--trail-arn", name)[0] == 0


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--trail-arn", "mian"], "integrity trails"),
        (["--source-region", "us-esat-1"], "or us-east-1?"),
        (["--region", "us-esat-1"], "or us-east-1?"),
        (["--profile", "nobody"], "nobody"),
        (["--keys", __file__], "is not a file of public keys"),
        (["--keys-profile", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_looked_up_is_status_2_with_the_next_thing_to_type(
    arguments: list[str], told: str, capsys: Captured
) -> None:
    assert main(["verify", *HOURS, *arguments]) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.out == ""


def test_no_credentials_are_status_2(capsys: Captured) -> None:
    assert main(["verify", *HOURS, "--region", "us-east-1"]) == 2
    shown = capsys.readouterr()
    assert "redentials" in shown.err
    assert shown.out == ""


def test_an_account_without_trails_is_status_2(lab: LabServer, capsys: Captured) -> None:
    lab.world.trails[0].deleted = True
    assert main(["verify", *HOURS]) == 2
    assert "this account has no trails" in capsys.readouterr().err


def test_trails_that_may_not_be_listed_are_status_3(lab: LabServer, capsys: Captured) -> None:
    lab.faults.append(Fault("deny", operation="ListTrails"))
    assert main(["verify", *HOURS]) == 3
    assert "cloudtrail:ListTrails" in capsys.readouterr().err


def test_a_deleted_trail_is_verified_by_its_arn_and_bucket(
    lab: LabServer, capsys: Captured
) -> None:
    trail = lab.world.trails[0]
    trail.deleted = True
    status, run = record(capsys, "--trail-arn", trail.arn, "--s3-bucket", trail.bucket)
    assert (status, reasons(run)) == (0, set())
    assert "trail_status" not in run.population.method
    assert main(["verify", *HOURS, "--trail-arn", "main", "--s3-bucket", trail.bucket]) == 2


def test_a_trail_that_may_not_be_looked_up_is_verified_by_its_arn_and_bucket(
    lab: LabServer, capsys: Captured
) -> None:
    trail = lab.world.trails[0]
    lab.faults.append(Fault("deny", operation="GetTrail"))
    status, _ = record(capsys, "--trail-arn", trail.arn, "--s3-bucket", trail.bucket)
    assert status == 0


def test_wrong_credentials_are_no_deleted_trail(
    lab: LabServer, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    trail = lab.world.trails[0]
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    arguments = ["--trail-arn", trail.arn, "--s3-bucket", trail.bucket]
    assert main(["verify", *HOURS, *arguments]) == 2
    assert "redentials" in capsys.readouterr().err


def test_an_old_bucket_is_not_judged_by_what_goes_to_the_new_one(
    lab: LabServer, world: World, capsys: Captured
) -> None:
    world.switch_bucket(world.chains[0], bucket="new-logs")
    world.continue_chain(world.chains[0], hours=30)
    lab.sync()
    status, run = record(
        capsys,
        *["--trail-arn", "main", "--s3-bucket", "trail-logs", "--source-region", "us-east-1"],
    )
    assert (status, reasons(run)) == (0, set())
    status, run = record(capsys, "--trail-arn", "main", "--s3-bucket", "new-logs")
    assert "trail_status" in run.population.method


def test_a_trail_without_validation_beside_a_valid_one_is_a_note(
    lab: LabServer, world: World, capsys: Captured
) -> None:
    world.add_trail(name="unsigned", validation=False, bucket="elsewhere")
    lab.sync()
    status, runs, _ = records(capsys, *HOURS)
    assert status == 0
    assert [reasons(run) for run in runs] == [set(), {"trail_off"}]
    assert main(["verify", *HOURS]) == 0
    assert "NOTE: does not sign its log files" in capsys.readouterr().out
    assert main(["verify", *HOURS, "--trail-arn", "unsigned"]) == 3


def test_an_unsigned_trail_in_the_same_place_explains_its_log_files(
    lab: LabServer, world: World, capsys: Captured
) -> None:
    other = world.add_trail(name="other", validation=False)
    world.run_chain(other, region="us-east-1", start=START, hours=3)
    lab.sync()
    status, run = record(capsys, "--trail-arn", "main")
    assert (status, reasons(run)) == (0, {"log_unreferenced"})
    lab.faults.append(Fault("deny", operation="ListTrails"))
    status, run = record(
        capsys, "--trail-arn", "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
    )
    assert (status, reasons(run)) == (3, {"log_unreferenced"})


def test_keys_stand_in_for_a_region_that_does_not_answer(
    lab: LabServer, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "keys.json"
    saved = ["keys", "--source-region", "eu-west-1", "--source-region", "us-east-1"]
    assert main([*saved, *HOURS, "--output", str(path)]) == 0
    assert "eu-west-1" in path.read_text()
    capsys.readouterr()
    lab.faults.append(Fault("deny", operation="ListPublicKeys", region="eu-west-1"))
    status, run = record(capsys)
    assert (status, reasons(run)) == (3, {"keys_unavailable"})
    status, run = record(capsys, "--keys", str(path))
    assert (status, reasons(run)) == (0, set())
    assert {(key.region, key.origin) for key in run.keys} == {
        ("us-east-1", "ListPublicKeys"),
        ("eu-west-1", "file keys.json"),
    }
    assert main([*saved, *HOURS, "--output", str(tmp_path / "other")]) == 3
    assert "cloudtrail:ListPublicKeys" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


@pytest.mark.usefixtures("lab")
def test_keys_of_a_mistyped_region(tmp_path: Path, capsys: Captured) -> None:
    arguments = ["keys", "--source-region", "eu-wset-1", "--output", str(tmp_path / "keys")]
    assert main(arguments) == 2
    assert "did you mean eu-west-1" in capsys.readouterr().err


def test_a_profile_supplies_the_keys(
    lab: LabServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    configuration = tmp_path / "config"
    configuration.write_text(
        "[profile other]\naws_access_key_id = {AWS_ACCESS_KEY_ID}\n"
        "aws_secret_access_key = lab\nregion = us-east-1\n".format(**lab.environment)
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    lab.faults.append(Fault("deny", operation="ListPublicKeys", region="eu-west-1", last=1))
    _, run = record(capsys, "--keys-profile", "other")
    assert ("eu-west-1", "profile other") in {(key.region, key.origin) for key in run.keys}
    assert run.outcome is Outcome.VALID


def test_trails_are_listed_with_their_state(lab: LabServer, world: World, capsys: Captured) -> None:
    world.add_trail(name="unsigned", validation=False, home_region="eu-west-1")
    lab.sync()
    assert main(["trails", "--format", "json"]) == 0
    listed = {one["name"]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}
    assert listed["main"]["log_file_validation"] is True
    assert listed["main"]["logging"] is True
    assert listed["unsigned"]["log_file_validation"] is False
    assert main(["trails"]) == 0
    assert "--enable-log-file-validation" in capsys.readouterr().out
    lab.faults.append(Fault("deny", operation="GetTrailStatus"))
    assert main(["trails"]) == 0
    out = capsys.readouterr().out
    assert "unknown" in out
    assert "cloudtrail:GetTrailStatus" in out


def test_objects_of_a_bucket_that_is_not_the_expected_owners_prove_nothing(
    lab: LabServer, capsys: Captured
) -> None:
    owner = lab.world.trails[0].account_id
    assert record(capsys, "--expected-bucket-owner", owner)[0] == 0
    assert record(capsys, "--expected-bucket-owner", "999999999999")[0] == 3


def test_a_denied_object_is_undetermined_and_the_command_goes_on(
    lab: LabServer, world: World, capsys: Captured
) -> None:
    log = world.chains[0].log_files[4]
    lab.faults.append(Fault("deny", operation="GetObject", key=log.address[1]))
    status, run = record(capsys)
    assert (status, reasons(run)) == (3, {"object_unreadable"})
    assert run.totals.log_files.undetermined == 1


@pytest.mark.usefixtures("lab")
def test_a_window_without_anything_is_undetermined(capsys: Captured) -> None:
    arguments = ["--start-time", "2025-01-01", "--end-time", "2025-01-01"]
    assert main(["verify", *arguments, "--quiet"]) == 3
    assert "No digests found" in capsys.readouterr().out


def test_the_window_ends_now_by_default(lab: LabServer, world: World, capsys: Captured) -> None:
    del world
    assert lab.endpoint
    before = datetime.now(UTC) - timedelta(seconds=1)
    _, (run,), _ = records(capsys)
    assert before <= run.requested.end <= datetime.now(UTC)


@pytest.mark.usefixtures("lab")
def test_the_command_is_a_process_with_an_exit_status(world: World) -> None:
    attacks.delete_log(world, world.chains[0].log_files[4])
    done = subprocess.run(
        [sys.executable, "-m", "integrity", "verify", *HOURS],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"INVALID: not found" in done.stdout
    assert done.stderr == b""


def test_an_organization_that_may_not_be_asked_for_is_a_note(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    world = World(seed=5)
    trail = world.add_trail(organization_id="o-exampleorgid")
    world.run_chain(trail, account_id="111122223333", start=START, hours=8)
    world.run_chain(trail, account_id="444455556666", start=START, hours=8)
    with serve(world) as lab:
        for name, value in lab.environment.items():
            monkeypatch.setenv(name, value)
        status, run = record(capsys)
        assert (status, reasons(run)) == (0, set())
        assert {chain.account_id for chain in run.chains} == {"111122223333", "444455556666"}
        lab.faults.append(Fault("deny", operation="DescribeOrganization"))
        _, run = record(capsys)
        assert any("organizations:DescribeOrganization" in one for one in run.population.notes)
        main(["trails"])
        assert "organizations:DescribeOrganization" in capsys.readouterr().out
