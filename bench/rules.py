"""What rules cost beside the verification of the same log files: `python -m bench rules`.

    python -m bench rules [--runs N] [--logs N] [--events N]

One selective rule, which one event in forty matches, is asked about log files of some 200 KB that a
process of its own serves. Measured is all processor time of `integrity verify` and its children,
rules off and on in turn; the table holds medians. The records have to say the same.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from bench.served import BIN, START, environment_without_aws, served
from integrity.lab.world import World

_HOURS = 24
_PROMISED = 2.5
_RULES = """
[[rule]]
name = "key created"
match = '''
select(.eventName == "CreateAccessKey" and .userIdentity.userName == "operator")
  | "by \\(.userIdentity.arn)"
'''
"""


def rules_world(logs: int, events: int) -> World:
    """A trail of one region and a day."""
    world = World(seed=1, now=START + timedelta(hours=_HOURS + 24))
    trail = world.add_trail(name="main")
    world.run_chain(
        trail,
        start=START,
        hours=_HOURS,
        logs_per_hour=max(1, logs // _HOURS),
        events_per_log=events,
    )
    return world


def _measure(
    command: Sequence[str], environment: dict[str, str]
) -> tuple[float, dict[str, object]]:
    """Processor seconds of a command and its children, and what its record says."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    record = json.loads(done.stdout.splitlines()[0])
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = {key: record[key] for key in ("outcome", "totals", "chains", "findings")}
    said["matches"] = len(done.stdout.splitlines()) - 1
    return seconds, said


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench rules", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--logs", type=int, default=1200)
    parser.add_argument("--events", type=int, default=150)
    asked = parser.parse_args(arguments)
    verify = [str(BIN / "integrity"), "verify", "--format", "json", "--start-time"]
    verify += [START.isoformat(), "--end-time", (START + timedelta(hours=_HOURS)).isoformat()]
    times: dict[str, list[float]] = {"off": [], "on": []}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.toml"
        file.write_text(_RULES, encoding="utf-8")
        make = partial(rules_world, asked.logs, asked.events)
        with served(make, 0) as (environment, _):
            environ = environment_without_aws() | environment
            for _ in range(asked.runs):
                off, plain = _measure(verify, environ)
                on, ruled = _measure([*verify, "--rules", str(file)], environ)
                matches = ruled.pop("matches")
                plain.pop("matches")
                assert plain == ruled, "rules changed a verdict"
                times["off"].append(off)
                times["on"].append(on)
    off, on = (statistics.median(times[name]) for name in ("off", "on"))
    print(f"{asked.logs} log files of {asked.events} events, {matches} matches, {asked.runs} runs")
    print("| rules | processor seconds |\n|---|---|")
    print(f"| off | {off:.2f} |\n| on | {on:.2f} |")
    print(f"{on / off:.2f} times; promised are at most {_PROMISED}")
