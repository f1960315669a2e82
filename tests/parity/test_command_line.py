"""The command itself, over S3 and ListPublicKeys: what it prints is what the AWS CLI prints."""

from __future__ import annotations

import pytest

from tests.parity.witnesses import aws_says, command_says, needs_aws, we_say
from tests.scenarios import SCENARIOS, Scenario

NAMES = (
    "clean, under a nested prefix",
    "window inside",
    "key rotation",
    "bucket and prefix changed",
    "log edited",
    "log with bytes behind it",
    "digest edited",
    "digest moved away",
    "oldest digest deleted",
    "backfill tampered",
    "log named twice",
)
CHOSEN = [scenario for scenario in SCENARIOS if scenario.name in NAMES]


@needs_aws
@pytest.mark.parametrize("scenario", CHOSEN, ids=lambda scenario: scenario.name)
def test_the_command_says_what_the_aws_cli_says(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = scenario.stage()

    theirs, ours = aws_says(stage), command_says(stage, monkeypatch, capsys)

    assert scenario.differs is None
    assert (ours.status, ours.verdicts) == (theirs.status, theirs.verdicts)
    assert ours == we_say(stage)


def test_every_chosen_scenario_is_one() -> None:
    assert {scenario.name for scenario in CHOSEN} == set(NAMES)
