"""Every scenario, verified from memory: what is found, the outcome, the record."""

from __future__ import annotations

import pytest

from integrity.chain.findings import Outcome
from integrity.record import decode, encode
from tests.memory import reasons
from tests.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    stage = scenario.stage()

    run = stage.verify()

    assert tuple(reasons(run)) == scenario.finds
    assert run.outcome is scenario.outcome
    assert decode(encode(run)) == run
    for chain in run.chains:
        hours = (stage.end - stage.start).total_seconds() / 3600
        assert chain.kind == "backfill" or hours <= len(chain.hours) <= hours + 2


def test_outcomes_of_scenarios_are_those_of_their_findings() -> None:
    """A slip in the table would otherwise hide behind itself."""
    for scenario in SCENARIOS:
        assert scenario.finds or scenario.outcome is Outcome.VALID


def test_every_scenario_has_a_name_of_its_own() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
