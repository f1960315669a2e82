"""A day of one account's region, as the whole command is used: start-up counts on both sides."""

from __future__ import annotations

from dataclasses import dataclass

from bench.front import Way, fronted
from bench.measured import Figure, Measured
from bench.timed import Middle, in_turn, ours, take, theirs, window
from bench.worlds import HOUR, START, OneRegion

_WORLD = OneRegion(4000, per_hour=12, hours=24)


@dataclass(frozen=True)
class Day:
    """24 digests with 288 log files, beside the AWS CLI."""

    name: str = "day"
    title: str = "24 digests and 288 log files, 30 ms a request, start-up included"

    def measure(self, runs: int) -> Measured:
        """The ratio of the wall clock, in turn."""
        with fronted(_WORLD) as front:
            environment = front.environment[Way.FAR]
            named = ("--trail-arn", front.arn, *window(START, START + _WORLD.hours * HOUR))
            own = ours(environment, "verify", *named, "--quiet")
            aws = theirs(environment, "cloudtrail", "validate-logs", *named)
            take(own)
            take(aws)
            one_side, other = in_turn(runs, lambda: take(own), lambda: take(aws))
        walls = [[one.wall for one in side] for side in (one_side, other)]
        ratio = Middle.of_ratios(walls[1], walls[0])
        return Measured(
            self.name,
            self.title,
            runs,
            (Figure("times as fast as the AWS CLI", ratio, 8, 12, "x"),),
            {
                "seconds, integrity": Middle.of(walls[0]).median,
                "seconds, AWS CLI": Middle.of(walls[1]).median,
                "CPU seconds, integrity": Middle.of([one.cpu for one in one_side]).median,
            },
        )
