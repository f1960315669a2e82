"""Whole processes, run and measured: wall clock, CPU time, and the most memory that they took."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

BIN = Path(sys.executable).parent
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Command:
    """What is run, as whom."""

    words: tuple[str, ...]
    environment: dict[str, str]

    def check(self, status: int, said: str) -> None:
        """End the run unless everything was found valid: what failed fast was not fast."""
        if status != 0:
            raise SystemExit(f"{' '.join(self.words)} ended with {status}:\n{said}")


@dataclass(frozen=True)
class Took:
    """Seconds: `wall`, and of a processor by everything that was started."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Middle:
    """A median, and the least and the most beside it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Middle:
        """Of one value at least."""
        return cls(statistics.median(values), min(values), max(values))

    @classmethod
    def of_ratios(cls, values: Sequence[float], others: Sequence[float]) -> Middle:
        """Of the ratios pair by pair."""
        return cls.of([one / other for one, other in zip(values, others, strict=True)])


def ours(environment: dict[str, str], *words: str) -> Command:
    """`integrity` with these words."""
    return Command((str(BIN / "integrity"), *words), _surrounded(environment))


def theirs(environment: dict[str, str], *words: str) -> Command:
    """The AWS CLI with these words."""
    return Command((str(BIN / "aws"), *words), _surrounded(environment))


def window(start: datetime, end: datetime) -> tuple[str, ...]:
    """The options of both for a time."""
    return ("--start-time", start.isoformat(), "--end-time", end.isoformat())


def _surrounded(environment: dict[str, str]) -> dict[str, str]:
    """This process's environment without what speaks to AWS clients, and with `environment`.

    And what pip installs is compiled; a checkout is not, where a variable keeps the first run from
    it.
    """
    odd = ("AWS_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(odd)}
    return kept | environment


def take(command: Command) -> Took:
    """Run it once."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command.words, env=command.environment, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, os.times()
    command.check(done.returncode, done.stderr)
    user = after.children_user - before.children_user
    return Took(wall, user + after.children_system - before.children_system)


def in_turn(runs: int, *takes: Callable[[], Took]) -> list[list[Took]]:
    """So many rounds, in each of them one after the other, so that all meet the same weather."""
    rounds = [[one() for one in takes] for _ in range(runs)]
    return [list(each) for each in zip(*rounds, strict=True)]


@dataclass(frozen=True)
class Peak:
    """MB (10^6 bytes) at the most: of the largest process, and of all of them."""

    largest: float
    together: float


def peak(command: Command) -> Peak:
    """Run it once, and look at the kernel's notes (VmHWM) until it is gone: on Linux only."""
    process = subprocess.Popen(
        command.words,
        env=command.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peaks: dict[int, int] = {}
    while process.poll() is None:
        for pid in _family(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), _peak_of(pid))
        time.sleep(_LOOK_SECONDS)
    command.check(process.returncode, process.communicate()[0])
    return Peak(max(peaks.values()) / 1e6, sum(peaks.values()) / 1e6)


def _family(pid: int) -> Iterator[int]:
    """A process and all that descend from it, as far as they are there."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = children.read_text().split()
        except OSError:
            continue  # a thread that has just ended
        for child in below:
            yield from _family(int(child))


def _peak_of(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
    return max((1024 * int(size) for _, size, _ in lines), default=0)
