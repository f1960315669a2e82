"""Wherever the AWS CLI is right, we say the same of every file, with the same exit status."""

from __future__ import annotations

import pytest

from tests.parity.witnesses import aws_says, needs_aws, we_say
from tests.scenarios import SCENARIOS, Scenario

pytestmark = pytest.mark.slow

SAME = [
    pytest.param(scenario, id=scenario.name) for scenario in SCENARIOS if scenario.differs is None
]


@needs_aws
@pytest.mark.parametrize("scenario", SAME)
def test_the_same_is_said(scenario: Scenario) -> None:
    stage = scenario.stage()

    theirs, ours = aws_says(stage), we_say(stage)

    assert ours.verdicts == theirs.verdicts
    assert ours.status == theirs.status
    assert theirs.repeats or ours.ratios == theirs.ratios
    assert not ours.repeats
    assert theirs.verdicts
