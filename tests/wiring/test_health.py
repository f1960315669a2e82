"""The health file: well, failed, overdue, missing, or not one."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrity.cli import main
from integrity.errors import AccessError
from integrity.wiring.health import Health, check_health, health_file, note_tick

NOW = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_after_a_good_tick_it_is_well_until_the_next_is_overdue() -> None:
    note_tick(NOW, "", due_by=NOW + 2 * HOUR)
    well = Health(ticked_at=NOW, succeeded=True, due_by=NOW + 2 * HOUR)

    assert check_health(health_file(), NOW) == well
    assert check_health(health_file(), NOW + 2 * HOUR) == well
    with pytest.raises(AccessError, match="no tick has ended since 2026-03-01T12:20:00Z"):
        check_health(health_file(), NOW + 2 * HOUR + timedelta(seconds=1))


def test_after_a_failed_tick_it_is_not_until_one_succeeds() -> None:
    note_tick(NOW, "no credentials", due_by=NOW + 2 * HOUR)
    with pytest.raises(AccessError, match=r"the tick of 2026-03-01T12:20:00Z failed: no cred"):
        check_health(health_file(), NOW)

    note_tick(NOW + HOUR, "", due_by=NOW + 3 * HOUR)
    assert check_health(health_file(), NOW + HOUR).succeeded


def test_before_the_first_tick_it_is_not_known() -> None:
    with pytest.raises(AccessError, match="no tick has ended yet"):
        check_health(health_file(), NOW)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[[[[",
        b"\xff\xfe",
        b'{"ticked_at":"2026-03-01T12:20:00","succeeded":true,"due_by":"2026-03-01T14:20:00"}',
    ],
)
def test_a_file_that_is_none_is_named(folder: Path, content: bytes) -> None:
    health_file().write_bytes(content)
    with pytest.raises(AccessError, match=r"integrity-health\.json cannot be read"):
        check_health(health_file(), NOW)
    assert health_file().parent == folder


def test_a_full_disk_ends_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "integrity-health.json.new").mkdir()
    note_tick(NOW, "", due_by=NOW + HOUR)
    assert caplog.messages == ["health not written"]


def test_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    assert main(["health"]) == 3
    note_tick(now, "", due_by=now + HOUR)
    assert main(["health"]) == 0
    note_tick(now, "access denied\n\x1b[2J", due_by=now + HOUR)
    assert main(["health"]) == 3
    shown = capsys.readouterr()
    assert shown.out.startswith("healthy: the last tick ended ")
    assert "failed: access denied" in shown.err
    assert "\x1b" not in shown.err
