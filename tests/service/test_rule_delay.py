"""No rule delays a verdict: by the clock, a tick with rules that fail beside the same without."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from integrity.chain.limits import Limits
from integrity.lab import attacks
from integrity.lab.naming import iso
from integrity.rules.model import Rule
from integrity.rules.programs import Programs
from integrity.service.hearing import Hearing
from integrity.state import Message
from tests.rules.samples import session
from tests.service.memory_stage import Box, begun

EVENTS = 2000
ENDLESS = "(def f: f; f)"
HUGE = '[range(100)] | map("x" * (100000000 + .)) | length > 0'
FAILING = '.eventName | error("no")'
LATE = f'if .eventName == "StartSession" then {ENDLESS} else true end'
SLOW = "[range(5000)] | length < 0"


@dataclass
class Clocked(Box):
    """Says when the first message came."""

    at: float = 0.0

    def deliver(self, message: Message) -> None:
        self.at = self.at or time.perf_counter()
        super().deliver(message)


def slowness() -> float:
    """How many seconds a process has to wait for one of work."""
    working = "import time\nwhile time.process_time() < 0.5: pass"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-S", "-c", working], check=True)
    return (time.perf_counter() - started) / 0.5


def told_after(programs: Sequence[str]) -> float:
    """Seconds by the clock until a changed log file is told of."""
    stage = begun(hours=8)
    stage.world.chains[0].announcements += [
        {**session(), "eventTime": iso(stage.world.now), "eventID": f"{number:036}"}
        for number in range(EVENTS)
    ]
    stage.pass_hours(2)
    attacks.edit_log(stage.world, stage.world.chains[0].digests[3].log_files[0])
    rules = [Rule(name=str(number), match=one) for number, one in enumerate(programs)]
    security = stage.boxes["security"] = Clocked()
    if rules:
        stage.rules = Hearing(rules, lambda: Programs(programs, Limits()))
    started = time.perf_counter()
    stage.tick()

    assert security.news == [("opened", "log_hash_mismatch")]
    troubled = ("opened", "rule_stopped") in stage.boxes["operations"].news
    assert troubled == (set(programs) & {ENDLESS, HUGE, LATE, SLOW} != set())
    return security.at - started


@pytest.mark.slow
@pytest.mark.parametrize(
    "programs",
    [
        [ENDLESS],
        [HUGE],
        [FAILING],
        [LATE],
        [SLOW],
        [ENDLESS, HUGE],
        [LATE, LATE],
    ],
    ids=["endless", "huge", "failing", "late", "slow", "two", "two late"],
)
def test_it_is_told_within_a_second_more(programs: list[str]) -> None:
    """Than the same tick without rules; a machine that is busy then is given its time."""
    delays = []
    for _ in range(3):
        before = slowness()
        delay = told_after(programs) - told_after([])
        delays.append(delay / max(1, before, slowness()))
        if delays[-1] < 1:
            return
    pytest.fail(f"seconds later than without: {delays}")
