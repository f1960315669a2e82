"""How much memory `integrity verify` takes for many log files beside few: `python -m bench memory`.

    python -m bench memory [--runs N] [--few N] [--many N]

Small log files of one region lie in one UTC day, or spread over days of 5,000. Each world is served
by a process of its own, so that what is measured is the client alone: the peak of its largest
process, and the sum of the peaks of all of them. A peak is what the kernel notes (VmHWM), looked at
until the process is gone; so this runs on Linux only. The table holds medians.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bench.served import BIN, START, environment_without_aws, served
from integrity.lab.chains import HOUR, Chain, Prepared
from integrity.lab.naming import sixteen, up_to_five_minutes
from integrity.lab.objects import LabLog, StoredObject
from integrity.lab.signing import sha256_hex
from integrity.lab.world import World

PER_DAY = 5_000
_LOOK_SECONDS = 0.02
_REGION = "us-east-1"


@dataclass(frozen=True)
class Spread:
    """`logs` log files of one region, over so many days."""

    logs: int
    days: int


def spread_world(spread: Spread) -> World:
    """A trail with these log files; each has a content, and so a hash, of its own."""
    hours = 24 * spread.days
    world = World(seed=1, now=START + (hours + 24) * HOUR)
    chain = world.run_chain(world.add_trail(name="main"), region=_REGION, start=START, hours=0)
    for hour in range(hours):
        first, end = (spread.logs * one // hours for one in (hour, hour + 1))
        start = START + hour * HOUR
        chain.prepared[start] = [_log(chain, start, n, end - first) for n in range(end - first)]
    world.continue_chain(chain, hours=hours)
    return world


def _log(chain: Chain, start: datetime, number: int, of: int) -> Prepared:
    delivered = start + timedelta(seconds=int(3600 * number / of))
    newest = max(delivered - timedelta(minutes=6), chain.logging_since)
    content = json.dumps({"Records": [], "n": chain.rng.getrandbits(64)}).encode()
    key = chain.place.log_key(
        account_id=chain.account_id,
        region=chain.region,
        minute=up_to_five_minutes(newest),
        unique=sixteen(chain.rng),
    )
    log = LabLog(chain.bucket, key, sha256_hex(content), newest, newest, delivered)
    return log, StoredObject(gzip.compress(content, 1, mtime=0), delivered)


@dataclass(frozen=True)
class Peak:
    """MB (10^6 bytes) at the most, and seconds."""

    largest: float
    together: float
    seconds: float


def _peak(command: list[str], environment: dict[str, str]) -> Peak:
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peaks: dict[int, int] = {}
    while process.poll() is None:
        for pid in _family(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), _peak_of(pid))
        time.sleep(_LOOK_SECONDS)
    said = process.communicate()[0]
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    seconds = time.perf_counter() - began
    return Peak(max(peaks.values()) / 1e6, sum(peaks.values()) / 1e6, seconds)


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


def measure(spread: Spread, *, runs: int) -> Peak:
    """Medians over some runs, each a whole process."""
    kept = environment_without_aws()
    end = START + timedelta(days=spread.days)
    with served(partial(spread_world, spread), 0.0) as (environment, arn):
        command = [str(BIN / "python"), "-m", "integrity", "verify", "--trail-arn", arn, "--quiet"]
        command += ["--start-time", START.isoformat(), "--end-time", end.isoformat()]
        peaks = [_peak(command, kept | environment) for _ in range(runs)]
    return Peak(
        statistics.median(peak.largest for peak in peaks),
        statistics.median(peak.together for peak in peaks),
        statistics.median(peak.seconds for peak in peaks),
    )


LAYOUTS: dict[str, Callable[[int], int]] = {
    "one day": lambda _: 1,
    "5,000 a day": lambda logs: -(-logs // PER_DAY),
}
"""How many days so many log files lie in."""


def main(arguments: list[str]) -> None:
    """Print the table: for either layout, few log files, many, and how many times as much."""
    parser = argparse.ArgumentParser(prog="python -m bench memory")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--few", type=int, default=5_000)
    parser.add_argument("--many", type=int, default=100_000)
    typed = parser.parse_args(arguments)
    print(f"{'':12} {'log files':>10} {'largest MB':>11} {'together MB':>12} {'seconds':>8}")
    for title, days in LAYOUTS.items():
        few, many = (
            _row(title, Spread(logs, days(logs)), typed.runs) for logs in (typed.few, typed.many)
        )
        largest, together = many.largest / few.largest, many.together / few.together
        print(f"{title:12} {'ratio':>10} {largest:>11.2f} {together:>12.2f}", flush=True)


def _row(title: str, spread: Spread, runs: int) -> Peak:
    peak = measure(spread, runs=runs)
    print(
        f"{title:12} {spread.logs:>10,} {peak.largest:>11.1f} {peak.together:>12.1f} "
        f"{peak.seconds:>8.1f}",
        flush=True,
    )
    return peak
