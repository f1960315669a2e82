"""`integrity find`: one file, one answer, one exit status."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integrity.cli import main
from integrity.lab import attacks
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer, serve
from integrity.lab.world import LabLog, World
from tests.cli.stand_in import StandIn

START = datetime(2026, 3, 1, tzinfo=UTC)

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def world() -> World:
    world = World(seed=5)
    world.run_chain(world.add_trail(), start=START, hours=6, logs_per_hour=1)
    return world


@pytest.fixture
def lab(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def log(world: World) -> LabLog:
    return world.chains[0].log_files[3]


def uri(log: LabLog) -> str:
    bucket, key = log.address
    return f"s3://{bucket}/{key}"


@pytest.mark.usefixtures("lab")
def test_a_delivered_file_is_status_0_and_names_its_digest(log: LabLog, capsys: Captured) -> None:
    assert main(["find", uri(log)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{uri(log)}  DELIVERED"
    assert any(line.startswith("  named by   s3://trail-logs/AWSLogs/") for line in lines)
    assert any("of trail main (us-east-1), standard, 2026-03-01T0" in line for line in lines)
    assert any(line.startswith("  signed by  key ") for line in lines)
    assert sum("(authentic, linked)" in line for line in lines) == 2


@pytest.mark.usefixtures("lab")
def test_the_document_says_the_same(log: LabLog, capsys: Captured) -> None:
    assert main(["find", uri(log), "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["s3_uri"], said["word"], said["outcome"]) == (uri(log), "delivered", "valid")
    (voucher,) = said["vouchers"]
    assert voucher["previous"]["is_linked"] is voucher["following"]["is_linked"] is True
    assert len(voucher["log_sha256"]) == len(voucher["sha256"]) == 64


@pytest.mark.usefixtures("lab")
def test_an_edited_file_is_status_1(world: World, log: LabLog, capsys: Captured) -> None:
    attacks.edit_log(world, log)
    assert main(["find", uri(log)]) == 1
    assert capsys.readouterr().out.startswith(f"{uri(log)}  CONTRADICTED\n  log file's content is")


@pytest.mark.usefixtures("lab")
def test_a_deleted_file_is_status_1(world: World, log: LabLog, capsys: Captured) -> None:
    attacks.delete_log(world, log)
    assert main(["find", uri(log)]) == 1
    assert "named by   s3://" in capsys.readouterr().out


@pytest.mark.usefixtures("lab")
def test_a_forged_file_is_status_3(world: World, capsys: Captured) -> None:
    newest = START + timedelta(hours=2, minutes=5)
    bucket, key = attacks.plant_log(world, world.chains[0], newest=newest)
    assert main(["find", f"s3://{bucket}/{key}"]) == 3
    out = capsys.readouterr().out
    assert "UNREFERENCED" in out
    assert "digest files read and found authentic: " in out


def test_trouble_is_status_3(lab: LabServer, log: LabLog, capsys: Captured) -> None:
    lab.faults.append(Fault("deny", operation="GetObject"))
    assert main(["find", uri(log)]) == 3
    out = capsys.readouterr().out
    assert "UNATTESTED" in out
    assert "object_unreadable: " in out


@pytest.mark.usefixtures("lab")
def test_a_bucket_that_is_not_there_holds_nothing(log: LabLog, capsys: Captured) -> None:
    assert main(["find", uri(log).replace("trail-logs", "no-such-bucket")]) == 3
    assert "ABSENT" in capsys.readouterr().out


@pytest.mark.usefixtures("lab")
def test_a_trail_can_be_named(log: LabLog, capsys: Captured) -> None:
    arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
    assert main(["find", uri(log), "--trail-arn", arn]) == 0
    assert main(["find", uri(log), "--trail-arn", arn.replace("main", "other")]) == 3
    assert main(["find", uri(log), "--trail-arn", "main"]) == 2
    assert "has to be named in full" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("trail-logs/key", "names no object"),
        ("s3://trail-logs", "names no object"),
        ("s3://trail-logs/", "names no object"),
        ("s3://trail-logs/README.md", "is not named like a log file"),
        ("s3://b/AWSLogs/1/CloudTrail/\x1b[31m", "is not named like a log file"),
    ],
)
def test_what_is_no_log_file_is_status_2(named: str, said: str, capsys: Captured) -> None:
    assert main(["find", named], wiring=StandIn()) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "\x1b" not in error


def test_a_digest_is_verifys(world: World, capsys: Captured) -> None:
    bucket, key = world.chains[0].digests[2].address
    assert main(["find", f"s3://{bucket}/{key}"], wiring=StandIn()) == 2
    assert "integrity verify checks it" in capsys.readouterr().err
