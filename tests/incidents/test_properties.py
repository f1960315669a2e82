"""Whatever comes and goes, in whatever order: nothing is told twice, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.findings import Finding, Reason
from integrity.incidents.decide import decide
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Recorded, Tick
from integrity.state import Incident
from tests.incidents.story import BEGIN, HOUR, Story, found, hours, log_uri, run

FINDINGS = st.builds(
    lambda reason, first, length, region, number: found(
        reason,
        hours(first, first + length),
        region=region,
        uri=log_uri(number, region=region),
    ),
    reason=st.sampled_from(sorted(Reason)),
    first=st.integers(-3, 30),
    length=st.sampled_from([1, 1, 1, 2]),
    region=st.sampled_from(["us-east-1", "eu-west-1"]),
    number=st.integers(0, 3),
)
TICKS = st.lists(
    st.tuples(st.lists(FINDINGS, max_size=5), st.sampled_from(["", "", "", "interrupted", "look"])),
    max_size=10,
)


def play(ticks: list[tuple[list[Finding], str]]) -> Story:
    story = Story(Policy(head_ticks=1, trouble_ticks=2, remind_every=4 * HOUR))
    for findings, how in ticks:
        if how == "look":
            story.tick(looks=story.look_at(*findings))
        else:
            story.tick(*findings, interrupted=how == "interrupted")
    return story


@given(TICKS)
def test_the_life_of_every_incident_is_told_in_order(
    ticks: list[tuple[list[Finding], str]],
) -> None:
    story = play(ticks)  # and every tick, decided twice, tells and changes nothing more

    told: dict[tuple[str, str], list[str]] = {}
    for message in story.messages:
        ids = message.facts["incident_ids"]
        assert isinstance(ids, list)
        assert message.audience is not None
        assert len(set(ids)) == len(ids)
        for incident_id in ids:
            steps = told.setdefault((incident_id, message.audience.value), [])
            steps.append(message.step.value)
    for steps in told.values():
        assert steps[0] in ("opened", "noted")
        assert {"opened", "noted"}.isdisjoint(steps[1:])
        assert "resolved" not in steps[:-1]
        assert steps[0] == "opened" or steps == ["noted"]

    heard = {(one.id, audience.value) for one in everything(story) for audience in one.told}
    assert heard == told.keys()
    for one in story.closed:
        for audience in one.told:
            last = told[one.id, audience.value][-1]
            assert last in ("resolved", "noted")


@given(TICKS)
def test_no_id_is_given_twice(ticks: list[tuple[list[Finding], str]]) -> None:
    story = play(ticks)
    assert max(Counter(one.id for one in everything(story)).values(), default=1) == 1
    assert max(Counter(one.id for one in story.messages).values(), default=1) == 1
    assert all(len(one.id) == 12 for one in everything(story))


@given(st.lists(FINDINGS, max_size=8), st.randoms())
def test_the_same_tick_is_decided_alike_after_a_crash(findings: list[Finding], chance) -> None:  # type: ignore[no-untyped-def]
    story = Story()
    window = replace(story, now=BEGIN).window
    shuffled = list(findings)
    chance.shuffle(shuffled)
    decisions = [
        decide(
            Tick(main=Recorded(run(window, *order), "s3://records/1.json")),
            [],
            policy=Policy(),
            now=BEGIN,
        )
        for order in (findings, findings, shuffled)
    ]
    assert decisions[0] == decisions[1]
    assert ids(decisions[0].incidents) == ids(decisions[2].incidents)
    assert {one.id for one in decisions[0].messages} == {one.id for one in decisions[2].messages}


@given(st.lists(FINDINGS, max_size=8))
def test_every_finding_that_concerns_anybody_lies_in_one_open_incident(
    findings: list[Finding],
) -> None:
    story = Story()
    story.tick(*findings)
    for finding in findings:
        if finding.reason is Reason.DIGEST_FOREIGN:
            continue
        by_folder = finding.reason is Reason.LOG_UNREFERENCED
        holding = [
            one
            for one in story.open.values()
            if finding.s3_uri in one.subjects
            and (one.account_id, one.region) == (finding.account_id, finding.region)
            and (
                by_folder
                or (
                    one.window.start <= finding.window.start
                    and finding.window.end <= one.window.end
                )
            )
        ]
        assert holding


def everything(story: Story) -> list[Incident]:
    return [*story.open.values(), *story.closed]


def ids(incidents: tuple[Incident, ...]) -> set[str]:
    return {one.id for one in incidents}
