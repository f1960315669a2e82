"""`integrity verify --plan`: how much it will be, before anything is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrity.chain.model import TimeWindow
from integrity.cli import main
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer, serve
from integrity.lab.world import World
from integrity.structs import replace
from integrity.verify.forecast import Forecast, Requests, Share
from tests.cli.stand_in import StandIn
from tests.report.samples import ACCOUNT, ARN, run

START = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-01T06:00:00Z")

Captured = pytest.CaptureFixture[str]

FORECAST = Forecast(
    trail_arn=ARN,
    window=TimeWindow(START, START.replace(day=31)),
    shares=(
        Share(
            account_id=ACCOUNT,
            region="us-east-1",
            chains=2,
            digest_files=721,
            log_files=1_234_567,
            stored_bytes=98_765_432_100,
        ),
        Share(
            account_id=ACCOUNT,
            region="eu-west-1",
            chains=1,
            digest_files=720,
            log_files=0,
            stored_bytes=400,
        ),
    ),
    made=Requests(list_objects=1300, get_object=0, list_public_keys=2),
    needed=Requests(list_objects=1360, get_object=1_236_069, list_public_keys=2),
)


def plan(*arguments: str, forecasts: tuple[Forecast, ...] = (FORECAST,)) -> tuple[int, StandIn]:
    stand_in = StandIn([run()] * len(forecasts), forecasts=forecasts)
    return main(["verify", "--plan", *arguments], wiring=stand_in), stand_in


def test_the_text_has_a_line_a_region_and_the_requests(capsys: Captured) -> None:
    assert plan()[0] == 0
    assert capsys.readouterr().out.splitlines()[:-2] == [
        f"To verify {ARN} between 2026-03-01T00:00:00Z and 2026-03-31T00:00:00Z",
        "",
        "account       region     chains  digest files  log files   stored",
        "111122223333  us-east-1       2           721  1,234,567  98.8 GB",
        "111122223333  eu-west-1       1           720          0    400 B",
        "all                           3         1,441  1,234,567  98.8 GB",
        "",
        "requests        made so far  it will take",
        "LIST                  1,300         1,360",
        "GET                       0     1,236,069",
        "ListPublicKeys            2             2",
        "",
    ]


def test_the_document_is_json_lines(capsys: Captured, tmp_path: Path) -> None:
    forecasts = (FORECAST, replace(FORECAST, shares=()))
    assert plan("--format", "json", forecasts=forecasts)[0] == 0
    one, other = map(json.loads, capsys.readouterr().out.splitlines())
    assert one["schema_version"] == 1
    assert one["needed"] == {"list_objects": 1360, "get_object": 1236069, "list_public_keys": 2}
    assert one["shares"][0]["stored_bytes"] == 98765432100
    assert other["shares"] == []

    output = tmp_path / "plan.json"
    assert plan("--format", "json", "--output", str(output))[0] == 0
    assert json.loads(output.read_text()) == one


def test_a_trail_without_a_chain_takes_nothing(capsys: Captured) -> None:
    assert plan(forecasts=(replace(FORECAST, shares=()),))[0] == 0
    assert "all                   0             0          0     0 B" in capsys.readouterr().out


def test_what_could_not_be_listed_is_status_3(capsys: Captured) -> None:
    assert plan(forecasts=(replace(FORECAST, unlisted=("s3://b/\x1b: denied",)),))[0] == 3
    assert "not counted: s3://b/\\x1b: denied" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["--report", "r.html"], ["--resume", "r.part"], ["--verbose"], ["--quiet"]],
)
def test_what_has_no_meaning_is_refused(arguments: list[str], capsys: Captured) -> None:
    assert plan(*arguments)[0] == 2
    assert f"leave {arguments[0]} out" in capsys.readouterr().err


def test_of_a_folder_there_is_no_plan(tmp_path: Path, capsys: Captured) -> None:
    assert plan("--bundle", str(tmp_path))[0] == 2
    assert "leave --bundle out" in capsys.readouterr().err


# On the lab


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    world = World(seed=5)
    trail = world.add_trail()
    for region in ("us-east-1", "eu-west-1"):
        world.run_chain(trail, region=region, start=START, hours=8)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def test_no_object_is_read_and_the_verification_takes_what_was_said(
    lab: LabServer, capsys: Captured
) -> None:
    assert main(["verify", *HOURS, "--plan", "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    asked = lab.requests.by_operation
    assert asked["GetObject"] == asked["HeadObject"] == 0
    assert said["made"]["list_objects"] == asked["ListObjectsV2"]
    assert said["made"]["list_public_keys"] == asked["ListPublicKeys"] == 2

    lab.requests.clear()
    assert main(["verify", *HOURS]) == 0
    assert said["needed"]["list_objects"] == pytest.approx(asked["ListObjectsV2"], abs=6)
    assert said["needed"]["get_object"] == pytest.approx(asked["GetObject"], abs=4)
    assert said["needed"]["list_public_keys"] == asked["ListPublicKeys"]


def test_a_denied_listing_is_told(lab: LabServer, capsys: Captured) -> None:
    lab.faults.append(Fault("deny", operation="ListObjectsV2", first=6))
    assert main(["verify", *HOURS, "--plan"]) == 3
    assert "not counted: s3://" in capsys.readouterr().out


@pytest.mark.usefixtures("lab")
def test_an_unknown_region_is_a_usage_error(capsys: Captured) -> None:
    assert main(["verify", *HOURS, "--plan", "--source-region", "xx-nowhere-1"]) == 2
    assert "xx-nowhere-1" in capsys.readouterr().err
