"""What every scenario is made of: a day of a trail, what is done to it, what is found.

`finds` are the reasons to be found, in the order of the alphabet, and nothing else may be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from integrity.chain.findings import Outcome
from integrity.lab.estate import LabTrail
from integrity.lab.objects import LabDigest, LabLog
from integrity.lab.world import Chain, World
from integrity.record import Run
from integrity.verify.ports import Progress
from tests import memory

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NOW = START + 180 * DAY

V, U, X = Outcome.VALID, Outcome.UNDETERMINED, Outcome.INVALID


@dataclass
class Stage:
    """A day of a trail, the window that is verified, and how.

    Without `witness` nobody asks GetTrailStatus. `trail_name` is what whoever verifies the trail
    calls it; `denied` is part of the keys that nobody may read.
    """

    world: World
    trail: LabTrail
    chain: Chain
    start: datetime = START
    end: datetime = START + DAY
    witness: bool = True
    trail_name: str | None = None
    denied: str = ""
    allow_gaps: bool = False

    @property
    def is_abroad(self) -> bool:
        """Whether the chain's source region is not the trail's home: that one alone is verified."""
        return self.chain.region != self.trail.home_region

    def verify(self, progress: Progress | None = None) -> Run:
        """The record of it, verified from memory."""
        source = memory.SwiftSource(self.world)
        if self.denied:
            source.unreachable[self.denied] = "access denied"
        return memory.verify(
            self.world,
            self.trail,
            self.start,
            self.end,
            witness=self.witness,
            source=source,
            name=self.trail_name,
            progress=progress,
            allow_gaps=self.allow_gaps,
            source_regions=(self.chain.region,) if self.is_abroad else None,
        )


Act = Callable[[Stage], object]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A verdict of the AWS CLI's that is deliberately not ours: its exit status, and why.

    `why` is one sentence about the AWS CLI, without capital and full stop.
    """

    why: str
    status: int = 0


@dataclass(frozen=True)
class Scenario:
    """One story. Without `differs` the AWS CLI and this project say the same of every object."""

    name: str
    play: Act
    finds: tuple[str, ...]
    outcome: Outcome
    differs: Difference | None = None
    made: dict[str, Any] = field(default_factory=dict)
    witness: bool = True

    def stage(self) -> Stage:
        """A world of its own, with the story played."""
        world = World(seed=7, now=NOW)
        made: dict[str, Any] = {"hours": 26, "logs_per_hour": 2, "region": "us-east-1"} | self.made
        place = {name: made.pop(name) for name in ("prefix", "organization_id") if name in made}
        trail = world.add_trail(name="main", **place)
        chain = world.run_chain(trail, start=START, **made)
        stage = Stage(world, trail, chain, witness=self.witness)
        self.play(stage)
        return stage


def nothing(stage: Stage) -> None:
    """Nobody touches anything."""


def both(*acts: Act) -> Act:
    """One act after the other."""

    def play(stage: Stage) -> None:
        for act in acts:
            act(stage)

    return play


def log(stage: Stage, number: int = 11) -> LabLog:
    """A log file of the chain."""
    return stage.chain.log_files[number]


def digest(stage: Stage, number: int = 9) -> LabDigest:
    """The digest of the chain that ends so many hours after the start."""
    return stage.chain.digests[number]


def window(stage: Stage, first: float, last: float) -> None:
    """Verify from the first to the last of these hours."""
    stage.start, stage.end = START + HOUR * first, START + HOUR * last


def restart(stage: Stage, *, stop: float, hour: float, hours: int = 4) -> None:
    """StopLogging and StartLogging at these hours."""
    stage.world.restart_chain(
        stage.chain, stop=START + HOUR * stop, start=START + HOUR * hour, hours=hours
    )
    stage.end = START + HOUR * (hour + hours - 1)
