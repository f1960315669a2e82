"""What the program really finds, told, and looked at again: no attack is over by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import timedelta

import pytest

from integrity.chain.model import TimeWindow
from integrity.incidents.causes import NATURES, Cause
from integrity.incidents.decide import Decision, decide
from integrity.incidents.looks import Look, due_looks
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Recorded, Tick
from integrity.record import Run
from integrity.state import Incident, Step
from integrity.structs import replace
from tests import memory
from tests.scenarios import SCENARIOS, Scenario, Stage
from tests.scenarios.digests import DIGESTS
from tests.scenarios.logs import LOGS
from tests.scenarios.stage import nothing

LATER = timedelta(days=3)


def look_at(stage: Stage, look: Look) -> Run:
    """A run over nothing but that look."""
    source = memory.SwiftSource(stage.world)
    if stage.denied:
        source.unreachable[stage.denied] = "access denied"
    return memory.verify(
        stage.world,
        stage.trail,
        look.window.start,
        look.window.end,
        witness=stage.witness,
        source=source,
        name=stage.trail_name,
        account_ids=(look.account_id,),
        source_regions=(look.region,),
    )


def opened(run: Run) -> list[Incident]:
    tick = Tick(main=Recorded(run, "s3://records/1.json"))
    decision = decide(tick, [], policy=Policy(), now=run.run.judged_at)
    return list(decision.incidents)


def decided_later(stage: Stage, run: Run, incidents: list[Incident]) -> Decision:
    """Three days later, by nothing but looks at a stage."""
    now = run.run.judged_at + LATER
    away = TimeWindow(now - timedelta(hours=25), now)
    main = replace(
        run,
        findings=(),
        requested=replace(run.requested, start=away.start, end=away.end),
        run=replace(run.run, interrupted=True),
    )
    looks = [
        Recorded(look_at(stage, look), "s3://records/2.json")
        for look in due_looks(incidents, away, now, limit=100)
    ]
    tick = Tick(main=Recorded(main, "s3://records/2.json"), looks=tuple(looks))
    return decide(tick, incidents, policy=Policy(), now=now)


def lasting(incidents: Iterable[Incident]) -> set[str]:
    """Those that looks answer for."""
    return {one.id for one in incidents if not NATURES[Cause(one.cause)].by_tick}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_was_found_is_found_again_by_a_look_at_its_own_window(scenario: Scenario) -> None:
    stage = scenario.stage()
    run = stage.verify()
    incidents = opened(run)

    decision = decided_later(stage, run, incidents)

    assert Step.RESOLVED not in {message.step for message in decision.messages}
    seen = {one.id for one in decision.incidents if one.last_seen > run.run.judged_at}
    noted = {one.id for one in incidents if one.cause == Cause.EXPIRED}
    assert lasting(incidents) - noted <= seen


@pytest.mark.parametrize("scenario", [*LOGS, *DIGESTS], ids=lambda scenario: scenario.name)
def test_what_was_mended_is_over(scenario: Scenario) -> None:
    run = scenario.stage().verify()
    incidents = opened(run)
    mended = dataclasses.replace(scenario, play=nothing).stage()

    decision = decided_later(mended, run, incidents)

    over = {one.id for one in decision.incidents if one.resolved is not None}
    noted = {one.id for one in incidents if one.cause == Cause.EXPIRED}
    assert lasting(incidents) - noted == over
