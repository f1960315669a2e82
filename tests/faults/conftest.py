"""A small trail behind a server with trouble, and the command with waits too short to notice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from integrity.aws.session import AwsRecipe
from integrity.cli import main
from integrity.lab.server import LabServer, serve
from integrity.lab.world import World
from integrity.record import Run, decode
from integrity.wiring import Access, Connection, open_offline

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-01T06:00:00Z")
REGIONS = ("us-east-1", "eu-west-1")


@dataclass
class Quick:
    """Stands in for `integrity.wiring`, and only hurries: real sources, real S3, short waits."""

    attempts: int = 4
    read_timeout: float = 5.0
    transfer_timeout: float = 900.0

    open_offline = staticmethod(open_offline)

    def connect(self, access: Access, *, now: datetime) -> Connection:
        recipe = AwsRecipe(
            profile=access.profile,
            region=access.region,
            max_connections=access.concurrency,
            attempts=self.attempts,
            first_wait=0.001,
            longest_wait=0.01,
            connect_timeout=1.0,
            read_timeout=self.read_timeout,
            transfer_timeout=self.transfer_timeout,
        )
        aws = recipe.open()
        return Connection(access, aws, aws, now)


Verify = Callable[..., tuple[int, Run]]


@pytest.fixture
def world() -> World:
    """One trail in two regions."""
    world = World(seed=5)
    trail = world.add_trail()
    for region in REGIONS:
        world.run_chain(trail, region=region, start=START, hours=8)
    return world


@pytest.fixture
def lab(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabServer]:
    """The trail, served, and an environment that leads to it and nowhere else."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def verify(lab: LabServer, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Runs the command over the window: its exit status, and the record that it wrote."""
    assert lab.endpoint

    def run(*arguments: str, quick: Quick | None = None) -> tuple[int, Run]:
        typed = ["verify", "--format", "json", *WINDOW, *arguments]
        status = main(typed, wiring=quick or Quick())
        shown = capsys.readouterr()
        assert shown.err == ""
        return status, decode(shown.out.encode())

    return run
