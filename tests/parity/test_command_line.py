"""The command itself, over S3 and ListPublicKeys, says what is verified from memory.

So what the AWS CLI is compared with there is what a person sees.
"""

from __future__ import annotations

import pytest

from tests.parity.witnesses import command_says, we_say
from tests.scenarios import SCENARIOS, Scenario

# A program for each scenario; what it says is tested from memory, too.
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_command_says_it_too(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = scenario.stage()

    assert command_says(stage, monkeypatch, capsys) == we_say(stage)
