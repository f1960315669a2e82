"""The service for a process that stays: how it begins, and what it says of its health."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from integrity.errors import AccessError, ConfigError, UsageError
from integrity.wiring import scheduled
from integrity.wiring.health import check_health
from integrity.wiring.scheduled import ScheduledService, open_scheduled
from integrity.wiring.service import Service, TrailTick

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
ENVIRON = {
    "INTEGRITY_NOTIFY": "none",
    "INTEGRITY_METRICS_ENABLED": "false",
    "INTEGRITY_SERVICE_JITTER": "0m",
    "INTEGRITY_TRAILS_0_TRAIL_ARN": ARN,
}


@pytest.fixture(autouse=True)
def logs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Levels that were set: the test's own handlers stay where they are."""
    levels: list[str] = []
    monkeypatch.setattr(scheduled, "log_to_stderr", levels.append)
    monkeypatch.setattr(scheduled, "_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return levels


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {**ENVIRON, "INTEGRITY_STATE_SQLITE_PATH": str(tmp_path / "state.sqlite")}


def begin(environ: Mapping[str, str], stopping: Event | None = None) -> ScheduledService | None:
    return open_scheduled(environ, lambda: NOW, stopping or Event())


def attempted(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], datetime | None]) -> None:
    monkeypatch.setattr(Service, "last_attempted", lambda _: answer())


def ticking(monkeypatch: pytest.MonkeyPatch, *errors: str) -> None:
    ticks = [TrailTick(ARN, None, 3, error) for error in errors]
    monkeypatch.setattr(Service, "tick", lambda *_: ticks)


def why_unwell(now: datetime = NOW) -> str:
    with pytest.raises(AccessError) as refused:
        check_health(now)
    return str(refused.value)


def test_the_first_tick_of_all_is_made_at_once(environ: dict[str, str], logs: list[str]) -> None:
    environ["INTEGRITY_SERVICE_LOG_LEVEL"] = "warning"
    service = begin(environ)
    assert service is not None
    assert service.is_due
    assert logs == ["info", "warning"]
    assert why_unwell().startswith("no tick has ended yet")


def test_one_that_was_missed_is_made_at_once_another_not(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempted(monkeypatch, lambda: NOW - timedelta(hours=3))
    missed = begin(environ)
    assert missed is not None
    assert missed.is_due
    assert why_unwell().startswith("no tick has ended yet")

    attempted(monkeypatch, lambda: NOW - timedelta(minutes=30))
    resting = begin(environ)
    assert resting is not None
    assert not resting.is_due
    health = check_health(NOW)
    assert health.ticked_at == NOW - timedelta(minutes=30)
    assert health.due_by == NOW + timedelta(minutes=80)


def test_what_may_pass_is_waited_for_and_told(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def answer() -> datetime | None:
        if len(said) < 3:
            # Of the first attempt nobody has heard yet, of each further one what came before.
            said.append(why_unwell())
            raise AccessError("the table does not answer")
        return None

    attempted(monkeypatch, answer)
    assert begin(environ) is not None
    assert said[0].startswith("no tick has ended yet")
    assert said[1].endswith("failed: it could not begin: the table does not answer")


def test_who_is_told_to_stop_waits_no_longer(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = Event()

    def answer() -> datetime | None:
        stopping.set()
        raise AccessError("the table does not answer")

    attempted(monkeypatch, answer)
    monkeypatch.setattr(scheduled, "_AGAIN_SECONDS", 3600)
    assert begin(environ, stopping) is None


def test_what_waiting_does_not_mend_is_raised(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no folder"):
        begin({**environ, "INTEGRITY_STATE_SQLITE_PATH": str(tmp_path / "no" / "state.sqlite")})
    with pytest.raises(ConfigError) as refused:
        begin({"INTEGRITY_SERVICE_JITTER": "soon", "INTEGRITY_TRIALS_0_TRAIL_ARN": ARN})
    assert len(refused.value.mistakes) >= 3


def test_trails_without_a_tick_make_it_unwell(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = begin(environ)
    assert service is not None
    ticking(monkeypatch, "no such trail", "no credentials")
    service.tick(Event())
    assert why_unwell().endswith("failed: no such trail; no credentials")
    ticking(monkeypatch)
    service.tick(Event())
    assert check_health(NOW).ticked_at == NOW


def test_a_tick_that_is_refused_as_a_whole_makes_it_unwell(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> list[TrailTick]:
        raise UsageError("no region")

    service = begin(environ)
    assert service is not None
    monkeypatch.setattr(Service, "tick", refuse)
    service.tick(Event())
    assert why_unwell().endswith("failed: no region")


def test_a_tick_that_was_told_to_stop_says_nothing(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = begin(environ)
    assert service is not None
    stopping = Event()
    stopping.set()
    ticking(monkeypatch, "half")
    service.tick(stopping)
    assert why_unwell().startswith("no tick has ended yet")
