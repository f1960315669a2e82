"""The newest digest of a chain, wherever it lies, for AWS's own word to be held against."""

from __future__ import annotations

from concurrent.futures import Executor
from datetime import datetime, timedelta

import pytest

from integrity.chain.model import TrailStatus
from integrity.lab import attacks
from integrity.verify.head import due_by, newest_digest, was_redelivered
from integrity.verify.judged import DigestJudge
from integrity.verify.keyring import KeyRing
from integrity.verify.listing import DigestFolders
from tests.chain.specimens import CHAIN, at
from tests.verify.stage import Stage, chain_id, made

HOUR = timedelta(hours=1)


def folders(stage: Stage, executor: Executor, *days: float) -> DigestFolders:
    """The digests of these days, listed."""
    listed = DigestFolders(stage.source, executor, account_id="111122223333", region="us-east-1")
    listed.list_days(CHAIN.root, [at(24 * day) for day in days])
    return listed


def newest(
    stage: Stage, executor: Executor, *, after: float, due: float | None, now: float = 24 * 90
) -> datetime | None:
    """The newest digest, after the first day was listed."""
    tools = stage.tools(executor)
    judge = DigestJudge(stage.job(), tools, KeyRing("us-east-1", tools.keys))
    return newest_digest(
        chain_id(stage.chain),
        folders(stage, executor, 0),
        judge,
        after=at(after),
        now=at(now),
        due=None if due is None else at(due),
    )


def status(delivery: float | None) -> TrailStatus:
    latest = None if delivery is None else at(delivery)
    return TrailStatus("us-east-1", at(99), is_logging=True, latest_digest_delivery=latest)


def test_due_is_what_ended_an_hour_and_the_grace_before_the_delivery() -> None:
    assert due_by(status(26.5), HOUR) == at(24.5)
    assert due_by(status(None), HOUR) is None
    assert due_by(None, HOUR) is None


def test_with_nothing_due_the_newest_that_was_listed_will_do(executor: Executor) -> None:
    stage = made(hours=60)

    assert newest(stage, executor, after=20, due=None) == at(23)
    assert stage.source.fetched == []


def test_a_digest_that_is_due_is_looked_for_to_the_end_of_the_bucket(executor: Executor) -> None:
    stage = made(hours=60)

    assert newest(stage, executor, after=20, due=58) == at(60)
    assert len(stage.source.fetched) == 1


def test_a_head_in_the_window_is_not_looked_for(executor: Executor) -> None:
    stage = made(hours=60)

    assert newest(stage, executor, after=23, due=22.5) == at(23)
    assert stage.source.listed == ["AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/"]


def test_where_the_end_of_the_window_is_still_to_come_nothing_lies_beyond(
    executor: Executor,
) -> None:
    stage = made(hours=22, now=at(22.7))

    assert newest(stage, executor, after=30, due=99, now=22.7) == at(22)
    assert len(stage.source.listed) == 1


def test_junk_beyond_the_window_does_not_stand_in_for_the_head(executor: Executor) -> None:
    stage = made(hours=60)
    attacks.delete_digests(stage.world, [d for d in stage.chain.digests if d.end > at(30)])
    attacks.plant_digest(stage.world, stage.chain, trail="main", end=at(59))

    assert newest(stage, executor, after=20, due=58) == at(30)


def test_of_much_junk_only_some_is_judged(executor: Executor) -> None:
    stage = made(hours=20)
    for minute in range(100):
        attacks.plant_digest(
            stage.world, stage.chain, trail="main", end=at(40) + timedelta(minutes=minute)
        )

    assert newest(stage, executor, after=20, due=58) == at(20)
    assert 0 < len(set(stage.source.fetched)) < 100


def test_names_from_the_future_are_passed_by(executor: Executor) -> None:
    stage = made(hours=20)
    attacks.plant_digest(stage.world, stage.chain, trail="main", end=at(23))

    assert newest(stage, executor, after=20, due=None, now=-1.5) == at(20)


def test_in_an_empty_bucket_there_is_none(executor: Executor) -> None:
    stage = made(hours=20)
    attacks.delete_all(stage.world, stage.chain)

    assert newest(stage, executor, after=20, due=19) is None
    assert newest(stage, executor, after=20, due=None) is None


# Redelivery


def redelivered(stage: Stage, executor: Executor, known: TrailStatus | None) -> bool:
    """Whether a digest of the first day was written when AWS delivered one."""
    tools = stage.tools(executor)
    judge = DigestJudge(stage.job(), tools, KeyRing("us-east-1", tools.keys))
    return was_redelivered(CHAIN, folders(stage, executor, 0), judge, known)


@pytest.mark.parametrize(
    ("delivery", "expected"), [(5.25, True), (5.75, True), (5.8, False), (5.2, False)]
)
def test_a_digest_written_about_when_aws_delivered_one(
    executor: Executor, delivery: float, *, expected: bool
) -> None:
    """That of five o'clock was written at half past, the ones around it an hour off."""
    stage = made(hours=20)

    assert redelivered(stage, executor, status(delivery)) is expected
    assert len(stage.source.fetched) == expected


def test_a_backfill_digest_may_be_what_was_delivered(executor: Executor) -> None:
    stage = made(hours=20)
    stage.world.backfill(stage.chain, end=at(5), generated_at=at(90))

    assert redelivered(stage, executor, status(90.1))


@pytest.mark.parametrize("trail", ["main", "other"])
def test_junk_and_other_trails_deliveries_explain_nothing(executor: Executor, trail: str) -> None:
    stage = made(hours=20)
    attacks.plant_digest(stage.world, stage.chain, trail=trail, end=at(5.5), last_modified=at(90))

    assert not redelivered(stage, executor, status(90))


def test_of_much_junk_only_some_is_judged_here_too(executor: Executor) -> None:
    stage = made(hours=20)
    for minute in range(100):
        end = at(5.1) + timedelta(seconds=20 * minute)
        attacks.plant_digest(stage.world, stage.chain, trail="main", end=end, last_modified=at(90))

    assert not redelivered(stage, executor, status(90))
    assert len(set(stage.source.fetched)) == 64


def test_without_the_word_of_aws_nothing_was_redelivered(executor: Executor) -> None:
    stage = made(hours=20)

    assert not redelivered(stage, executor, status(None))
    assert not redelivered(stage, executor, None)
