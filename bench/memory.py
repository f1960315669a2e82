"""How much memory `integrity verify` takes: with much under way, with large files, with many.

What is measured is the client alone: the peak of its largest process as the kernel notes it, so
this runs on Linux only.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from bench.front import Front, Way, fronted
from bench.measured import Figure, Measured
from bench.timed import Middle, Peak, ours, peak, window
from bench.worlds import HOUR, START, OneRegion

_KB = 1000
_GIB = 1 << 30
"""Not a byte more than a log file may have."""


@dataclass(frozen=True)
class InFlight:
    """So many log files of a size under way at once."""

    name: str
    title: str
    world: OneRegion
    concurrency: int
    must: float
    aimed: float

    def measure(self, runs: int) -> Measured:
        """The peak over all that the world holds."""
        with fronted(self.world) as front:
            peaks = [_peak(front, self.world.hours, self.concurrency) for _ in range(runs)]
        largest = Middle.of([one.largest for one in peaks])
        files = self.world.per_hour * self.world.hours
        return Measured(
            self.name,
            self.title,
            runs,
            (
                Figure(
                    "peak MB of the largest process",
                    largest,
                    self.must,
                    self.aimed,
                    "MB",
                    less=True,
                ),
            ),
            {"log files": files, "processes together, MB": _together(peaks)},
        )


@dataclass(frozen=True)
class Bomb:
    """One log file of a megabyte that inflates to a gigabyte, beside one of 4 KB."""

    name: str = "memory-bomb"
    title: str = "one log file that inflates to 1 GiB"

    def measure(self, runs: int) -> Measured:
        """What it takes more than the small one."""
        small, bomb = (
            _peaks(OneRegion(size, per_hour=1, hours=1, different=1), runs)
            for size in (4 * _KB, _GIB)
        )
        pairs = zip(small, bomb, strict=True)
        more = Middle.of([other.largest - one.largest for one, other in pairs])
        return Measured(
            self.name,
            self.title,
            runs,
            (Figure("MB more than with 4 KB", more, 20, 2, "MB", less=True),),
            {"peak MB with 4 KB": statistics.median(one.largest for one in small)},
        )


@dataclass(frozen=True)
class Many:
    """Small log files of one region, 5,000 a day, few beside many."""

    name: str = "memory-many"
    few: int = 10_000
    many: int = 1_000_000

    @property
    def title(self) -> str:
        return f"{self.many:,} log files beside {self.few:,}, 5,000 a day"

    def measure(self, runs: int) -> Measured:
        """How many times the memory of the few the many take. One run of the many takes minutes."""
        del runs
        few, many = (
            _peaks(OneRegion(_KB, per_hour=208, hours=max(1, logs // 208)), 1)[0]
            for logs in (self.few, self.many)
        )
        ratio = many.largest / few.largest
        return Measured(
            self.name,
            self.title,
            1,
            (Figure("memory, few = 1", Middle(ratio, ratio, ratio), 1.2, 1.05, "x", less=True),),
            {
                "peak MB, few": few.largest,
                "peak MB, many": many.largest,
                "processes together, MB, few": few.together,
                "processes together, MB, many": many.together,
            },
        )


def _peaks(world: OneRegion, runs: int) -> list[Peak]:
    with fronted(world) as front:
        return [_peak(front, world.hours) for _ in range(runs)]


def _peak(front: Front, hours: int, concurrency: int = 64) -> Peak:
    times = window(START, START + hours * HOUR)
    verify = ("verify", "--trail-arn", front.arn, *times, "--quiet")
    asked = (*verify, "--concurrency", str(concurrency))
    return peak(ours(front.environment[Way.FAR], *asked))


def _together(peaks: list[Peak]) -> float:
    return statistics.median(one.together for one in peaks)
