"""The same stage, judged by the AWS CLI, run for real, and by us.

`aws_says` starts the lab's server and the `aws` beside the running Python; `we_say` verifies from
memory and renders the text that `integrity verify --verbose` shows; `command_says` is that command.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from integrity.chain.times import format_instant
from integrity.cli import main
from integrity.cli.progress import SilentProgress
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer, serve
from integrity.record import exit_status
from integrity.report.text import Style, render_run
from tests.parity.said import Said, read
from tests.scenarios import Stage

AWS = Path(sys.executable).with_name("aws")

needs_aws = pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")


def aws_says(stage: Stage) -> Said:
    """What `aws cloudtrail validate-logs --verbose` says."""
    asked = [*_asked(stage), "--region", stage.chain.region]
    if stage.trail.organization_id is not None:
        asked += ["--account-id", stage.chain.account_id]
    with _served(stage) as server:
        done = subprocess.run(
            [AWS, "cloudtrail", "validate-logs", "--verbose", *asked],
            env=_without_aws_and_proxies() | server.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    return read(done.stdout + done.stderr, done.returncode)


def we_say(stage: Stage) -> Said:
    """What we say of it, verified from memory."""
    lines: list[str] = []
    run = stage.verify(SilentProgress(lines.append))
    status = exit_status(run)
    return read("\n".join([*lines, *render_run(run, Style(verbose=True), status=status)]), status)


def command_says(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    """What `integrity verify --verbose` says, over the network of this machine."""
    asked = _asked(stage)
    if stage.is_abroad:
        asked += ["--source-region", stage.chain.region]
    if stage.allow_gaps:
        asked += ["--allow-gaps"]
    monkeypatch.setattr("integrity.cli.verify.read_clock", lambda: stage.world.now)
    with _served(stage) as server:
        if not stage.witness:
            server.faults.append(Fault("deny", operation="GetTrailStatus"))
        for name in os.environ.keys() - _without_aws_and_proxies().keys():
            monkeypatch.delenv(name)
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        status = main(["verify", "--verbose", *asked])
    return read(capsys.readouterr().out, status)


@contextmanager
def _served(stage: Stage) -> Iterator[LabServer]:
    with serve(stage.world) as server:
        if stage.denied:
            server.faults.append(Fault("deny", operation="GetObject", key=stage.denied))
        yield server


def _asked(stage: Stage) -> list[str]:
    """Trail and window, in the words that both commands know."""
    arn = stage.trail.arn
    claimed = []
    if stage.trail_name is not None:
        arn = arn.replace(stage.trail.name, stage.trail_name)
        claimed = ["--s3-bucket", stage.trail.bucket]
    window = ["--start-time", format_instant(stage.start), "--end-time", format_instant(stage.end)]
    return ["--trail-arn", arn, *claimed, *window]


def _without_aws_and_proxies() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
