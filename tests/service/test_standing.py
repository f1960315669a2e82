"""How trails stand, read out of the stores of a service that has ticked; and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integrity.cli import main
from integrity.config.parse import parse_config
from integrity.lab import attacks
from integrity.record import Run, decode
from integrity.report.standing import Standing
from integrity.wiring.service import Service
from integrity.wiring.standing import Standings
from integrity.wiring.timetable import Timetable
from tests.service.stage import Stage

Captured = pytest.CaptureFixture[str]


def standings(stage: Stage, days: int = 1) -> Standings:
    config = parse_config(stage.toml(), {})
    service = Service(config, lambda: stage.world.now)
    timetable = Timetable(config.service)
    return Standings(service, config, timetable, lambda: stage.world.now, days=days)


def hours(standing: Standing) -> str:
    [chain] = standing.trails[0].chains
    return chain.hours


@pytest.fixture
def ticked(stage: Stage) -> Stage:
    assert stage.tick().status == 0
    return stage


def records(stage: Stage) -> list[Path]:
    return sorted((stage.folder / "records").rglob("*.json"))


def test_before_the_first_tick_nothing_is_known(stage: Stage) -> None:
    (stage.folder / "records").mkdir()
    [trail] = standings(stage).read().trails
    assert (trail.last_tick, trail.chains, trail.incidents) == (None, (), ())


def test_the_last_days_are_put_together_from_the_records(ticked: Stage) -> None:
    """Ticked at 06:45 of the second day, then twice more; the trail began at midnight."""
    reading = standings(ticked)
    first = reading.read()
    # The first window began at 06:45 of the first day; that day was then proven whole.
    assert hours(first) == "P" * 30 + "."
    assert first.trails[0].chains[0].proven_until == ticked.newest.end
    lost = ticked.newest.log_files[0]
    ticked.pass_hours()
    attacks.delete_log(ticked.world, lost)
    assert ticked.tick().status == 1
    ticked.pass_hours()
    assert ticked.tick().status == 1
    later = reading.read()
    assert hours(later) == "P" * 29 + "XPP."
    [incident] = later.trails[0].incidents
    assert (incident.reason, incident.count) == ("log_missing", 1)
    assert standings(ticked).read() == later


def test_records_are_read_once(ticked: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, seen = standings(ticked), list[bytes]()

    def read(document: bytes) -> Run:
        seen.append(document)
        return decode(document)

    monkeypatch.setattr("integrity.wiring.standing.decode", read)
    reading.read()
    reading.read()
    assert len(seen) == 1


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_a_record_that_is_not_what_was_written_tells_nothing(ticked: Stage, harm: str) -> None:
    [record] = records(ticked)
    if harm == "gone":
        record.unlink()
    else:
        document = record.read_bytes()
        record.unlink()
        record.write_bytes(document.replace(b"valid", b"VALID"))
    standing = standings(ticked).read()
    assert standing.trails[0].records_amiss == 1
    assert hours(standing) == ""


def test_a_record_of_another_version_tells_nothing(
    ticked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrity.record.document.SCHEMA_VERSION", 2)
    assert standings(ticked).read().trails[0].records_amiss == 1


def test_what_is_past_is_forgotten(ticked: Stage) -> None:
    reading = standings(ticked)
    reading.read()
    ticked.pass_hours(24 * 3)
    assert hours(reading.read()) == ""
    assert reading.read().trails[0].last_tick is not None


def test_the_command_shows_it(
    ticked: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("INTEGRITY_CONFIG_TOML", ticked.toml())
    monkeypatch.setattr("integrity.cli.status.read_clock", lambda: ticked.world.now)
    assert main(["status"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.splitlines()[2] == f"Trail      {ticked.trail_arn}"
    assert shown.out.splitlines()[-1].endswith("proven up to 2026-03-02T06:00:00Z  PPPPPP.")
    assert main(["status", "--days", "1", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["trails"][0]["trail_arn"] == ticked.trail_arn


def test_a_store_that_is_nowhere_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    toml = stage.toml().replace(f"{stage.folder}/state", f"{stage.folder}/nowhere/state")
    monkeypatch.setenv("INTEGRITY_CONFIG_TOML", toml)
    assert main(["status"]) == 2
    assert "Traceback" not in capsys.readouterr().err
