"""What `integrity health` makes of what the scheduler last said."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrity.cli import main
from integrity.errors import AccessError
from integrity.wiring.health import check_health, forget_ticks, health_file, note_tick

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def refusal(now: datetime = NOW) -> str:
    with pytest.raises(AccessError) as refused:
        check_health(now)
    return str(refused.value)


def test_well_until_the_next_tick_is_overdue() -> None:
    note_tick(NOW, "", due_by=LATER)
    assert check_health(LATER).ticked_at == NOW
    assert refusal(LATER + timedelta(seconds=1)) == "no tick has ended since 2026-03-01T12:00:00Z"


def test_a_failed_tick_says_why_until_one_is_well_again() -> None:
    note_tick(NOW, "no trail of that name", due_by=LATER)
    assert refusal() == "the tick of 2026-03-01T12:00:00Z failed: no trail of that name"
    note_tick(NOW, "", due_by=LATER)
    assert check_health(NOW).succeeded


def test_before_the_first_tick_and_after_an_earlier_process() -> None:
    assert refusal().startswith("no tick has ended yet")
    note_tick(NOW, "", due_by=LATER)
    forget_ticks()
    assert refusal().startswith("no tick has ended yet")
    forget_ticks()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"ticked_at": 1}'])
def test_what_cannot_be_read_is_not_well(content: bytes) -> None:
    health_file().write_bytes(content)
    assert refusal().startswith("what the last tick said cannot be read")


def test_nowhere_to_write_ends_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "missing"))
    note_tick(NOW, "", due_by=LATER)
    assert [record.message for record in caplog.records] == ["health not written"]

    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    note_tick(NOW, "", due_by=LATER)
    forget_ticks()
    assert len(caplog.records) == 3
    assert "No usable temporary directory" in refusal()


def test_the_command_says_it_by_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health"]) == 3
    assert capsys.readouterr().err.startswith("Error: no tick has ended yet")
    note_tick(datetime.now(UTC), "", due_by=datetime.now(UTC) + timedelta(hours=1))
    assert main(["health"]) == 0
    assert capsys.readouterr().out.startswith("healthy: the last tick ended ")
