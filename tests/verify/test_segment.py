"""One account and region over a part of the window: what belongs to it, and what comes of it."""

from __future__ import annotations

import pickle
from concurrent.futures import Executor
from threading import Event

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.chain.link import Standing
from integrity.chain.model import ChainKind, S3Location, TimeWindow, TrailStatus
from integrity.lab import attacks
from integrity.lab.objects import StoredObject
from integrity.record import SegmentResult
from integrity.structs import replace
from integrity.verify.checking import check_segment
from integrity.verify.segment import Segment
from tests.chain.specimens import CHAIN, at, hours
from tests.memory import Silent
from tests.verify.stage import Stage, chain_id, made, of

MINUTE, SECOND = 1 / 60, 1 / 3600


def segment(start: float, end: float, *, is_first: bool = True, is_last: bool = True) -> Segment:
    return Segment(chain=CHAIN, window=hours(start, end), is_first=is_first, is_last=is_last)


# Spans


@pytest.mark.parametrize(
    ("part", "span", "log_window"),
    [
        (segment(0, 24), hours(0, 25), hours(0, 24)),
        (segment(0, 24, is_last=False), hours(0, 24), hours(0, 24 - MINUTE)),
        (segment(24, 48, is_first=False), hours(24 + SECOND, 49), hours(24, 48)),
        (
            segment(24, 48, is_first=False, is_last=False),
            hours(24 + SECOND, 48),
            hours(24, 48 - MINUTE),
        ),
    ],
)
def test_between_segments_a_digest_belongs_to_the_earlier_one_and_a_log_file_to_its_day(
    part: Segment, span: TimeWindow, log_window: TimeWindow
) -> None:
    assert (part.span, part.log_window) == (span, log_window)


def test_a_segment_and_its_result_are_picklable(executor: Executor) -> None:
    part = segment(0, 24)
    result = made().check(executor)

    assert pickle.loads(pickle.dumps(part)) == part
    assert pickle.loads(pickle.dumps(result)) == result


# Results


def ends(result: SegmentResult) -> list[float]:
    return [(entry.window.end - at(0)).total_seconds() / 3600 for entry in result.entries]


def test_a_clean_day_has_its_digests_and_its_log_files(executor: Executor) -> None:
    stage = made(hours=40)

    result = stage.check(executor)

    assert ends(result) == [*range(26)]
    assert [entry.logs.valid for entry in result.entries] == [0] + [2] * 25
    assert [entry.window.end for entry in result.neighbours] == [at(26)]
    assert (result.findings, result.complete) == ((), True)
    assert (result.unattested, result.unreferenced, result.pending) == (0, 0, 0)
    assert (result.newest, result.has_logs, result.log_files) == (at(40), True, 50)
    stored = [stage.world.objects[log.address].body for log in stage.chain.log_files[:50]]
    assert result.stored_bytes == sum(len(body) for body in stored)
    (key,) = result.keys
    assert key.fingerprint == stage.chain.digests[0].fingerprint


def test_checking_twice_gives_the_same(executor: Executor) -> None:
    stage = made()
    attacks.edit_log(stage.world, stage.chain.log_files[5])
    attacks.delete_digest(stage.world, stage.chain.digests[9])

    assert stage.check(executor) == stage.check(executor)


def test_keys_that_signed_nothing_here_are_not_told(executor: Executor) -> None:
    stage = made()
    stage.world.rotate_key("us-east-1", at=at(200))

    assert len(stage.check(executor).keys) == 1


def test_a_backfill_digest_belongs_where_its_name_lies(executor: Executor) -> None:
    stage = made(hours=60)
    stage.world.backfill(stage.chain, end=at(10), generated_at=at(60))

    result = stage.check(executor)

    kinds = [entry.chain.kind for entry in result.entries]
    assert kinds.count(ChainKind.BACKFILL) == 1
    assert result.log_files == 52
    assert all(
        entry.chain.kind is ChainKind.STANDARD for entry in stage.check(executor, 24, 48).entries
    )


def test_a_backfill_digest_that_is_gone_belongs_where_it_is_named(executor: Executor) -> None:
    stage = made(hours=60)
    gone = stage.world.backfill(stage.chain, end=at(10), generated_at=at(60))
    stage.world.backfill(stage.chain, end=at(50), generated_at=at(61))
    attacks.delete_backfill(stage.world, gone)

    result = stage.check(executor, 40, 56)

    (missing,) = [entry for entry in result.entries if entry.standing is Standing.MISSING]
    assert missing.window == hours(9, 10)


# Objects that are none of any trail's


def test_an_object_that_is_named_like_no_digest_is_foreign(executor: Executor) -> None:
    stage = made()
    folder = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/"
    for name in ("01/evil.json.gz", "03/later.json.gz"):
        stage.world.objects["trail-logs", folder + name] = StoredObject(b"x", at(12))

    (finding,) = stage.check(executor).findings

    assert (finding.reason, finding.outcome) == (Reason.DIGEST_FOREIGN, Outcome.VALID)
    assert finding.s3_uri == f"s3://trail-logs/{folder}01/evil.json.gz"
    assert (finding.window, finding.last_modified) == (hours(0, 24), at(12))


def test_strangers_of_other_days_are_other_segments(executor: Executor) -> None:
    stage = made(hours=60)
    folder = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/"
    stage.world.objects["trail-logs", f"{folder}02/evil.json.gz"] = StoredObject(b"x", at(30))

    assert stage.check(executor, 0, 23).findings == ()
    assert len(stage.check(executor, 24, 47).findings) == 1


# What could not be looked into


@pytest.mark.parametrize("folder", ["CloudTrail-Digest/us-east-1/2026/03/01/", "CloudTrail/"])
def test_a_folder_that_does_not_answer_leaves_the_segment_incomplete(
    executor: Executor, folder: str
) -> None:
    stage = made()
    stage.source.unreachable = {f"{folder}": "AccessDenied: allow s3:ListBucket"}

    result = stage.check(executor)

    assert not result.complete
    told = of(result.findings, Reason.OBJECT_UNREADABLE)
    assert {finding.window for finding in told} >= {hours(0, 24)}
    assert {finding.detail for finding in told} == {"AccessDenied: allow s3:ListBucket"}
    assert any((finding.s3_uri or "").endswith("2026/03/01/") for finding in told)


def test_without_unreferenced_log_folders_are_not_listed(executor: Executor) -> None:
    stage = made()

    result = stage.check(executor, unreferenced=False)

    assert (result.unattested, result.unreferenced, result.pending) == (None, None, None)
    assert not any("/CloudTrail/" in prefix for prefix in stage.source.listed)
    assert (result.log_files, result.has_logs) == (50, True)


def test_what_is_stopped_is_not_complete(executor: Executor) -> None:
    stage, stopping = made(), Event()
    stopping.set()
    tools = replace(stage.tools(executor), stopping=stopping)

    result = check_segment(segment(0, 24), stage.job(), tools)

    assert not result.complete
    assert (result.entries, result.log_files) == ((), 0)


# The witness of the head


def witnessed(stage: Stage, executor: Executor, delivery: float | None) -> SegmentResult:
    status = TrailStatus(
        "us-east-1",
        at(99),
        is_logging=True,
        latest_digest_delivery=None if delivery is None else at(delivery),
    )
    part = Segment(chain=chain_id(stage.chain), window=hours(0, 20), witness=status)
    return check_segment(part, stage.job(0, 20), stage.tools(executor))


def test_the_newest_digest_is_looked_for_where_aws_names_a_later_delivery(
    executor: Executor,
) -> None:
    stage = made(hours=60)

    assert witnessed(stage, executor, 60.5).newest == at(60)
    assert witnessed(stage, executor, None).newest == at(23)


@pytest.mark.parametrize(("written", "redelivered"), [(15.5, True), (14, False)])
def test_a_head_that_is_behind_may_have_been_redelivered_to(
    executor: Executor, written: float, *, redelivered: bool
) -> None:
    """AWS delivered at half past three, and nothing that ends after ten is left."""
    stage = made()
    attacks.delete_digests(stage.world, [d for d in stage.chain.digests if d.end > at(10)])
    stage.world.redeliver(stage.chain, stage.chain.digests[5], at=at(written))

    assert witnessed(stage, executor, 15.5).redelivered is redelivered


def test_a_head_that_is_not_behind_needs_no_explanation(executor: Executor) -> None:
    stage = made()

    assert not witnessed(stage, executor, 15.5).redelivered
    assert len(stage.source.fetched) == len(set(stage.source.fetched))


# Progress


class Told(Silent):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.expected, self.digests = 0, list[S3Location]()

    def expect(self, log_files: int) -> None:
        self.expected += log_files

    def valid_digest(self, location: S3Location) -> None:
        self.digests.append(location)


def test_valid_digests_are_told_in_order_and_no_others(executor: Executor) -> None:
    stage, told = made(hours=40), Told()
    digests = stage.chain.digests
    attacks.unsign_digest(stage.world, digests[4])
    attacks.edit_digest(stage.world, digests[9])
    attacks.wrong_previous_hash(stage.world, stage.chain, digests[12])
    tools = replace(stage.tools(executor), progress=told)

    result = check_segment(segment(0, 20), stage.job(0, 20), tools)

    flawed = {4, 9, 12}
    assert [location.key for location in told.digests] == [
        digest.key for number, digest in enumerate(digests[:22]) if number not in flawed
    ]
    assert told.expected == result.log_files
