"""A process that makes one tick at a given time, and dies at a named point of it.

`python -m tests.service.dying TIME POINT` is killed there; `... TIME meet:FOLDER` waits, once it
has loaded the state, for another process that does the same. It is configured by its environment.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from integrity.deliver.cloudwatch import Metrics
from integrity.deliver.sns import SnsTopic
from integrity.service.hearing import Hearing
from integrity.stores.dynamodb import DynamoDbStore
from integrity.stores.records_folder import FolderRecords
from integrity.stores.sqlite import SqliteStore
from integrity.wiring.configuration import load_config
from integrity.wiring.service import Service
from integrity.wiring.watched import Opened

STORES: tuple[type, ...] = (SqliteStore, DynamoDbStore)

# Before or after which call of which method, and how often it was called by then.
POINTS: dict[str, tuple[tuple[type, ...], str, str, int]] = {
    "loaded": (STORES, "load", "after", 1),
    "verified": ((Opened,), "verify", "after", 1),
    "recorded": ((FolderRecords,), "write", "after", 1),
    "committing": (STORES, "commit", "before", 1),
    "committed": (STORES, "commit", "after", 1),
    "claimed": (STORES, "claim_letters", "after", 1),
    "taken": ((SnsTopic,), "deliver", "after", 1),
    "marked": (STORES, "mark_sent", "after", 1),
    "taken, the last": ((SnsTopic,), "deliver", "after", 2),
    "marked, the last": (STORES, "mark_sent", "after", 2),
    "measuring": ((Metrics,), "put", "before", 1),
    "beating": ((Metrics,), "put", "before", 2),
    "beaten": ((Metrics,), "put", "after", 2),
}
# Of a tick that has rules.
RULE_POINTS: dict[str, tuple[tuple[type, ...], str, str, int]] = {
    "asked": ((Hearing,), "hear", "after", 1),
}
IN_PAIRS = 2


def die(_calls: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def meet(folder: Path) -> None:
    """Go on when there are two."""
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < IN_PAIRS:
        time.sleep(0.01)


def interpose(owner: type, name: str, moment: str, number: int, act: Callable[[int], None]) -> None:
    """`act` before or after the call of that number of a method."""
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def interposed(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if (moment, number) == ("before", calls):
            act(calls)
        result = real(*arguments, **options)
        if (moment, number) == ("after", calls):
            act(calls)
        return result

    setattr(owner, name, interposed)


def main(now: datetime, point: str) -> int:
    act: Callable[[int], None] = die
    named = point
    if point.startswith("meet:"):
        act, named = lambda _: meet(Path(point.removeprefix("meet:"))), "loaded"
    owners, name, moment, number = (POINTS | RULE_POINTS)[named]
    for owner in owners:
        interpose(owner, name, moment, number, act)
    [tick] = Service(load_config(os.environ), lambda: now).tick(Event())
    return tick.status


if __name__ == "__main__":
    sys.exit(main(datetime.fromisoformat(sys.argv[1]), sys.argv[2]))
