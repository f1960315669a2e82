"""`integrity verify --resume`: typed again after an interruption, the same command goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrity.cli import main
from integrity.errors import AccessError
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer, serve
from integrity.lab.world import World
from tests.cli.stand_in import Answer, StandIn
from tests.report.samples import ARN, run

START = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-02T06:00:00Z")

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "q1.part"


def verify(part: Path, *arguments: str, **stand: Any) -> tuple[int, StandIn]:
    stand_in = StandIn(**stand)
    return main(["verify", "--resume", str(part), *arguments], wiring=stand_in), stand_in


def test_what_is_done_leaves_nothing(part: Path) -> None:
    status, stand_in = verify(part)
    (keeping,) = stand_in.keeping
    assert status == 0
    assert keeping is not None
    assert not keeping.is_fixed
    assert not part.exists()


def test_without_it_nothing_is_kept() -> None:
    stand_in = StandIn()
    assert main(["verify"], wiring=stand_in) == 0
    assert stand_in.keeping == [None]


def test_a_time_with_both_ends_is_fixed(part: Path) -> None:
    _, stand_in = verify(part, *HOURS)
    assert stand_in.keeping[0] is not None
    assert stand_in.keeping[0].is_fixed


def keep(stand_in: StandIn) -> None:
    """As a verification does that is under way."""
    keeping = stand_in.keeping[-1]
    assert keeping is not None
    keeping.parts.save("begun", b"part")


@pytest.mark.parametrize("end", [KeyboardInterrupt(), AccessError("throttled"), RuntimeError()])
def test_what_ends_early_is_kept(end: BaseException, part: Path, capsys: Captured) -> None:
    stand_in = StandIn([])

    def ends(_: object) -> Any:
        keep(stand_in)
        raise end

    stand_in.answers = [ends]
    arguments = ["verify", "--resume", str(part)]
    assert main(arguments, wiring=stand_in) != 0
    assert part.exists()
    capsys.readouterr()

    assert main(arguments, wiring=StandIn()) == 0
    assert f"goes on from what {part} has of it" in capsys.readouterr().err
    assert not part.exists()


def test_a_segment_that_met_trouble_keeps_the_rest(part: Path, capsys: Captured) -> None:
    stand_in = StandIn([])

    def kept(_: object) -> Any:
        keep(stand_in)
        return run()

    stand_in.answers, stand_in.left = [kept], 2
    assert main(["verify", "--resume", str(part)], wiring=stand_in) == 0
    assert "2 segments (a day of an account's region) met trouble" in capsys.readouterr().err
    assert part.exists()

    assert verify(part, "--quiet")[0] == 0
    assert capsys.readouterr().err == ""


def test_a_trail_that_is_done_waits_for_the_others(part: Path) -> None:
    stand_in = StandIn([])

    def first(_: object) -> Any:
        keep(stand_in)
        return run()

    answers: list[Answer] = [first, KeyboardInterrupt()]
    stand_in.answers = answers
    assert main(["verify", "--resume", str(part)], wiring=stand_in) == 130
    assert part.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--verbose"], "leave --verbose or --resume out"),
        (["--output", "PART"], "are different files"),
        (["--report", "PART"], "are different files"),
    ],
)
def test_contradictions_are_usage_errors(
    arguments: list[str], said: str, part: Path, capsys: Captured
) -> None:
    typed = [str(part) if word == "PART" else word for word in arguments]
    assert verify(part, *typed)[0] == 2
    assert said in capsys.readouterr().err
    assert not part.exists()


def test_it_does_not_lie_in_what_is_judged(tmp_path: Path, capsys: Captured) -> None:
    inside = tmp_path / "q1.part"
    assert verify(inside, "--bundle", str(tmp_path))[0] == 2
    assert "--resume lies in" in capsys.readouterr().err


# On the lab


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    world = World(seed=5)
    world.run_chain(world.add_trail(), start=START, hours=32, logs_per_hour=1)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def test_after_trouble_only_what_met_it_is_read_again(
    lab: LabServer, part: Path, capsys: Captured
) -> None:
    lab.faults.append(Fault("deny", operation="GetObject", key="CloudTrail/us-east-1/2026/03/02"))
    arguments = ["verify", *HOURS, "--format", "json", "--resume", str(part)]
    assert main(arguments) == 3
    assert "1 segment (a day" in capsys.readouterr().err

    lab.faults.clear()
    lab.requests.clear()
    assert main(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["totals"]["log_files"]["valid"] == 31
    assert len(record["run"]["resumed_at"]) == 1
    first_day = [key for _, key in lab.requests.by_key if "us-east-1/2026/03/01" in key]
    assert len(first_day) <= 1, "the last digest of it is looked at from the second day"
    assert not part.exists()


def test_the_text_says_that_it_was_resumed(lab: LabServer, part: Path, capsys: Captured) -> None:
    lab.faults.append(Fault("deny", operation="GetObject", key="CloudTrail/us-east-1/2026/03/02"))
    main(["verify", *HOURS, "--resume", str(part)])
    assert "Resumed" not in capsys.readouterr().out
    lab.faults.clear()
    assert main(["verify", *HOURS, "--resume", str(part)]) == 0
    assert "Resumed    1 time: each object was read between " in capsys.readouterr().out


@pytest.mark.slow
def test_a_lab_year_interrupted_three_times_ends_with_the_same_record(
    tmp_path: Path, part: Path
) -> None:
    """8,760 digests; asked to stop twice, and killed once."""
    began = datetime(2025, 3, 1, tzinfo=UTC)
    world = World(seed=1, now=datetime(2026, 3, 2, tzinfo=UTC))
    world.run_chain(world.add_trail(), start=began, hours=8760, logs_per_hour=0)
    with serve(world) as server:
        environment = {**os.environ, **server.environment}
        asked = ("--start-time", "2025-03-01", "--end-time", "2026-02-28", "--format", "json")
        program = (sys.executable, "-m", "integrity", "verify", *asked)

        def record_of(name: str, *more: str, stop: int | None = None) -> Any:
            output = tmp_path / name
            process = subprocess.Popen([*program, "--output", str(output), *more], env=environment)
            if stop is not None:
                wait_for_more(part)
                process.send_signal(stop)
            status = process.wait(timeout=300)
            killed = stop is signal.SIGKILL
            assert status == (0 if stop is None else -signal.SIGKILL if killed else 130)
            return json.loads(output.read_bytes()) if output.exists() else None

        whole = record_of("whole.json")
        resume = ("--resume", str(part))
        cut = record_of("one.json", *resume, stop=signal.SIGTERM)
        assert cut["run"]["interrupted"]
        assert record_of("two.json", *resume, stop=signal.SIGKILL) is None
        record_of("three.json", *resume, stop=signal.SIGINT)
        server.requests.clear()
        resumed = record_of("four.json", *resume)

    assert server.requests.by_operation["GetObject"] < 8760
    assert len(resumed["run"]["resumed_at"]) == 3
    assert resumed["totals"]["digest_files"] == {"valid": 8761, "invalid": 0, "undetermined": 0}
    assert resumed["trail_arn"] == ARN
    assert alike(resumed) == alike(whole)
    assert not part.exists()


def wait_for_more(part: Path) -> None:
    """Until some more segments are kept."""

    def size() -> int:
        paths = (part, part.with_name(part.name + "-wal"))
        return sum(path.stat().st_size for path in paths if path.exists())

    before, until = size(), time.monotonic() + 120
    while size() < before + 300_000:
        assert time.monotonic() < until
        time.sleep(0.05)


def alike(record: Any) -> Any:
    """The record but for when it was made, and of whose run it is."""
    times = ("id", "started_at", "finished_at", "judged_at", "resumed_at")
    run = {name: value for name, value in record["run"].items() if name not in times}
    keys = [{**key, "fetched_at": None} for key in record["keys"]]
    return {**record, "run": run, "keys": keys}
