"""A service's configuration on a served world, and what the doctor says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from integrity.cli import main
from integrity.lab.server import serve
from tests.lab_aws import bare_environment
from tests.service.stage import Stage, make_world
from tests.topics import count_subscriptions

__all__ = ["bare_environment"]


@dataclass
class Examined:
    """What came of an examination: the status, the document, and its checks by name."""

    status: int
    document: dict[str, Any]
    checks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for check in self.document["checks"]:
            self.checks.setdefault(check["name"], []).append(check)

    def one(self, name: str) -> dict[str, Any]:
        """The only check of that name."""
        [check] = self.checks[name]
        return check

    def bad(self) -> set[str]:
        """The names of what counts."""
        return {check["name"] for check in self.document["checks"] if check["fault"]}


class Clinic:
    """The stage with its doctor. `stage.settings` and `trail_settings` change the configuration."""

    def __init__(
        self,
        stage: Stage,
        patch: pytest.MonkeyPatch,
        captured: pytest.CaptureFixture[str],
    ) -> None:
        self.stage, self.patch, self._captured = stage, patch, captured
        patch.setattr("integrity.cli.doctor.read_clock", lambda: stage.world.now)

    def examine(self, *options: str, toml: str = "") -> Examined:
        status, shown = self.shown("--format", "json", *options, toml=toml)
        return Examined(status, json.loads(shown))

    def shown(self, *options: str, toml: str = "") -> tuple[int, str]:
        self.patch.setenv("INTEGRITY_CONFIG_TOML", toml or self.stage.toml())
        count_subscriptions()
        status = main(["doctor", *options])
        captured = self._captured.readouterr()
        assert captured.err == ""
        return status, captured.out


@pytest.fixture
def clinic(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Clinic]:
    world = make_world()
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield Clinic(Stage(world, server, tmp_path), monkeypatch, capsys)
