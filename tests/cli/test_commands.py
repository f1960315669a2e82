"""`integrity trails` and `keys`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrity.chain.model import TimeWindow
from integrity.cli import main
from integrity.errors import AccessError, UsageError
from integrity.structs import replace
from integrity.wiring import Access, TrailListing
from tests.cli.stand_in import StandIn, trail
from tests.report.samples import ACCOUNT

Captured = pytest.CaptureFixture[str]

SIGNED = TrailListing(trail=trail(), logging=True)
UNSIGNED = TrailListing(trail=trail("plain", validation=False), logging=True)
STOPPED = TrailListing(trail=trail("stopped"), logging=False)
ORGANIZATION = TrailListing(
    trail=replace(
        trail("whole"),
        multi_region=False,
        prefix="a/b",
        organization_id="o-exampleorgid",
        is_organization=True,
    ),
    logging=None,
    detail="cloudtrail:GetTrailStatus is not allowed: allow it",
)


def trails(*listings: TrailListing, arguments: tuple[str, ...] = ()) -> int:
    return main(["trails", *arguments], wiring=StandIn(listings=listings))


def test_trails_are_a_table(capsys: Captured) -> None:
    assert trails(SIGNED, ORGANIZATION) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "NAME"
    assert lines[1].split() == ["main", "us-east-1", "all", ACCOUNT, "logs", "on", "on"]
    assert lines[2].split() == (
        ["whole", "us-east-1", "home", "only", "organization", "logs/a/b", "on", "unknown"]
    )
    assert lines[0].index("BUCKET/PREFIX") == lines[1].index("logs") == lines[2].index("logs")
    assert lines[3:] == ["", "whole: cloudtrail:GetTrailStatus is not allowed: allow it"]


def test_a_trail_that_is_not_signed_is_told_what_to_type(capsys: Captured) -> None:
    assert trails(SIGNED, UNSIGNED, STOPPED) == 0
    out = capsys.readouterr().out
    assert (
        "  aws cloudtrail update-trail --region us-east-1 "
        f"--name {UNSIGNED.trail.arn} --enable-log-file-validation\n"
    ) in out
    assert f"  aws cloudtrail start-logging --region us-east-1 --name {STOPPED.trail.arn}\n" in out
    assert out.count("Next:") == 2


def test_an_account_without_trails_is_told_how_to_make_one(capsys: Captured) -> None:
    assert trails() == 0
    assert "create-trail --enable-log-file-validation" in capsys.readouterr().out


def test_trails_as_json_are_one_line_each(capsys: Captured) -> None:
    assert trails(UNSIGNED, ORGANIZATION, arguments=("--format", "json")) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "name": "plain",
        "trail_arn": UNSIGNED.trail.arn,
        "account_id": ACCOUNT,
        "home_region": "us-east-1",
        "s3_bucket": "logs",
        "s3_prefix": None,
        "multi_region": True,
        "organization": False,
        "organization_id": None,
        "log_file_validation": False,
        "logging": True,
        "detail": "",
    }
    assert (second["organization_id"], second["logging"]) == ("o-exampleorgid", None)


def test_names_from_an_account_are_escaped(capsys: Captured) -> None:
    hostile = replace(SIGNED, trail=replace(trail(validation=False), prefix="\x1b[2J\u202e"))
    trails(replace(hostile, detail="\x1b[2J", logging=False))
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert r"logs/\x1b[2J\u202e" in out


def test_trails_are_asked_for_where_the_options_say() -> None:
    stand_in = StandIn()
    main(["trails", "--profile", "audit", "--region", "eu-central-1"], wiring=stand_in)
    assert stand_in.access == Access(profile="audit", region="eu-central-1")


@pytest.mark.parametrize(("error", "status"), [(UsageError, 2), (AccessError, 3), (KeyError, 70)])
def test_trails_that_cannot_be_listed(
    error: type[Exception], status: int, capsys: Captured
) -> None:
    assert main(["trails"], wiring=StandIn(listings=error("why"))) == status
    shown = capsys.readouterr()
    assert "why" in shown.err
    assert shown.out == ""


def test_keys_are_saved(tmp_path: Path, capsys: Captured) -> None:
    stand_in = StandIn(keys=b"{}\n")
    path = tmp_path / "keys.json"
    arguments = ["keys", "--output", str(path), "--profile", "other"]
    for region in ("us-east-1", "eu-west-1", "us-east-1"):
        arguments += ["--source-region", region]
    arguments += ["--start-time", "2026-01-01", "--end-time", "2026-01-31"]
    assert main(arguments, wiring=stand_in) == 0
    assert path.read_bytes() == b"{}\n"
    assert stand_in.access == Access(profile="other")
    assert stand_in.regions == ("us-east-1", "eu-west-1")
    assert stand_in.window == TimeWindow(
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    )
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"saved the public keys of us-east-1, eu-west-1 to {path}\n"


def test_keys_are_of_the_last_day_by_default(tmp_path: Path) -> None:
    stand_in = StandIn()
    main(["keys", "--source-region", "us-east-1", "--output", str(tmp_path / "k")], wiring=stand_in)
    assert stand_in.window is not None
    assert stand_in.window.end - stand_in.window.start == timedelta(hours=24)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--output", "k"], "Missing option '--source-region'"),
        (["--source-region", "us-east-1"], "Missing option '--output'"),
        (["--source-region", "here", "--output", "k"], "such as us-east-1"),
        (["--source-region", "us-east-1", "--output", "no/such/k"], "there is no folder"),
    ],
)
def test_a_mistyped_request_for_keys(arguments: list[str], told: str, capsys: Captured) -> None:
    stand_in = StandIn()
    assert main(["keys", *arguments], wiring=stand_in) == 2
    assert told in capsys.readouterr().err
    assert stand_in.window is None


def test_a_region_that_does_not_answer_saves_nothing(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "keys.json"
    stand_in = StandIn(keys=AccessError("me-south-1 is not enabled"))
    arguments = ["keys", "--source-region", "me-south-1", "--output", str(path)]
    assert main(arguments, wiring=stand_in) == 3
    assert capsys.readouterr().err == "Error: me-south-1 is not enabled\n"
    assert not list(tmp_path.iterdir())
