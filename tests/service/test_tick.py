"""A tick and everything that can stand in its way, on a world in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Event

import pytest

from integrity.errors import AccessError, UsageError
from integrity.lab import attacks
from integrity.record import decode
from integrity.state import Audience, Commit, ConflictError, Datapoint, Letter
from integrity.structs import replace
from tests.memory_store import MemoryStore
from tests.service.memory_stage import MemoryStage, begun


@pytest.fixture
def stage() -> MemoryStage:
    return begun()


def hit(stage: MemoryStage) -> None:
    attacks.edit_log(stage.world, stage.newest.log_files[0])


def incidents(stage: MemoryStage) -> list[str]:
    return [one.reason for one in stage.store.load(stage.trail.arn).incidents]


def test_a_tick_keeps_a_record_a_checkpoint_and_a_run(stage: MemoryStage) -> None:
    ticked = stage.tick()

    assert ticked.trouble == ""
    [document] = stage.records.records.values()
    assert decode(document) == ticked.run
    state = stage.store.load(stage.trail.arn)
    assert state.checkpoint is not None
    assert state.checkpoint.attempted == ticked.run.requested.end
    assert state.checkpoint.trail == stage.trail
    [run] = stage.store.list_runs(stage.trail.arn, limit=9)
    assert run.record_uri == state.checkpoint.record_uri
    assert run.record_sha256 == state.checkpoint.record_sha256 != ""
    assert stage.sink.values["Heartbeat"] == 1


def test_each_record_names_the_one_before_it(stage: MemoryStage) -> None:
    for _ in range(3):
        stage.tick()
        stage.pass_hours()

    names = [decode(one).run.previous_sha256 for one in stage.records.records.values()]
    assert names[0] is None
    assert len(set(names)) == 3
    assert stage.boxes["operations"].news == []


def test_a_trail_that_cannot_be_opened_leaves_everything_as_it_was(stage: MemoryStage) -> None:
    stage.tick()
    before = stage.store.load(stage.trail.arn)
    stage.closed = UsageError("no credentials")

    with pytest.raises(UsageError):
        stage.tick()

    assert stage.store.load(stage.trail.arn) == before
    assert stage.sink.values == {}


def test_a_store_that_is_down_ends_the_tick(stage: MemoryStage) -> None:
    stage.store.down = True

    with pytest.raises(AccessError):
        stage.tick()

    assert stage.records.records == {}


def test_metrics_that_are_refused_withhold_the_heartbeat_alone(stage: MemoryStage) -> None:
    stage.tick()
    stage.pass_hours()
    hit(stage)
    stage.sink.refuses = "throttled"

    ticked = stage.tick()

    assert ticked.trouble == "metrics were not put: throttled"
    assert stage.boxes["security"].news == [("opened", "log_hash_mismatch")]


def test_a_store_that_goes_down_after_the_commit_takes_no_verdict_back(
    stage: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Sequence[Letter]:
        raise AccessError("the store is down")

    stage.tick()
    stage.pass_hours()
    hit(stage)
    with monkeypatch.context() as patch:
        patch.setattr(stage.store, "claim_letters", refuse)
        ticked = stage.tick()

    assert ticked.trouble == "messages were not delivered: the store is down"
    assert stage.sink.values["LogFilesInvalid"] == 1
    assert {"Heartbeat", "MessagesDue"}.isdisjoint(stage.sink.values)
    stage.pass_hours()
    assert stage.tick().trouble == ""
    assert stage.boxes["security"].news == [("opened", "log_hash_mismatch")]
    assert stage.sink.values["Heartbeat"] == 1


def test_records_that_cannot_be_kept_are_told_and_stop_nothing(
    stage: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise AccessError("denied")

    stage.tick()
    kept = stage.store.load(stage.trail.arn).checkpoint
    with monkeypatch.context() as patch:
        patch.setattr(stage.records, "write", refuse)
        for _ in range(2):
            stage.pass_hours()
            stage.tick()
    assert stage.boxes["operations"].news == [("opened", "records_unreadable")]
    after = stage.store.load(stage.trail.arn).checkpoint
    assert kept is not None
    assert after is not None
    assert (after.record_uri, after.record_sha256) == (kept.record_uri, kept.record_sha256)
    assert after.attempted > kept.attempted
    assert stage.store.list_runs(stage.trail.arn, limit=1)[0].record_uri == ""

    stage.pass_hours()
    stage.tick()
    assert stage.boxes["operations"].news == [("resolved", "records_unreadable")]


def test_records_that_can_neither_be_read_nor_written_are_one_matter(
    stage: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise AccessError("denied")

    monkeypatch.setattr(stage.records, "write", refuse)
    monkeypatch.setattr(stage.records, "newest", refuse)
    stage.tick()

    assert incidents(stage) == ["records_unreadable"]
    assert len(stage.boxes["operations"].taken) == 1


def test_a_tick_that_was_slower_changes_nothing_and_still_delivers(
    stage: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.tick()
    stage.pass_hours()
    stage.tick()
    before = stage.store.load(stage.trail.arn)

    def refuse(_: Commit) -> None:
        raise ConflictError("version 3, not 2")

    stage.pass_hours()
    with monkeypatch.context() as patch:
        patch.setattr(stage.store, "commit", refuse)
        ticked = stage.tick()
        assert (ticked.trouble, stage.sink.values["Heartbeat"]) == ("", 1)
        with pytest.raises(AccessError, match="nothing was accepted"):
            stage.tick(accept="why not")
    assert stage.store.load(stage.trail.arn) == before

    stage.pass_hours()
    stage.tick()
    assert incidents(stage) == []


def test_a_tick_that_is_asked_to_stop_keeps_what_it_has_and_tells_later(
    stage: MemoryStage,
) -> None:
    stage.tick()
    before = stage.store.load(stage.trail.arn).checkpoint
    stage.pass_hours()
    stopping = Event()
    stopping.set()

    ticked = stage.tick(stopping)

    after = stage.store.load(stage.trail.arn).checkpoint
    assert before is not None
    assert after is not None
    assert ticked.run.run.interrupted
    assert after.attempted == before.attempted
    assert len(stage.records.records) == 2
    assert stage.sink.values == {}
    stage.pass_hours()
    assert not stage.tick().run.run.interrupted


def test_a_first_tick_that_is_asked_to_stop_has_attempted_nothing(stage: MemoryStage) -> None:
    stopping = Event()
    stopping.set()

    ticked = stage.tick(stopping)

    checkpoint = stage.store.load(stage.trail.arn).checkpoint
    assert checkpoint is not None
    assert checkpoint.attempted == ticked.run.requested.start


def test_an_interrupted_acceptance_accepts_nothing(stage: MemoryStage) -> None:
    stage.tick()
    attacks.delete_digest(stage.world, stage.newest)
    stage.tick()
    before = stage.store.load(stage.trail.arn)
    stopping = Event()
    stopping.set()

    with pytest.raises(AccessError, match="nothing was accepted"):
        stage.tick(stopping, accept="moved by hand")

    assert stage.store.load(stage.trail.arn) == before
    accepted = stage.tick(accept="moved by hand").run.accepted
    assert [one.reason for one in accepted] == ["moved by hand"]


def test_a_trail_that_aws_does_not_show_is_kept_as_it_was(stage: MemoryStage) -> None:
    stage.tick()
    shown = stage.trail
    stage.claimed = replace(shown, bucket="elsewhere", looked_up=False)
    stage.pass_hours()
    stage.tick()

    checkpoint = stage.store.load(shown.arn).checkpoint
    assert checkpoint is not None
    assert checkpoint.trail == shown


def test_metrics_by_chain_are_opt_in(stage: MemoryStage, monkeypatch: pytest.MonkeyPatch) -> None:
    dimensions: list[int] = []

    def put(points: Iterable[Datapoint]) -> None:
        dimensions.extend(len(point.dimensions) for point in points)

    monkeypatch.setattr(stage.sink, "put", put)
    stage.tick()
    assert set(dimensions) == {1}
    stage.settings["per_chain_metrics"] = True
    stage.pass_hours()
    stage.tick()
    assert set(dimensions) == {1, 3}


def test_a_service_without_metrics_tells_all_the_same(stage: MemoryStage) -> None:
    stage.has_metrics = False
    hit(stage)

    assert stage.tick().trouble == ""
    assert stage.sink.values == {}
    assert ("opened", "log_hash_mismatch") in stage.boxes["security"].news


def test_a_store_that_was_lost_is_told_once(stage: MemoryStage) -> None:
    for _ in range(2):
        stage.tick()
        stage.pass_hours()
    stage.boxes["operations"].taken.clear()
    stage.store = MemoryStore()
    for _ in range(3):
        stage.tick()
        stage.pass_hours()

    assert stage.boxes["operations"].news == [("noted", "state_lost")]


def test_several_digests_cut_off_are_one_message(stage: MemoryStage) -> None:
    stage.tick()
    for _ in range(3):
        attacks.delete_digest(stage.world, stage.newest)
    for _ in range(30):
        stage.pass_hours()
        stage.tick()

    assert [reason for _, reason in stage.boxes["security"].news] == ["head_rewound"] * 2
    assert stage.boxes["operations"].news == []


def test_one_topic_for_both_audiences_is_told_each_step_once(stage: MemoryStage) -> None:
    """An object that stays unreadable beside others is first operations' and then security's."""
    stage.settings["destinations"] = dict.fromkeys(Audience, ("security",))
    stage.tick()
    stage.source.unreachable[stage.newest.log_files[0].key] = "access denied"
    told = []
    for _ in range(80):
        stage.pass_hours()
        stage.tick()
        for message in stage.boxes["security"].taken:
            told.append((message.step.value, message.created_at))
        stage.boxes["security"].taken.clear()

    assert len(told) == len(set(told))
    assert {step for step, _ in told} == {"opened", "reminded"}
    [incident] = stage.store.load(stage.trail.arn).incidents
    assert set(incident.told) == set(Audience)
