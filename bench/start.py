"""How long it takes until something is there: the version, and a verification of eight hours."""

from __future__ import annotations

from dataclasses import dataclass

from bench.front import Front, Way, fronted
from bench.measured import Figure, Measured
from bench.timed import Command, Middle, in_turn, ours, take, theirs, window
from bench.worlds import HOUR, START, OneRegion

_TITLES = ("integrity --version", "aws --version", "integrity verify", "aws validate-logs")
_MORE_ROUNDS = 3


@dataclass(frozen=True)
class Start:
    """Both commands of both programs, in turn; three rounds for each asked for, they are short."""

    name: str = "start"
    title: str = "start-up: the version; 8 digests and 24 log files, no latency"

    def measure(self, runs: int) -> Measured:
        """Ratios of the wall clock."""
        runs *= _MORE_ROUNDS
        with fronted(OneRegion(4000, per_hour=3, hours=8)) as front:
            commands = _commands(front)
            for command in commands:
                take(command)
            took = in_turn(runs, *[lambda command=command: take(command) for command in commands])
        walls = [[one.wall for one in side] for side in took]
        details: dict[str, float] = {}
        for title, side in zip(_TITLES, took, strict=True):
            details[f"seconds, {title}"] = Middle.of([one.wall for one in side]).median
            details[f"CPU seconds, {title}"] = Middle.of([one.cpu for one in side]).median
        version, small = (Middle.of_ratios(walls[n], walls[n + 1]) for n in (0, 2))
        figures = (
            Figure("the version, AWS CLI = 1", version, 0.5, 0.2, "x", less=True),
            Figure("the verification, AWS CLI = 1", small, 0.8, 0.5, "x", less=True),
        )
        return Measured(self.name, self.title, runs, figures, details)


def _commands(front: Front) -> list[Command]:
    environment = front.environment[Way.NEAR]
    # The digests that end in the hour after a window belong to it.
    named = ("--trail-arn", front.arn, *window(START + HOUR, START + 7 * HOUR))
    return [
        ours({}, "--version"),
        theirs({}, "--version"),
        ours(environment, "verify", *named, "--quiet"),
        theirs(environment, "cloudtrail", "validate-logs", *named),
    ]
