"""AWS for the tests: an environment that names only a server of 127.0.0.1, and quick recipes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.lab.server import LabServer, serve
from integrity.lab.world import World

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, profile, proxy or endpoint of the machine that runs the tests."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def recipe() -> AwsRecipe:
    """Two attempts at everything, so that what fails for ever fails soon."""
    return AwsRecipe(attempts=2, first_wait=0.01, connect_timeout=1, read_timeout=2)


@pytest.fixture
def world() -> World:
    """A world without a chain: one trail, one bucket."""
    world = World(now=NOW)
    world.add_trail()
    return world


@pytest.fixture
def lab(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    """The world, served, and an environment that leads to it."""
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def aws(lab: LabServer, recipe: AwsRecipe) -> Aws:
    """The caller's own session."""
    assert lab.endpoint
    return recipe.open()
