"""What ended a chain, told by verified events: listed with its end, and forged by nobody."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.chain.limits import Limits
from integrity.lab import attacks
from integrity.lab.attacks.logs import overwrite
from integrity.lab.events import log_json
from integrity.lab.signing import gzipped
from integrity.lab.world import Chain, World
from integrity.record import ChainResult, ChainState, Run, decode, encode
from integrity.report.text import Style, render_run
from integrity.structs import replace
from integrity.verify import endings as endings_module
from integrity.verify import explanations as explanations_module
from tests import organizations
from tests.memory import as_trail, reasons, verify
from tests.scenarios.stage import HOUR, MINUTE, NOW, START
from tests.verify.stage import Stage, made

STOP = START + 26 * HOUR + 30 * MINUTE


def stopped(by: str = "StopLogging") -> Stage:
    """A chain of March 1st that goes on for 26 hours and a half, and was ended by a call."""
    stage = made()
    stage.world.stop_chain(stage.chain, stop=STOP, by=by)
    return stage


def claimed(stage: Stage, start: float, end: float, **options: Any) -> Run:
    """Verified by who may not ask AWS, as a trail that was deleted is."""
    trail = replace(as_trail(stage.trail), looked_up=False)
    return stage.verify(start, end, witness=False, meant=trail, **options)


def state(run: Run, region: str = "us-east-1") -> ChainState:
    return of_region(run, region).state


def of_region(run: Run, region: str) -> ChainResult:
    (found,) = [chain for chain in run.chains if chain.region == region]
    return found


def text(run: Run) -> str:
    return "\n".join(render_run(run, Style(), status=None))


class TestStopped:
    @pytest.mark.parametrize("by", ["StopLogging", "DeleteTrail"])
    def test_the_chain_is_listed_with_its_end_and_who_ended_it(self, by: str) -> None:
        stage = stopped(by)

        run = claimed(stage, 0, 40)

        assert (run.findings, run.outcome) == ((), Outcome.VALID)
        (chain,) = run.chains
        assert (chain.state, chain.ended_at) == (ChainState.ENDED, START + 27 * HOUR)
        act = chain.ended_by
        assert act is not None
        assert (act.event_name, act.time) == (by, STOP)
        told = stage.world.administration[-1]
        assert (act.by, act.event_id) == (told["userIdentity"]["arn"], told["eventID"])
        log = max(stage.chain.log_files, key=lambda log: log.newest)
        assert (act.s3_uri, act.sha256) == (f"s3://{log.bucket}/{log.key}", log.sha256)
        assert decode(encode(run)) == run
        assert f"ended at 2026-03-02T03:00:00Z by {by} ({act.by})" in text(run)

    @pytest.mark.parametrize("start", [26.6, 27.5, 28, 200])
    def test_its_last_digest_is_read_though_it_lies_before_the_window(self, start: float) -> None:
        run = claimed(stopped(), start, start + 24)

        assert run.findings == ()
        assert state(run) is ChainState.ENDED
        assert run.chains[0].ended_at == START + 27 * HOUR
        if start > 28:
            assert run.chains[0].digest_files.total == 0
            assert run.population.chains.expected == 0

    def test_nothing_found_is_never_valid(self) -> None:
        assert claimed(stopped(), 28, 40).outcome is Outcome.UNDETERMINED

    def test_that_the_trail_is_off_is_still_told(self) -> None:
        run = stopped().verify(0, 40)

        assert (reasons(run), state(run)) == (["trail_off"], ChainState.ENDED)

    def test_files_before_the_window_are_not_told(self) -> None:
        told: list[Any] = []

        class Listening:
            def expect(self, log_files: int) -> None:
                if log_files:
                    told.append(log_files)

            def done(self, log_files: int, stored_bytes: int) -> None:
                told.append((log_files, stored_bytes))

            def valid_digest(self, location: object) -> None:
                told.append(location)

            def valid_log(self, location: object) -> None:
                told.append(location)

        claimed(stopped(), 30, 40, progress=Listening())

        assert told == []

    def test_what_is_wrong_before_the_window_is_no_finding_and_proves_nothing(self) -> None:
        stage = stopped()
        attacks.edit_log(stage.world, stage.chain.digests[-1].log_files[0])

        assert reasons(claimed(stage, 30, 40)) == ["no_digests"]


def forge_in_a_log_that_nobody_names(stage: Stage) -> None:
    cut(stage)
    key = attacks.plant_log(stage.world, stage.chain, newest=START + 19.5 * HOUR)
    stage.world.objects[key] = dataclasses.replace(stage.world.objects[key], body=forged(stage))


def forge_in_a_log_that_is_named(stage: Stage) -> None:
    cut(stage)
    log = stage.chain.digests[20].log_files[0]
    overwrite(stage.world, log.address, forged(stage))


def cut(stage: Stage) -> None:
    """Everything from the 20th hour on is gone."""
    attacks.cut_head(stage.world, stage.chain, 6)


def forged(stage: Stage) -> bytes:
    """A log file with the event that would end the chain."""
    stage.world.call(stage.chain, "StopLogging", at=START + 19.5 * HOUR)
    return gzipped(log_json([stage.world.administration[-1]]))


def tell(name: str = "StopLogging", **said: Any) -> Callable[[Stage], object]:
    """The chain's last hour records a call, and the chain ends without having been ended."""

    def act(stage: Stage) -> None:
        stage.world.call(stage.chain, name, at=STOP - MINUTE, **said)
        stage.world.stop_chain(stage.chain, stop=STOP, by="")

    return act


def stop_and_start(stage: Stage) -> None:
    stage.world.call(stage.chain, "StopLogging", at=STOP - 2 * MINUTE)
    tell("StartLogging")(stage)


def stop_and_create(stage: Stage) -> None:
    stage.world.call(stage.chain, "DeleteTrail", at=STOP - 2 * MINUTE)
    tell("CreateTrail", request={"name": stage.trail.name})(stage)


def stop_and_start_at_once(stage: Stage) -> None:
    stage.world.call(stage.chain, "StartLogging", at=STOP - MINUTE)
    tell()(stage)


def restart_and_cut(stage: Stage) -> None:
    """What came after a restart within the hour is gone, but for its first, empty digest."""
    stage.world.restart_chain(stage.chain, stop=STOP, start=STOP + 10 * MINUTE, hours=3)
    for digest in stage.chain.digests:
        if digest.start >= STOP:
            attacks.delete_digest(stage.world, digest, with_logs=True)


def go_on_unattested(stage: Stage) -> None:
    """Log files came after the end, and nobody vouches for them."""
    stage.world.stop_chain(stage.chain, stop=STOP)
    attacks.plant_log(stage.world, stage.chain, newest=STOP + 3 * HOUR)


def junk_for_a_head(stage: Stage) -> None:
    """The chain was cut long before, and a junk digest stands where it would have ended."""
    stage.world.stop_chain(stage.chain, stop=STOP)
    last = stage.chain.digests[-1]
    overwrite(stage.world, last.address, b"junk")


NONE_OF_IT = {
    "in a log file that no digest names": forge_in_a_log_that_nobody_names,
    "in a log file whose hash is another": forge_in_a_log_that_is_named,
    "of another trail": tell(request={"name": "other"}),
    "of another trail's ARN": tell(
        request={"name": "main"},
        response={"trailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/other"},
    ),
    "of a call that failed": tell(error="AccessDenied"),
    "of another call": tell("PutEventSelectors"),
    "of an update that ends nothing": tell("UpdateTrail"),
    "followed by StartLogging": stop_and_start,
    "followed by CreateTrail": stop_and_create,
    "in the second of StartLogging": stop_and_start_at_once,
    "before a restart that is gone": restart_and_cut,
    "before log files that nobody vouches for": go_on_unattested,
    "over a head that is junk": junk_for_a_head,
}


@pytest.mark.parametrize("play", NONE_OF_IT.values(), ids=NONE_OF_IT)
@pytest.mark.parametrize("start", [0, 28])
def test_what_ends_no_chain(play: Callable[[Stage], object], start: float) -> None:
    stage = made()
    play(stage)

    run = claimed(stage, start, 60)

    assert state(run) is ChainState.OPEN
    assert {"head_stale", "no_digests"} & set(reasons(run))
    assert run.outcome is not Outcome.VALID


def test_aws_says_that_the_trail_logs() -> None:
    """The restarted chain is gone, log files and all; its start is known to AWS alone."""
    stage = stopped()
    status = stage.world.status(stage.trail, "us-east-1")
    status.is_logging = True

    assert reasons(stage.verify(0, 40)) == ["head_stale"]


def test_aws_says_that_it_was_started_again() -> None:
    stage = stopped()
    stage.world.status(stage.trail, "us-east-1").start_logging_time = STOP + HOUR

    assert reasons(stage.verify(0, 40)) == ["head_stale", "trail_off"]


@pytest.mark.parametrize(
    "limits",
    [Limits(max_searched_bytes=100), Limits(max_events=0), Limits(max_event_bytes=100)],
    ids=["file", "number", "event"],
)
@pytest.mark.parametrize("start", [0, 36])
def test_what_was_not_searched_proves_no_end(limits: Limits, start: float) -> None:
    (finding,) = claimed(stopped(), start, 60, limits=limits).findings

    assert finding.reason in (Reason.HEAD_STALE, Reason.NO_DIGESTS)
    assert "could not be searched for what ended it" in finding.detail


# Other chains of the trail


def two_regions(*, ends: float = 10.5) -> tuple[World, Chain, Chain]:
    """A trail of two regions, of which one ends; the home region records why in mid-hour."""
    world = World(seed=5, now=NOW)
    trail = world.add_trail(name="main")
    home = world.run_chain(trail, start=START, hours=10, logs_per_hour=1)
    other = world.run_chain(trail, region="eu-west-1", start=START, hours=10, logs_per_hour=1)
    world.stop_chain(other, stop=START + ends * HOUR, by="")
    return world, home, other


def one_region(*, at: float = 10.5) -> Stage:
    world, home, _ = two_regions()
    world.call(
        home,
        "UpdateTrail",
        at=START + at * HOUR,
        request={"name": "main", "isMultiRegionTrail": False},
    )
    world.continue_chain(home, hours=40)
    home.trail.multi_region = False
    return Stage(world, home.trail, home)


@pytest.mark.parametrize("start", [0, 10.7, 12, 30])
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_one_region_instead_of_all_ends_the_others(
    start: float, *, alone: bool, asked: bool
) -> None:
    stage = one_region()
    narrowed = {"source_regions": ("eu-west-1",)} if alone else {}

    run = stage.verify(start, 45, witness=asked, **narrowed)

    assert run.findings == ()
    ended = of_region(run, "eu-west-1")
    assert (ended.state, ended.ended_at) == (ChainState.ENDED, START + 11 * HOUR)
    assert ended.ended_by is not None
    assert ended.ended_by.event_name == "UpdateTrail"
    if not alone:
        assert state(run) is not ChainState.ENDED


def test_it_ends_no_chain_of_a_trail_that_has_all_regions_now() -> None:
    stage = one_region()
    stage.trail.multi_region = True

    assert reasons(stage.verify(0, 45)) == ["head_stale"]


def test_it_ends_not_the_home_regions_own_chain() -> None:
    """Whose newest digests are gone from an hour after the act on."""
    stage = one_region()
    attacks.cut_head(stage.world, stage.chain, 38)

    run = stage.verify(0, 45, witness=False)

    assert [(one.reason, one.region) for one in run.findings] == [(Reason.HEAD_STALE, "us-east-1")]
    assert state(run, "eu-west-1") is ChainState.ENDED


@pytest.mark.parametrize("at", [14.5, 8.2])
@pytest.mark.parametrize("start", [0, 30])
def test_it_explains_no_hours_that_are_gone_and_none_that_came_after(
    at: float, start: float
) -> None:
    """The other region was cut before the act; or went on for hours after it."""
    run = one_region(at=at).verify(start, 45, witness=False) if at > 10 else _late(start)

    assert set(reasons(run)) <= {"head_stale", "no_digests"}
    assert state(run, "eu-west-1") is ChainState.OPEN


def _late(start: float) -> Run:
    world = World(seed=5, now=NOW)
    trail = world.add_trail(name="main")
    home = world.run_chain(trail, start=START, hours=5, logs_per_hour=1)
    request = {"name": trail.arn, "isMultiRegionTrail": False}
    world.call(home, "UpdateTrail", at=START + 5.5 * HOUR, request=request)
    world.continue_chain(home, hours=45)
    other = world.run_chain(trail, region="eu-west-1", start=START, hours=10, logs_per_hour=1)
    world.stop_chain(other, by="")
    trail.multi_region = False
    return Stage(world, trail, home).verify(start, 45, witness=False)


def test_validation_off_ends_every_chain() -> None:
    world, home, _ = two_regions()
    world.call(
        home,
        "UpdateTrail",
        at=START + 10.5 * HOUR,
        request={"name": home.trail.arn, "enableLogFileValidation": False},
    )
    world.stop_chain(home, stop=START + 10.6 * HOUR, by="")
    home.trail.validation = False
    for region in ("us-east-1", "eu-west-1"):
        world.status(home.trail, region).is_logging = True

    run = Stage(world, home.trail, home).verify(0, 30)

    assert reasons(run) == ["trail_off"]
    assert {chain.state for chain in run.chains} == {ChainState.ENDED}


def test_validation_that_was_answered_to_be_on_is_on() -> None:
    world, home, _ = two_regions()
    for minute, said in ((10, False), (20, None)):
        request = {"name": "main"} | ({} if said is None else {"enableLogFileValidation": said})
        world.call(
            home,
            "UpdateTrail",
            at=START + 10 * HOUR + minute * MINUTE,
            request=request,
            response={"name": "main", "logFileValidationEnabled": said is None},
        )
    world.stop_chain(home, stop=START + 10.6 * HOUR, by="")

    run = claimed(Stage(world, home.trail, home), 0, 30)

    assert set(reasons(run)) == {"head_stale"}


def test_an_organization_no_more_ends_its_members() -> None:
    stage = organizations.organization()
    end = organizations.START + organizations.HOURS * HOUR + HOUR / 2
    home = stage.chain(organizations.OWNER, "us-east-1")
    request = {"name": stage.trail.arn, "isOrganizationTrail": False}
    stage.world.call(home, "UpdateTrail", at=end, request=request)
    for chain in stage.world.chains:
        if chain.account_id == organizations.OWNER:
            stage.world.continue_chain(chain, hours=20)
        else:
            stage.world.stop_chain(chain, stop=end, by="")
    trail = replace(as_trail(stage.trail), looked_up=False, is_organization=False)

    run = verify(stage.world, stage.trail, START, START + 20 * HOUR, witness=False, meant=trail)

    assert run.findings == ()
    ended = {chain.account_id for chain in run.chains if chain.state is ChainState.ENDED}
    assert ended == {organizations.SECOND, organizations.THIRD}


def test_chains_that_ended_together_have_one_hour_looked_into() -> None:
    world, home, _ = two_regions()
    world.stop_chain(home, stop=START + 10.5 * HOUR)
    stage = Stage(world, home.trail, home)

    run = claimed(stage, 30, 40)

    assert {chain.state for chain in run.chains} == {ChainState.ENDED}
    log = max(home.log_files, key=lambda log: log.newest)
    assert [one.key for one in stage.source.fetched].count(log.key) == 2  # to hear, and to settle


def test_only_so_many_hours_before_the_window_are_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endings_module, "_MOST_HOURS", 0)

    assert reasons(claimed(stopped(), 30, 40)) == ["no_digests"]


def test_a_trail_that_is_on_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that AWS does not deny could have ended it: nothing is read but to explain it."""
    monkeypatch.setattr(explanations_module, "_MOST_HOURS", 0)
    stage = stopped()
    stage.world.status(stage.trail, "us-east-1").is_logging = True

    assert reasons(stage.verify(40, 60)) == ["no_digests"]
    assert not [one for one in stage.source.fetched if "/CloudTrail/" in one.key]
