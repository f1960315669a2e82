"""The demo's witnesses: `integrity verify` and the AWS CLI, and what each saw of an act.

Both are processes of their own, started as a person would start them, in an environment that knows
no AWS but the lab's. What a witness saw is read from what it said: from the record of the one, from
the lines of the other. Nothing is judged here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from integrity.chain.findings import Outcome
from integrity.chain.model import TimeWindow
from integrity.record import ExitStatus, Run, decode

SEEN, NOT_SEEN = "seen", "not seen"

Environment = Mapping[str, str]


def foreign_names(environment: Environment) -> list[str]:
    """The variables that would lead an AWS client away from the lab: AWS_*, and proxies."""
    return sorted(
        name
        for name in environment
        if name.upper().startswith("AWS_") or name.lower().endswith("_proxy")
    )


def lab_environment(environment: Environment, lab: Environment) -> dict[str, str]:
    """An environment in which every AWS client asks the lab."""
    foreign = foreign_names(environment)
    return {name: text for name, text in environment.items() if name not in foreign} | dict(lab)


class Target(Struct, frozen=True):
    """What one act was done to: these objects, of this region and time."""

    s3_uris: tuple[str, ...]
    region: str
    window: TimeWindow


class Answer(Struct, frozen=True):
    """What a process said, and what it ended with."""

    text: str
    status: int


class Integrity:
    """This very program, as a process."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._program = (sys.executable, "-m", "integrity")

    def show(self, arguments: Sequence[str]) -> int:
        """Let it write where we write, colours and all; returns its exit status."""
        command = [*self._program, *arguments]
        return subprocess.run(command, env=self._environment, check=False).returncode

    def fetch_record(self, arguments: Sequence[str]) -> Run | None:
        """The record of an invalid trail, or None where it ends with another status."""
        command = [*self._program, *arguments, "--format", "json", "--quiet"]
        done = subprocess.run(command, env=self._environment, check=False, stdout=subprocess.PIPE)
        return decode(done.stdout) if done.returncode == ExitStatus.INVALID else None


class AwsCli(Struct, frozen=True):
    """The AWS CLI, where one was found."""

    path: str
    version: str
    environment: Environment

    def ask(self, arguments: Sequence[str]) -> Answer:
        """What it says, on both of its streams, in order."""
        return _ask([self.path, *arguments], self.environment)


def find_aws_cli(environment: Environment) -> AwsCli | str:
    """The AWS CLI beside this Python or on the PATH, or why there is none."""
    beside = str(Path(sys.executable).parent)
    path = shutil.which("aws", path=beside) or shutil.which("aws")
    if path is None:
        return "it is not installed here (pip install awscli)"
    version = re.match(r"aws-cli/(\d+)\.(\d+)\S*", _ask([path, "--version"], environment).text)
    if version is None:
        return f"{path} does not say which version it is"
    release = int(version[1]), int(version[2])
    # Before these, it knew no AWS_ENDPOINT_URL, and would go and ask AWS itself.
    if release < (1, 29) or (2, 0) <= release < (2, 13):
        return f"{path} is too old to be led to this machine (pip install --upgrade awscli)"
    return AwsCli(path, version[0].removeprefix("aws-cli/"), environment)


def seen_by_integrity(run: Run, target: Target) -> str:
    """`seen: log_missing`: findings on the objects, or else on their chain in those hours."""
    findings = [finding for finding in run.findings if finding.outcome is not Outcome.VALID]
    found = [finding for finding in findings if finding.s3_uri in target.s3_uris]
    share = _share(len({finding.s3_uri for finding in found}), len(target.s3_uris))
    if not found:
        found = [
            finding
            for finding in findings
            if finding.s3_uri is None
            and finding.region == target.region
            and finding.window.overlaps(target.window)
        ]
        share = SEEN if found else NOT_SEEN
    reasons = ", ".join(dict.fromkeys(finding.reason.value for finding in found))
    return f"{share}: {reasons}" if found else share


def seen_by_aws_cli(answer: Answer, target: Target) -> str:
    """`1 of 2 seen`: on how many of the objects it has a line that says INVALID."""
    if answer.status not in (ExitStatus.VALID, ExitStatus.INVALID):
        return f"no answer (exit status {answer.status})"
    named = sum(f"\t{uri}\tINVALID" in answer.text for uri in target.s3_uris)
    return _share(named, len(target.s3_uris))


def _share(seen: int, of: int) -> str:
    if not seen:
        return NOT_SEEN
    return SEEN if seen == of else f"{seen} of {of} seen"


def _ask(command: Sequence[str], environment: Environment) -> Answer:
    done = subprocess.run(
        command,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    return Answer(done.stdout, done.returncode)
