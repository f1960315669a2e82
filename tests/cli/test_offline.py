"""What `--copy`, `--bundle` and `--original` mean together, and what contradicts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrity.chain.model import TimeWindow
from integrity.cli import main
from integrity.wiring import Offline
from tests.cli.stand_in import StandIn
from tests.scenarios.stage import DAY, START

HELD = TimeWindow(START, START + DAY)


@pytest.fixture
def keys(tmp_path: Path) -> str:
    (tmp_path / "keys.json").write_bytes(b"{}")
    return str(tmp_path / "keys.json")


def test_a_copy_is_verified_as_far_as_it_reaches(tmp_path: Path, keys: str) -> None:
    stand_in = StandIn(held=HELD)
    typed = ["--copy", str(tmp_path), "--original", "s3://logs/audit/", "--keys", keys]
    assert main(["verify", *typed], wiring=stand_in) == 0
    assert stand_in.offline == Offline(
        folder=tmp_path, original=("logs", "audit/"), keys_file=Path(keys)
    )
    assert stand_in.access is None
    assert stand_in.jobs[0].window == HELD


def test_a_replica_is_asked_in_the_originals_name() -> None:
    stand_in = StandIn()
    typed = ["--trail-arn", "main", "--s3-bucket", "copies", "--original", "s3://logs/audit"]
    assert main(["verify", *typed], wiring=stand_in) == 0
    assert stand_in.access is not None
    assert stand_in.claim is not None
    assert (stand_in.claim.bucket, stand_in.claim.prefix) == ("logs", "audit")
    assert stand_in.access.original == ("logs", "audit/")
    assert stand_in.access.replica == ("copies", "audit/")
    main(["verify", *typed, "--s3-prefix", "here"], wiring=stand_in)
    assert stand_in.access.replica == ("copies", "here/")


CONTRADICTIONS = [
    (["--copy", "D"], "add --original"),
    (["--copy", "D", "--original", "s3://b-b"], "add --keys"),
    (["--copy", "D", "--bundle", "D"], "leave one of them out"),
    (["--bundle", "D", "--original", "s3://b-b"], "leave both out"),
    (["--bundle", "D", "--profile", "p"], "--profile is of AWS"),
    (["--bundle", "D", "--output", "D/run.json"], "--output lies in"),
    (["--bundle", "D", "--report", "D/run.html"], "--report lies in"),
    (["--original", "s3://b-b"], "add one of them"),
    (["--original", "b-b"], "expected s3://BUCKET"),
    (["--bundle", "D"], "name the folder that integrity bundle wrote"),
]


@pytest.mark.parametrize(("typed", "said"), CONTRADICTIONS)
def test_what_contradicts_itself_is_said(
    typed: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "D").mkdir()
    meant = [
        word.replace("D", str(tmp_path / "D"), 1) if word[0] == "D" else word for word in typed
    ]
    assert main(["verify", *meant]) == 2
    assert said in capsys.readouterr().err
