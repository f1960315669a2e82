"""Rates of log files: `integrity verify` beside `aws cloudtrail validate-logs`, and beside itself.

Both are whole processes that read the same bucket in turn. Each reads enough log files that its
start-up hardly counts, ours ten times as many, since it is through with them in the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.floor import floor
from bench.front import Front, Way, fronted
from bench.measured import Figure, Measured
from bench.timed import Command, Middle, Took, in_turn, ours, take, theirs, window
from bench.worlds import HOUR, START, OneRegion

_PER_HOUR = 42


@dataclass(frozen=True)
class Side:
    """What one program took, over so many files each time."""

    files: int
    took: Sequence[Took]

    @property
    def rates(self) -> list[float]:
        """Files a second."""
        return [self.files / one.wall for one in self.took]

    @property
    def cpu(self) -> list[float]:
        """Milliseconds of a processor for each file."""
        return [1000 * one.cpu / self.files for one in self.took]


@dataclass(frozen=True)
class Files:
    """Log files of one size, read one way. `our_hours` and `their_hours` are what each reads."""

    name: str
    way: Way
    size: int
    must: float
    aimed: float
    our_hours: int = 480
    their_hours: int = 48
    weighs_cpu: bool = False

    @property
    def title(self) -> str:
        """What is read, and how."""
        return f"{self.size // 1000} KB log files, {self.way.value}"

    def measure(self, runs: int) -> Measured:
        """The rates of both; with `weighs_cpu`, what they cost and the floor are figures too."""
        files, their_files = (_PER_HOUR * hours for hours in (self.our_hours, self.their_hours))
        world = OneRegion(self.size, _PER_HOUR, self.our_hours)
        with fronted(world) as front:
            own, aws = self._commands(front)
            take(own)  # what the lab says is kept from now on
            take(aws)
            took = in_turn(
                runs,
                lambda: take(own),
                lambda: take(aws),
                lambda: floor(self.size, world.different, files),
            )
        sides = [Side(n, one) for n, one in zip((files, their_files, files), took, strict=True)]
        return self._measured(runs, *sides)

    def _commands(self, front: Front) -> tuple[Command, Command]:
        environment = front.environment[self.way]
        named = ("--trail-arn", front.arn)
        own, aws = (window(START, START + hours * HOUR) for hours in self._hours)
        return (
            ours(environment, "verify", *named, *own, "--quiet"),
            theirs(environment, "cloudtrail", "validate-logs", *named, *aws),
        )

    @property
    def _hours(self) -> tuple[int, int]:
        return self.our_hours, self.their_hours

    def _measured(self, runs: int, own: Side, aws: Side, least: Side) -> Measured:
        rates = Middle.of_ratios(own.rates, aws.rates)
        cpu = Middle.of_ratios(own.cpu, aws.cpu)
        share = Middle.of_ratios(least.cpu, own.cpu)
        figures = [Figure("files a second, AWS CLI = 1", rates, self.must, self.aimed, "x")]
        if self.weighs_cpu:
            figures += [
                Figure("CPU a file, AWS CLI = 1", cpu, 0.25, 0.18, "x", less=True),
                Figure("inflate and hash, of our CPU", share, 0.6, 0.75),
            ]
        details: dict[str, float] = {}
        for side, title in ((own, "integrity"), (aws, "AWS CLI"), (least, "floor")):
            details[f"files, {title}"] = side.files
            details[f"files a second, {title}"] = Middle.of(side.rates).median
            details[f"CPU ms a file, {title}"] = Middle.of(side.cpu).median
        if not self.weighs_cpu:
            details["CPU a file, AWS CLI = 1"] = cpu.median
            details["inflate and hash, of our CPU"] = share.median
        return Measured(self.name, self.title, runs, tuple(figures), details)


@dataclass(frozen=True)
class SlowDown:
    """What is lost where S3 turns one request in twenty away."""

    name: str = "slowdown"
    title: str = "240 KB log files, 5 % SlowDown"
    hours: int = 240

    def measure(self, runs: int) -> Measured:
        """Our own rate with and without it; each run has to find everything valid."""
        files = _PER_HOUR * self.hours
        with fronted(OneRegion(240_000, _PER_HOUR, self.hours)) as front:
            times = window(START, START + self.hours * HOUR)
            verify = ("verify", "--trail-arn", front.arn, *times, "--quiet")
            calm, busy = (ours(front.environment[way], *verify) for way in (Way.NEAR, Way.BUSY))
            take(calm)
            took = in_turn(runs, lambda: take(calm), lambda: take(busy))
        calmly, busily = (Side(files, one).rates for one in took)
        lost = Middle.of([1 - one / other for one, other in zip(busily, calmly, strict=True)])
        return Measured(
            self.name,
            self.title,
            runs,
            (Figure("of the rate lost", lost, 0.3, 0.1, less=True),),
            {
                "files a second, calm": Middle.of(calmly).median,
                "files a second, turned away": Middle.of(busily).median,
            },
        )
