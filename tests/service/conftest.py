"""A stage on a served world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrity.lab.server import serve
from tests.lab_aws import bare_environment
from tests.service.stage import Stage, make_world

__all__ = ["bare_environment"]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stage]:
    world = make_world()
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield Stage(world, server, tmp_path)
