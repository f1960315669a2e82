"""`integrity demo`: a trail on this machine, an attacker, and what is seen of him.

Tells the story, chapter by chapter. The world and the attacker are the lab's, which is an extra;
who saw what is `witnesses`. Nothing is judged here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrity.chain.model import TimeWindow
from integrity.chain.times import format_instant
from integrity.cli.options import verbose_option
from integrity.cli.output import StandardOutput
from integrity.cli.witnesses import (
    NOT_SEEN,
    SEEN,
    Answer,
    AwsCli,
    Integrity,
    Target,
    find_aws_cli,
    foreign_names,
    lab_environment,
    seen_by_aws_cli,
    seen_by_integrity,
)
from integrity.errors import UsageError
from integrity.record import ExitStatus

if TYPE_CHECKING:
    from integrity.lab.demo import Act
    from integrity.lab.world import World

MOST_FILES = 3
"""So many files of one act are named."""


@click.command(short_help="See an attacker being found out, without an AWS account.")
@click.option(
    "--serve",
    is_flag=True,
    help="Leave the bucket and its CloudTrail running until Ctrl-C, and print the environment "
    "for trying the AWS CLI by hand.",
)
@click.option("--clean", is_flag=True, help="Leave the attacker out.")
@verbose_option
def demo(*, serve: bool, clean: bool, **_: bool) -> int:
    """Build a trail on this machine, verify it, let an attacker loose, and verify it again.

    No AWS account is needed, and nothing leaves the machine. Ends with status 0 where the trail was
    valid before the attack and every act of the attacker was seen after it, and with 70 otherwise.
    """
    try:
        from integrity.lab import demo as lab
        from integrity.lab.server import serve as serve_world
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the demo needs the lab, which is not installed (no module {error.name!r}): "
            "pip install 'trail-integrity[lab]'"
        ) from error
    world = lab.make_day()
    with serve_world(world) as server:
        story = Story(world, TimeWindow(lab.START, lab.END), server.environment)
        story.tell_of_the_day(server.endpoint)
        fault = story.verify_clean()
        if not clean and not fault:
            fault = story.verify_tampered(lab.let_loose(world))
        if fault:
            click.echo(f"Error: {fault}. Please report it to the maintainers.", err=True)
            return ExitStatus.FAULT
        if serve:
            story.stay_open()
        else:
            story.end()
    return ExitStatus.VALID


class Story:
    """What is told and shown to a person who reads along; methods return what went wrong."""

    def __init__(self, world: World, window: TimeWindow, lab: Mapping[str, str]) -> None:
        self._world, self._lab = world, lab
        self._output = StandardOutput()
        self._chapters = 0
        self._environment = lab_environment(os.environ, lab)
        self._integrity = Integrity(self._environment)
        start, end = format_instant(window.start), format_instant(window.end)
        self._trail = ("--trail-arn", world.trails[0].arn)
        self._window = ("--start-time", start, "--end-time", end)

    def tell_of_the_day(self, endpoint: str) -> None:
        """What there is."""
        chains = self._world.chains
        regions = " and ".join(chain.region for chain in chains)
        digests = sum(len(chain.digests) for chain in chains)
        logs = sum(len(chain.log_files) for chain in chains)
        self._begin("A day of CloudTrail")
        self._say(
            f"Trail 'main' has logged a day in {regions}: {logs} log files. Every hour,",
            "CloudTrail also signed a digest file: the SHA-256 of the hour's log files, and of the",
            f"digest file before it; {digests} in all. This machine serves the bucket to itself:",
            f"s3://{chains[0].bucket} on {endpoint}.",
        )

    def verify_clean(self) -> str | None:
        """The day as it was delivered is valid."""
        self._begin("Is it what CloudTrail delivered?")
        status = self._verify()
        if status != ExitStatus.VALID:
            return f"the day as it was delivered was not found valid (exit status {status})"
        return None

    def verify_tampered(self, acts: Sequence[Act]) -> str | None:
        """After the attack it is invalid, and every act is seen."""
        self._tell_of_the_attack(acts)
        self._begin("Is it still what CloudTrail delivered?")
        status = self._verify()
        if status != ExitStatus.INVALID:
            return f"the day after the attack was not found invalid (exit status {status})"
        run = self._integrity.fetch_record(["verify", *self._trail, *self._window])
        if run is None:
            return "the day after the attack was found invalid once, and then no more"
        targets = [Target(act.s3_uris, act.region, TimeWindow(act.start, act.end)) for act in acts]
        ours = [seen_by_integrity(run, target) for target in targets]
        columns = {"integrity": [*ours, str(status)]} | self._ask_aws_cli(targets)
        self._begin("Who saw what")
        rows = [f"{number}. {act.title}" for number, act in enumerate(acts, 1)]
        self._show_table([*rows, "exit status"], columns)
        self._say(
            "",
            "Seen: there is a finding about its files, or else about their chain in those hours;",
            "from the AWS CLI, a line that calls its files INVALID.",
        )
        if not all(cell.startswith(SEEN) for cell in ours):
            return "not every act of the attacker was seen"
        return None

    def stay_open(self) -> None:
        """Leave the server running until Ctrl-C, and say how to reach it."""
        log = self._world.chains[0].log_files[0]
        foreign = [name for name in foreign_names(os.environ) if name not in self._lab]
        self._begin("Try it by hand, in another terminal")
        try:
            self._say(
                *([f"unset {' '.join(foreign)}"] if foreign else []),
                *(f"export {name}={shlex.quote(value)}" for name, value in self._lab.items()),
                "",
                _typed(_program("integrity"), ("verify", *self._trail), self._window),
                _typed(_program("aws"), *self._of_region(self._world.chains[0].region)),
                _typed(_program("aws"), ("s3", "rm", f"s3://{log.bucket}/{log.key}")),
                "",
                "The bucket and its CloudTrail are there until Ctrl-C.",
            )
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            self._say("")

    def end(self) -> None:
        """What to try next."""
        self._say(
            "", "Try it by hand: integrity demo --serve; with --clean as well, the attacker is you."
        )

    def _tell_of_the_attack(self, acts: Sequence[Act]) -> None:
        self._begin("Somebody with write access to the bucket ...")
        for number, act in enumerate(acts, 1):
            names = [uri.rpartition("/")[2] for uri in act.s3_uris]
            self._say(f"{number}. {act.told}", *(f"   {name}" for name in names[:MOST_FILES]))
            if names[MOST_FILES:]:
                self._say(f"   and {len(names[MOST_FILES:])} more")

    def _verify(self) -> int:
        self._say(self._prompt("integrity", ("verify", *self._trail), self._window))
        return self._integrity.show(["verify", *self._trail, *self._window])

    def _ask_aws_cli(self, targets: Sequence[Target]) -> dict[str, list[str]]:
        """Its column of the table, with its heading; none where it is not there."""
        self._begin("What does the AWS CLI say of the same bucket?")
        aws = find_aws_cli(self._environment)
        if not isinstance(aws, AwsCli):
            self._say(f"Nothing: {aws}.")
            return {}
        answers: dict[str, Answer] = {}
        for region in dict.fromkeys(chain.region for chain in self._world.chains):
            typed = self._of_region(region)
            self._say(*([""] if answers else []), self._prompt("aws", *typed))
            answers[region] = aws.ask([word for line in typed for word in line])
            self._say(answers[region].text.rstrip(), f"(exit status {answers[region].status})")
        cells = [seen_by_aws_cli(answers[target.region], target) for target in targets]
        statuses = ", ".join(f"{answer.status} in {region}" for region, answer in answers.items())
        return {f"AWS CLI {aws.version}": [*cells, statuses]}

    def _of_region(self, region: str) -> tuple[tuple[str, ...], ...]:
        return ("cloudtrail", "validate-logs", *self._trail), (*self._window, "--region", region)

    def _show_table(self, rows: Sequence[str], columns: Mapping[str, Sequence[str]]) -> None:
        shown = [("", *rows), *((heading, *cells) for heading, cells in columns.items())]
        widths = [*(max(map(len, column)) + 3 for column in shown[:-1]), 0]
        for line in zip(*shown, strict=True):
            cells = zip(line, widths, strict=True)
            self._say("".join(_coloured(cell) + " " * (width - len(cell)) for cell, width in cells))

    def _prompt(self, program: str, *lines: Sequence[str]) -> str:
        return click.style(f"$ {_typed(program, *lines)}", bold=True)

    def _begin(self, title: str) -> None:
        self._chapters += 1
        before = [""] if self._chapters > 1 else []
        self._say(*before, click.style(f"== {self._chapters}. {title} ==", bold=True), "")

    def _say(self, *lines: str) -> None:
        self._output.write("".join(f"{line}\n" for line in lines))


def _typed(program: str, *lines: Sequence[str]) -> str:
    """A command as it is typed, on a line of its own for each of `lines`."""
    return f"{program} " + " \\\n    ".join(shlex.join(line) for line in lines)


def _program(name: str) -> str:
    """How a program is called by hand: by its name where the PATH has it."""
    beside = shutil.which(name, path=Path(sys.executable).parent)
    return name if shutil.which(name) or beside is None else shlex.quote(beside)


def _coloured(cell: str) -> str:
    if cell.startswith(SEEN):
        return click.style(cell, fg="green")
    if cell.startswith(NOT_SEEN):
        return click.style(cell, fg="red")
    return click.style(cell, fg="yellow") if SEEN in cell else cell
