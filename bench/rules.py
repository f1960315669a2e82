"""What one selective rule costs beside the verification of the same log files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.front import Front, Way, fronted
from bench.measured import Figure, Measured
from bench.timed import Command, Middle, in_turn, ours, take, window
from bench.worlds import HOUR, START, OneRegion

_HOURS, _PER_HOUR = 24, 40
_RULE = """
[[rule]]
name = "key created"
match = '''
select(.eventName == "CreateAccessKey" and .userIdentity.userName == "operator")
  | "by \\(.userIdentity.arn)"
'''
"""


@dataclass(frozen=True)
class Rules:
    """The same command without and with a rules file, in turn; their verdicts are held in tests."""

    name: str = "rules"
    title: str = "one selective rule, 240 KB log files"

    def measure(self, runs: int) -> Measured:
        """The ratio of processor time, jq's process included."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rules.toml"
            file.write_text(_RULE, encoding="utf-8")
            with fronted(OneRegion(240_000, per_hour=_PER_HOUR, hours=_HOURS)) as front:
                off, on = _verify(front), _verify(front, "--rules", str(file))
                take(off)
                plain, ruled = in_turn(runs, lambda: take(off), lambda: take(on))
        cpu = [[one.cpu for one in side] for side in (plain, ruled)]
        ratio = Middle.of_ratios(cpu[1], cpu[0])
        details = {
            "CPU seconds, rules off": Middle.of(cpu[0]).median,
            "CPU seconds, rules on": Middle.of(cpu[1]).median,
        }
        figure = Figure("CPU with the rule, without = 1", ratio, 2.5, 2, "x", less=True)
        return Measured(self.name, self.title, runs, (figure,), details)


def _verify(front: Front, *more: str) -> Command:
    asked = ("--trail-arn", front.arn, *window(START + HOUR, START + _HOURS * HOUR))
    return ours(front.environment[Way.NEAR], "verify", *asked, *more, "--format", "json")
