"""Many chains with little in them: one run of ours beside the AWS CLI, called once a chain.

It sees one account and one region a call, and calling it for hundreds of chains takes a quarter of
an hour; so it is called for a few of them, and its time for all is reckoned from theirs.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from bench.front import Way, fronted
from bench.measured import Figure, Measured
from bench.timed import Command, Middle, Took, in_turn, ours, take, theirs, window
from bench.worlds import HOUR, START, Organization

_CALLED = 5


@dataclass(frozen=True)
class Chains:
    """An organization's chains, a day of each."""

    name: str
    title: str
    organization: Organization
    must: float
    aimed: float

    def measure(self, runs: int) -> Measured:
        """The time for all chains, ours beside theirs."""
        chains = self.organization.chains
        few = chains[:: len(chains) // _CALLED][:_CALLED]
        times = window(START, START + self.organization.hours * HOUR)
        with fronted(self.organization) as front:
            environment = front.environment[Way.FAR]
            named = ("--trail-arn", front.arn, *times)
            own = ours(environment, "verify", *named, "--quiet")
            aws = [
                theirs(environment, "cloudtrail", "validate-logs", *named, *_narrowed(*chain))
                for chain in few
            ]
            _see_all(own, len(chains))
            _take_all(aws)
            one_run, calls = in_turn(runs, lambda: take(own), lambda: _take_all(aws))
        as_many = len(chains) / len(few)
        ratio = Middle.of_ratios(
            [as_many * one.wall for one in calls], [one.wall for one in one_run]
        )
        return Measured(
            self.name,
            self.title,
            runs,
            (Figure("times as fast as the AWS CLI", ratio, self.must, self.aimed, "x"),),
            {
                "seconds, integrity": Middle.of([one.wall for one in one_run]).median,
                "CPU seconds, integrity": Middle.of([one.cpu for one in one_run]).median,
                "seconds a chain, AWS CLI": Middle.of([one.wall for one in calls]).median / _CALLED,
                "CPU seconds a chain, AWS CLI": Middle.of([one.cpu for one in calls]).median
                / _CALLED,
                "chains the AWS CLI was called for": len(few),
            },
        )


def _see_all(command: Command, chains: int) -> None:
    """End the run where it sees fewer chains than there are: that would be fast, and say valid."""
    words = (*(word for word in command.words if word != "--quiet"), "--format", "json")
    done = subprocess.run(words, env=command.environment, capture_output=True, text=True)
    command.check(done.returncode, done.stderr)
    seen = len(json.loads(done.stdout)["chains"])
    if seen != chains:
        raise SystemExit(f"{' '.join(words)} saw {seen} chains of {chains}")


def _narrowed(account_id: str, region: str) -> tuple[str, ...]:
    return ("--account-id", account_id, "--region", region)


def _take_all(commands: list[Command]) -> Took:
    took = [take(command) for command in commands]
    return Took(sum(one.wall for one in took), sum(one.cpu for one in took))
