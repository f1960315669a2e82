"""Every scenario, verified from memory: what is found, the outcome, the record."""

from __future__ import annotations

import pytest

from integrity.chain.findings import Outcome
from integrity.record import Run, decode, encode
from tests.memory import reasons, verify
from tests.scenarios import SCENARIOS, Scenario, Stage


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    stage = scenario.stage()

    run = _verified(scenario, stage)

    assert tuple(reasons(run)) == scenario.finds
    assert run.outcome is scenario.outcome
    assert decode(encode(run)) == run
    for chain in run.chains:
        hours = (stage.end - stage.start).total_seconds() / 3600
        assert chain.kind == "backfill" or hours <= len(chain.hours) <= hours + 2


def _verified(scenario: Scenario, stage: Stage) -> Run:
    return verify(
        stage.world,
        stage.trail,
        stage.start,
        stage.end,
        witness=scenario.witness,
        name=stage.trail_name,
    )


def test_outcomes_of_scenarios_are_those_of_their_findings() -> None:
    """A slip in the table would otherwise hide behind itself."""
    for scenario in SCENARIOS:
        assert scenario.finds or scenario.outcome is Outcome.VALID
