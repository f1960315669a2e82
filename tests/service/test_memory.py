"""A store held against the newest record: the same, died in between, lost, or from a backup."""

from __future__ import annotations

import pytest

from integrity.record import Run, encode
from integrity.service.checkpoint import next_checkpoint
from integrity.service.hearing import Heard
from integrity.service.memory import lost_memory, sha256_of
from integrity.state import Checkpoint, StoredRecord
from integrity.structs import replace
from tests.service.memory_stage import MemoryStage, begun


@pytest.fixture(scope="module")
def history() -> list[tuple[Checkpoint, StoredRecord]]:
    """Four ticks: what the store knew after each, and the record of it."""
    stage = begun()
    after = []
    for _ in range(4):
        stage.tick()
        checkpoint = stage.store.load(stage.trail.arn).checkpoint
        newest = stage.records.newest(stage.trail.arn)
        assert checkpoint is not None
        assert newest is not None
        after.append((checkpoint, newest))
        stage.pass_hours()
    return after


History = list[tuple[Checkpoint, StoredRecord]]


def test_nothing_was_ever_recorded(history: History) -> None:
    assert lost_memory(None, None) == ""
    assert lost_memory(history[0][0], None) == ""


def test_the_store_has_the_newest_record(history: History) -> None:
    assert [lost_memory(*one) for one in history] == [""] * 4


def test_a_tick_died_after_its_record(history: History) -> None:
    assert lost_memory(None, history[0][1]) == ""
    assert lost_memory(history[1][0], history[2][1]) == ""


def test_two_ticks_at_once_and_the_loser_s_record_is_the_newest(history: History) -> None:
    checkpoint, _ = history[2]
    loser = replace(history[2][1], document=history[2][1].document + b" ")
    assert sha256_of(loser.document) != checkpoint.record_sha256
    assert lost_memory(checkpoint, loser) == ""


def test_the_store_is_new(history: History) -> None:
    why = lost_memory(None, history[1][1])
    assert why.startswith("the store knows nothing of this trail")
    assert history[1][1].uri in why


def test_the_store_is_from_a_backup(history: History) -> None:
    why = lost_memory(history[0][0], history[2][1])
    assert "the store is older than the records" in why
    assert history[0][0].record_uri in why
    assert history[2][1].uri in why


def test_the_newest_records_are_gone_and_the_store_has_lost_nothing(history: History) -> None:
    """Nor has it if another machine's clock is behind, so that an older record is the newest."""
    assert lost_memory(history[3][0], history[0][1]) == ""
    assert lost_memory(history[3][0], history[2][1]) == ""


@pytest.mark.parametrize("document", [b"junk", b"{}", b'{"schema_version": 99}', b"\xff", b""])
def test_a_record_that_is_none_is_named(history: History, document: bytes) -> None:
    why = lost_memory(history[0][0], StoredRecord("s3://records/1.json", document))
    assert why.startswith("the newest record s3://records/1.json cannot be read: ")


def test_a_checkpoint_without_a_record_keeps_the_last_one(history: History) -> None:
    stage = MemoryStage(begun().world)
    verification = stage._verify(
        window=stage.tick().run.requested.window, known=(), previous_sha256=None
    )
    before, _ = history[0]
    after = next_checkpoint(before, verification, stage.trail, uri="", document=b"", heard=Heard())
    run: Run = verification.run
    assert after.record_sha256 == before.record_sha256
    written = next_checkpoint(
        before, verification, stage.trail, uri="u", document=encode(run), heard=Heard()
    )
    assert written.previous_record_sha256 == before.record_sha256
    assert (written.record_uri, written.record_sha256) == ("u", sha256_of(encode(run)))
