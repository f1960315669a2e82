"""One trail, one window, one record: the whole way, from memory."""

from __future__ import annotations

import itertools
from threading import Event
from typing import Any

from integrity.chain.findings import Outcome
from integrity.chain.model import S3Location
from integrity.lab.objects import StoredObject
from integrity.record import Run
from integrity.verify.ports import Witnesses
from integrity.verify.run import Sources, verify_trail
from tests.chain.specimens import at
from tests.memory import Silent, SwiftSource
from tests.verify.stage import Stage, made


def run(stage: Stage, end: float, progress: Silent, stopping: Event) -> Run:
    hours = itertools.count(1000)
    return verify_trail(
        stage.job(0, end),
        Sources(stage.source, stage.keys, None, Witnesses(), name="memory"),
        run_id="a-run",
        caller_arn="an ARN",
        progress=progress,
        clock=lambda: at(next(hours)),
        stopping=stopping,
    ).run


def test_the_record_says_when_and_from_where() -> None:
    record = run(made(), 24, Silent(), Event())

    assert (record.run.id, record.run.caller_arn, record.run.source) == (
        "a-run",
        "an ARN",
        "memory",
    )
    assert (record.run.started_at, record.run.judged_at) == (at(1000), at(1000))
    assert record.run.finished_at > at(1000)
    assert not record.run.interrupted
    assert len(record.run.configuration_sha256) == 64
    assert record.outcome is Outcome.VALID


def test_the_configuration_has_a_hash_of_its_own() -> None:
    stage = made()

    def sha256(**asked: Any) -> str:
        return stage.verify(**asked).run.configuration_sha256

    assert sha256() == sha256()
    assert sha256() != sha256(allow_gaps=True)


def test_a_folder_of_a_region_that_nobody_expects_is_no_chain() -> None:
    stage = made()
    stage.trail.multi_region = False
    key = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/01/01/left-over"
    stage.world.objects["trail-logs", key] = StoredObject(b"x", at(-9000))

    record = stage.verify()

    assert [chain.region for chain in record.chains] == ["us-east-1"]
    assert record.outcome is Outcome.VALID


class Stops(Silent):
    """Somebody presses Ctrl-C as soon as something was proven."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping

    def valid_digest(self, location: S3Location) -> None:  # noqa: ARG002
        self._stopping.set()


def test_segments_that_were_never_begun_leave_the_chain_cut_short() -> None:
    stage, stopping = made(hours=24 * 20, logs_per_hour=0), Event()
    stage.source = SwiftSource(stage.world)

    record = run(stage, 24 * 20, Stops(stopping), stopping)

    (chain,) = record.chains
    assert record.run.interrupted
    assert record.outcome is Outcome.UNDETERMINED
    assert chain.digest_files.total < 24 * 20
    assert record.findings == ()
