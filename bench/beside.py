"""`integrity verify` beside `aws cloudtrail validate-logs`: the same bucket, in turn, in one run.

    python -m bench [--runs N] [--delay SECONDS] [CASE ...]

Each case is a lab world behind a server of its own process that delays every answer. The two
programs are run in turn, as whole processes, start-up included; the table holds medians, and the
ratio is the median of the ratios pair by pair. The AWS CLI sees one account and one region a call,
so it is called once a chain, and its time is the sum.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from integrity.lab.faults import Fault
from integrity.lab.server import serve
from integrity.lab.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNTS = ("111122223333", "222233334444", "333344445555")
REGIONS = tuple(
    f"{place}-{number}"
    for place, numbers in {
        "us-east": 2,
        "us-west": 2,
        "ap-south": 1,
        "ap-northeast": 3,
        "ap-southeast": 2,
        "ca-central": 1,
        "eu-central": 1,
        "eu-west": 3,
        "eu-north": 1,
        "sa-east": 1,
    }.items()
    for number in range(1, numbers + 1)
)
BIN = Path(sys.executable).parent
_ODD = "PYTHONDONTWRITEBYTECODE"
"""What pip installs is compiled; a checkout is not, where this keeps the first run from it."""


@dataclass(frozen=True)
class Case:
    """A world, and the chains (account, region) that the AWS CLI has to be called for."""

    title: str
    make: Callable[[], World]
    chains: tuple[tuple[str, str], ...]
    is_organization: bool = False


def one_busy_day() -> World:
    world = World(seed=1)
    trail = world.add_trail(name="main")
    world.run_chain(trail, region="us-east-1", start=START, hours=24, logs_per_hour=12)
    return world


def many_empty_chains() -> World:
    world = World(seed=1)
    trail = world.add_trail(name="main", organization_id="o-exampleorgid")
    for account in ACCOUNTS:
        for region in REGIONS:
            world.run_chain(
                trail, region=region, account_id=account, start=START, hours=24, logs_per_hour=0
            )
    return world


CASES = {
    "day": Case("1 chain, 24 digests, 288 log files", one_busy_day, ((ACCOUNTS[0], "us-east-1"),)),
    "empty": Case(
        "51 chains of 24 empty digests",
        many_empty_chains,
        tuple((account, region) for account in ACCOUNTS for region in REGIONS),
        is_organization=True,
    ),
}


def _serve(make: Callable[[], World], delay: float, tell: Connection) -> None:
    world = make()
    with serve(world) as server:
        if delay:
            server.faults.append(Fault("delay", seconds=delay))
        tell.send((server.environment, world.trails[0].arn))
        tell.recv()


@contextmanager
def _served(case: Case, delay: float) -> Iterator[tuple[dict[str, str], str]]:
    """The environment to reach the case's world with, and its trail's ARN."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(case.make, delay, there)
    )
    process.start()
    there.close()  # so that a server that dies is heard of, instead of waited for
    try:
        yield here.recv()
    finally:
        here.send("enough")
        process.join()


@dataclass
class Timed:
    wall: float
    cpu: float


def _timed(commands: list[list[str]], environment: dict[str, str]) -> Timed:
    before, start = os.times(), time.perf_counter()
    for command in commands:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system
    return Timed(time.perf_counter() - start, cpu - before.children_system)


def _commands(case: Case, arn: str) -> tuple[list[list[str]], list[list[str]]]:
    end = START + timedelta(days=1)
    window = ["--start-time", START.isoformat(), "--end-time", end.isoformat()]
    ours = [[str(BIN / "integrity"), "verify", "--trail-arn", arn, *window, "--quiet"]]
    theirs = [
        [
            str(BIN / "aws"),
            *("cloudtrail", "validate-logs", "--trail-arn", arn, *window, "--region", region),
            *(("--account-id", account) if case.is_organization else ()),
        ]
        for account, region in case.chains
    ]
    return ours, theirs


def measure(case: Case, *, runs: int, delay: float) -> dict[str, object]:
    """Medians of both sides, and of the ratios pair by pair."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", _ODD))}
    with _served(case, delay) as (environment, arn):
        ours, theirs = _commands(case, arn)
        _timed(ours, kept | environment)
        pairs = [
            (_timed(ours, kept | environment), _timed(theirs, kept | environment))
            for _ in range(runs)
        ]
    ratios = sorted(aws.wall / own.wall for own, aws in pairs)
    return {
        "case": case.title,
        "delay_seconds": delay,
        "runs": runs,
        "integrity_seconds": round(statistics.median(own.wall for own, _ in pairs), 3),
        "aws_cli_seconds": round(statistics.median(aws.wall for _, aws in pairs), 3),
        "times_faster": round(statistics.median(ratios), 1),
        "times_faster_range": [round(ratios[0], 1), round(ratios[-1], 1)],
        "cpu_ratio": round(statistics.median(own.cpu / aws.cpu for own, aws in pairs), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--delay", type=float, default=0.03, help="seconds a request")
    typed = parser.parse_args()
    for name in typed.cases or CASES:
        print(json.dumps(measure(CASES[name], runs=typed.runs, delay=typed.delay)), flush=True)
