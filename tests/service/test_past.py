"""The watched past: what is sealed, what is seen of attacks on it, what is explained."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from integrity.lab import attacks
from integrity.lab.objects import StoredObject
from integrity.record import Run, decode
from integrity.state import Incident
from integrity.structs import replace
from tests.memory import MemoryRetention
from tests.service.memory_stage import MemoryStage
from tests.service.past_stage import (
    DAY,
    HOUR,
    again,
    begun,
    days_of,
    digests_of,
    hours,
    news,
    proven,
    told_within_a_day,
    watched,
)


@pytest.fixture(scope="module")
def week() -> MemoryStage:
    return proven(days=5)


@pytest.fixture
def stage(week: MemoryStage) -> MemoryStage:
    return again(week)


def test_every_past_day_is_sealed_as_it_was_proven(week: MemoryStage) -> None:
    days = days_of(week)
    assert sorted(days) == list(range(1, 7))
    for day in days.values():
        assert day.seal is not None
        assert (day.seal.digests, day.seal.logs) == (day.digests, day.logs)
        assert day.outcome == "valid"
    assert {day.digests for day in days.values()} == {24}


@pytest.mark.slow
def test_an_unchanged_past_is_listed_once_a_day_and_not_read(stage: MemoryStage) -> None:
    listed: Counter[str] = Counter()
    for hour in hours(stage, 48):
        if hour >= 24:
            listed.update(stage.listings)
        # All that is read whole is yesterday, once.
        assert [len(proof.days) for proof in stage.proofs] in ([], [1])
    logs = {prefix: n for prefix, n in listed.items() if "/CloudTrail/" in prefix}
    assert len(logs) == 8
    assert set(logs.values()) <= {1, 2}
    assert news(stage) == []


def test_an_edited_log_is_alarmed_within_a_day(stage: MemoryStage) -> None:
    attacks.edit_log(stage.world, digests_of(stage, 3)[12].log_files[0])

    assert told_within_a_day(stage) == [("opened", "log_hash_mismatch")]


def test_a_deleted_log_is_alarmed_once_and_its_return_too(stage: MemoryStage) -> None:
    log = digests_of(stage, 3)[12].log_files[0]
    kept = stage.world.objects[log.address]
    attacks.delete_log(stage.world, log)

    assert told_within_a_day(stage) == [("opened", "log_missing")]
    assert told_within_a_day(stage) == [("reminded", "log_missing")]

    stage.world.objects[log.address] = kept
    assert told_within_a_day(stage) == [("resolved", "log_missing")]
    assert days_of(stage)[6].outcome == "valid"


def test_a_log_that_was_overwritten_in_the_hours_before_its_day_was_proven_is_seen() -> None:
    stage = begun(days=2)
    assert [news(stage) for _ in hours(stage, 2)] == [[], []]
    attacks.edit_log(stage.world, digests_of(stage, 0)[1].log_files[0])
    stage.tick()
    assert news(stage) == []  # its own window has left that hour behind

    assert told_within_a_day(stage) == [("opened", "log_hash_mismatch")]


def test_a_deleted_digest_is_alarmed(stage: MemoryStage) -> None:
    attacks.delete_digest(stage.world, digests_of(stage, 3)[12], with_logs=True)

    assert {reason for _, reason in told_within_a_day(stage)} >= {"digest_missing"}


def test_the_oldest_day_cannot_go_whole_without_a_word(stage: MemoryStage) -> None:
    """Of it the next day's digest names only the last one."""
    oldest = max(days_of(stage))
    gone = digests_of(stage, oldest)
    attacks.delete_digests(stage.world, gone, with_logs=True)
    told = told_within_a_day(stage)

    assert {reason for _, reason in told} >= {"digest_missing", "log_missing"}
    incidents = stage.store.load(stage.trail.arn).incidents
    counts = {one.reason: one.count for one in incidents}
    assert (counts["digest_missing"], counts["log_missing"]) == (24, 23)
    day = days_of(stage)[oldest + 1]
    assert (day.digests, day.seal and day.seal.digests) == (24, 0)

    # Nobody is told that it is over, however often it is looked at again.
    later = [one for _ in range(3) for one in told_within_a_day(stage)]
    assert {step for step, _ in later} == {"reminded"}


@pytest.mark.slow
def test_days_that_go_with_their_folders_are_not_over_when_they_are_gone(
    stage: MemoryStage,
) -> None:
    for ago in (6, 5, 4):
        attacks.delete_digests(stage.world, digests_of(stage, ago), with_logs=True)
    told = told_within_a_day(stage)
    assert {reason for _, reason in told} >= {"digest_missing", "log_missing"}
    later = [one for _ in range(3) for one in told_within_a_day(stage)]
    assert {step for step, _ in later} == {"reminded"}


def test_a_log_that_nobody_names_is_seen_in_an_old_day(stage: MemoryStage) -> None:
    newest = digests_of(stage, 3)[12].end - timedelta(minutes=20)
    address = attacks.plant_log(stage.world, stage.world.chains[0], newest=newest)
    assert told_within_a_day(stage) == [("opened", "log_unreferenced")]
    assert told_within_a_day(stage) == [("reminded", "log_unreferenced")]

    # It is no witness itself: that it is gone is not missed.
    del stage.world.objects[address]
    assert told_within_a_day(stage) == [("resolved", "log_unreferenced")]
    assert days_of(stage)[6].outcome == "valid"


def test_fewer_logs_than_were_proven_are_missed_whoever_names_them(stage: MemoryStage) -> None:
    """A log file that was excused when its day was sealed may not go unseen."""
    day = days_of(stage)[3]
    month = next(m for m in stage.store.months.values() if day in m.days)
    assert day.seal is not None
    changed = replace(day, logs=day.logs + 1, seal=replace(day.seal, sha256="0" * 64))
    days = tuple(changed if one == day else one for one in month.days)
    key = (stage.trail.arn, month.account_id, month.region, month.month)
    stage.store.months[key] = replace(month, days=days)

    assert told_within_a_day(stage) == [("opened", "log_missing")]
    [incident] = stage.store.load(stage.trail.arn).incidents
    assert (incident.count, incident.subjects[0][-11:]) == (1, f"{day.day:%Y/%m/%d}/")
    assert told_within_a_day(stage) == [("reminded", "log_missing")]
    stage.tick(accept="that one was ours")
    assert told_within_a_day(stage) == [("resolved", "log_missing")]


def test_a_backfill_is_legitimate(stage: MemoryStage) -> None:
    chain = stage.world.chains[0]
    end = digests_of(stage, 3)[12].end
    stage.world.backfill(chain, end=end, generated_at=stage.world.now - HOUR / 2)
    before = days_of(stage)[3]

    assert told_within_a_day(stage) == []
    after = days_of(stage)[4]
    assert after.seal is not None
    assert after.seal.digests == before.digests + 1 == after.digests
    assert after.seal.logs == before.logs + 2 == after.logs
    attacks.delete_backfill(stage.world, chain.backfills[0])
    assert {reason for _, reason in told_within_a_day(stage)} >= {"digest_missing", "log_missing"}


@pytest.mark.slow
def test_a_listing_that_is_refused_is_verified_and_told(stage: MemoryStage) -> None:
    ago = digests_of(stage, 3)[12].end
    stage.source.unreachable[f"/CloudTrail/us-east-1/{ago:%Y/%m/%d}"] = "access denied"
    told = told_within_a_day(stage) + told_within_a_day(stage)
    assert {reason for _, reason in told} == {"object_unreadable"}
    stage.source.unreachable.clear()
    told = told_within_a_day(stage)
    assert {step for step, _ in told} == {"resolved"}
    told_within_a_day(stage)
    assert days_of(stage)[7].outcome == "valid"


def test_the_record_says_what_was_done_for_the_past(stage: MemoryStage) -> None:
    attacks.edit_log(stage.world, digests_of(stage, 3)[12].log_files[0])
    told_within_a_day(stage)
    runs = [decode(one) for one in stage.records.records.values()][-6:]
    counts = [run.past for run in runs if run.past is not None]
    assert len(counts) == 6
    assert sum(one.differing for one in counts) == 1
    assert sum(one.read for one in counts) == 2  # that one, and yesterday
    assert counts[-1].sealed == counts[-1].watched == 7
    assert [run.past for run in stage.store.list_runs(stage.trail.arn, limit=6)] == counts[::-1]


def test_a_tick_that_is_asked_to_stop_leaves_the_past_as_it_was(stage: MemoryStage) -> None:
    attacks.edit_log(stage.world, digests_of(stage, 3)[12].log_files[0])
    before = dict(stage.store.months)
    stopping = Event()
    stopping.set()
    stage.tick(stopping)
    assert (stage.days_listed, stage.proofs) == ([], [])
    assert stage.store.months == before


@pytest.mark.parametrize("after", [0, 1])
def test_what_a_stop_leaves_undone_stays_due(stage: MemoryStage, after: int) -> None:
    """Two runs are due. The first is cut short, or the stop comes when it has ended."""
    for ago in (2, 5):
        attacks.edit_log(stage.world, digests_of(stage, ago)[12].log_files[0])
    stopping, prove = Event(), stage.prove

    def stop(*asked: Any, **more: Any) -> Run:
        run = None if after == 0 else prove(*asked, **more)
        stopping.set()
        return run or prove(*asked, **more)

    stage.pass_hours(24)
    stage.prove = stop  # type: ignore[method-assign]
    stage.tick(stopping)
    assert len(stage.proofs) == 1
    stage.prove = prove  # type: ignore[method-assign]
    told = told_within_a_day(stage)
    assert {reason for _, reason in told} == {"log_hash_mismatch"}
    assert len(incidents(stage)) == 2


def test_without_a_watch_no_past_day_is_looked_at(stage: MemoryStage) -> None:
    stage.settings["past"] = None
    before = dict(stage.store.months)
    attacks.edit_log(stage.world, digests_of(stage, 3)[12].log_files[0])
    assert told_within_a_day(stage) == []
    assert stage.store.months == before


def test_days_outside_of_the_configuration_are_let_go_of_or_never_taken(
    stage: MemoryStage,
) -> None:
    watched(stage, watch_days=3)
    stage.tick()
    assert sorted(days_of(stage)) == [1, 2, 3]
    watched(stage, account_ids=("999999999999",))
    stage.tick()
    assert days_of(stage) == {}
    other = begun(days=3, account_ids=("999999999999",))
    other.tick()
    assert days_of(other) == {}


def test_archived_days_are_watched_and_not_read(stage: MemoryStage) -> None:
    for one in digests_of(stage, 3):
        for address in (one.address, *(log.address for log in one.log_files)):
            stored = stage.world.objects[address]
            stage.world.objects[address] = dataclasses.replace(stored, storage_class="GLACIER")
    watched(stage, reprove_days=1)
    assert told_within_a_day(stage) == []
    del stage.world.objects[digests_of(stage, 4)[12].address]
    assert ("opened", "digest_missing") in told_within_a_day(stage)


@pytest.mark.slow
def test_a_first_look_at_an_archived_day_holds_its_listing_fast() -> None:
    stage = begun(days=5, reprove_days=1)
    for one in digests_of(stage, 4):
        for address in (one.address, *(log.address for log in one.log_files)):
            stored = stage.world.objects[address]
            stage.world.objects[address] = dataclasses.replace(stored, storage_class="GLACIER")
    assert told_within_a_day(stage) == []
    assert told_within_a_day(stage) == []
    day = days_of(stage)[6]
    assert (day.digests, day.proven, day.outcome) == (24, None, None)
    assert isinstance(stage.world.objects[digests_of(stage, 4)[12].address], StoredObject)
    del stage.world.objects[digests_of(stage, 4)[12].log_files[0].address]
    assert ("opened", "log_missing") in told_within_a_day(stage) + told_within_a_day(stage)


@pytest.mark.slow
def test_each_day_is_read_again_within_the_days_that_are_set(stage: MemoryStage) -> None:
    watched(stage, reprove_days=3)
    longest = timedelta(0)
    before = {day.day: day.proven for day in days_of(stage).values()}
    most = 0
    for _ in hours(stage, 24 * 4):
        most = max(most, sum(len(proof.days) for proof in stage.proofs))
        for day in days_of(stage).values():
            was = before.get(day.day)
            if was is not None and day.proven is not None:
                longest = max(longest, stage.world.now - was)
            before[day.day] = day.proven
    assert longest <= 3 * DAY
    assert most <= 4


# What retention explains


def incidents(stage: MemoryStage) -> tuple[Incident, ...]:
    return stage.store.load(stage.trail.arn).incidents


def rules_of(stage: MemoryStage) -> list[str] | None:
    checkpoint = stage.store.load(stage.trail.arn).checkpoint
    assert checkpoint is not None
    return None if checkpoint.rules is None else [rule.rule_id for rule in checkpoint.rules]


def test_what_a_new_rule_takes_is_missing(stage: MemoryStage) -> None:
    """Whoever may write rules could empty the bucket by one."""
    stage.world.expire(stage.world.chains[0].bucket, days=3)
    told = told_within_a_day(stage)

    assert {reason for _, reason in told} >= {"digest_missing", "log_missing"}
    assert {audience for one in incidents(stage) for audience in one.told} == {"security"}
    assert any("was not there when it was last seen" in one.detail for one in incidents(stage))
    assert sorted(days_of(stage))[-1] == 7


def test_a_rule_that_a_person_accepts_is_known_from_then_on(stage: MemoryStage) -> None:
    stage.world.expire(stage.world.chains[0].bucket, days=6)
    stage.tick(accept="we keep six days now")

    assert rules_of(stage) == ["after-6"]
    assert told_within_a_day(stage) == []
    assert max(days_of(stage)) <= 3


@pytest.mark.slow
def test_what_a_known_rule_takes_is_left_alone_before() -> None:
    stage = begun(days=8, reprove_days=1)
    bucket = stage.world.chains[0].bucket
    stage.world.expire(bucket, days=8)
    for _ in range(3):
        assert told_within_a_day(stage) == []
        stage.world.expire(bucket, days=8)  # what is over by now goes
    assert rules_of(stage) == ["after-8"]
    assert max(days_of(stage)) in (4, 5)


def test_where_nobody_may_read_rules_the_configuration_says_what_is_left_alone(
    stage: MemoryStage,
) -> None:
    stage.asked["retention"] = MemoryRetention(stage.world, is_refused=True)
    watched(stage, reprove_days=0, retention_days=6)
    stage.tick()
    assert max(days_of(stage)) <= 3
    assert rules_of(stage) == []

    fresh = begun(days=3)
    fresh.asked["retention"] = MemoryRetention(fresh.world, is_refused=True)
    fresh.tick()
    assert rules_of(fresh) is None
