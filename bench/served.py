"""A lab world behind a server of its own process, for who measures a client.

What it costs to make the world and to answer is no part of what is measured.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from integrity.lab.faults import Fault
from integrity.lab.server import serve
from integrity.lab.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)
BIN = Path(sys.executable).parent


def environment_without_aws() -> dict[str, str]:
    """This process's environment, but for what speaks to AWS clients.

    And what pip installs is compiled; a checkout is not, where a variable keeps the first run from
    it.
    """
    odd = ("AWS_", "PYTHONDONTWRITEBYTECODE")
    return {name: text for name, text in os.environ.items() if not name.startswith(odd)}


def _serve(make: Callable[[], World], delay: float, tell: Connection) -> None:
    world = make()
    with serve(world) as server:
        if delay:
            server.faults.append(Fault("delay", seconds=delay))
        tell.send((server.environment, world.trails[0].arn))
        tell.recv()


@contextmanager
def served(make: Callable[[], World], delay: float) -> Iterator[tuple[dict[str, str], str]]:
    """The environment to reach the world that `make` makes with, and its trail's ARN."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(make, delay, there))
    process.start()
    there.close()  # so that a server that dies is heard of, instead of waited for
    try:
        yield here.recv()
    finally:
        here.send("enough")
        process.join()
