"""The built image, once a session, and a lab that containers reach over 127.0.0.1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrity.lab.server import LabServer, serve
from integrity.lab.world import World
from tests.container.engine import ROOT, Engine, obstacle

USER = 10001
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def image() -> Engine:
    """An engine that has the image."""
    if reason := obstacle():
        pytest.skip(reason)
    engine = Engine(ROOT / "build" / "container")
    engine.prepare()
    return engine


@pytest.fixture
def world() -> World:
    """A trail with two chains of eight hours."""
    world = World(seed=5)
    trail = world.add_trail()
    for region in ("us-east-1", "eu-west-1"):
        world.run_chain(trail, region=region, start=START, hours=8)
    return world


@pytest.fixture
def watched() -> World:
    """A trail as a service sees it, whose clock is the machine's: it has logged for two days."""
    now = datetime.now(UTC)
    start = (now - timedelta(hours=50)).replace(minute=0, second=0, microsecond=0)
    world = World(seed=5, now=start + timedelta(hours=1))
    trail = world.add_trail()
    for region in ("us-east-1", "eu-west-1"):
        world.run_chain(trail, region=region, start=start, hours=1)
    world.advance(now)
    return world


@pytest.fixture
def watched_lab(watched: World) -> Iterator[LabServer]:
    """That world, served."""
    with serve(watched) as server:
        yield server


@pytest.fixture
def lab(world: World) -> Iterator[LabServer]:
    """The world, served; `environment` of it is what a container needs."""
    with serve(world) as server:
        yield server


@pytest.fixture
def state(tmp_path: Path) -> str:
    """The option that mounts an empty folder, the image's user's own, as the state."""
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, USER, USER)
    return f"--volume={folder}:/var/lib/integrity"
