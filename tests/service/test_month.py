"""A month of hourly ticks behind an attack that nobody repaired, beside a twin that had none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrity.lab import attacks
from tests.service.memory_stage import MemoryStage, begun

pytestmark = pytest.mark.slow

DAYS = 30
OVERLAP_HOURS = 6
NEAR = 10
"""Objects around a finding, at the most, which are read for events that explain it."""
AGAIN = 2
"""What is wrong is read swiftly, with care and by the arbiter: once more than twice, and so does
whoever explains it."""
LOOK = 14 + NEAR + AGAIN
"""Objects that the look once a day reads: the hour, its neighbours, their logs, and the head."""


def twins() -> tuple[MemoryStage, MemoryStage]:
    """The same trail twice, watched for a while."""
    stages = begun(hours=48), begun(hours=48)
    for _ in range(2 * OVERLAP_HOURS):
        for stage in stages:
            stage.pass_hours()
            stage.tick()
            assert stage.boxes["security"].news == []
    return stages


def reads(stage: MemoryStage) -> int:
    """How many objects a tick reads, an hour after the last one."""
    stage.pass_hours()
    stage.tick()
    return len(stage.source.fetched)


def test_an_unrepaired_attack_costs_an_hourly_tick_nothing() -> None:
    stage, twin = twins()
    hit = stage.newest.log_files[0]
    attacks.edit_log(stage.world, hit)
    security, operations = stage.boxes["security"], stage.boxes["operations"]
    looks_a_day, reminders = [0] * (DAYS + 1), 0
    for hour in range(24 * DAYS + 2):
        read, usual = reads(stage), reads(twin)
        if hour < OVERLAP_HOURS:
            # As long as the window shows it, what would be INVALID is read again, and explained.
            assert usual < read <= usual + 1 + NEAR + AGAIN
        elif stage.looks:
            assert usual < read <= usual + LOOK * len(stage.looks)
        else:
            assert read == usual
        looks_a_day[hour // 24] += len(stage.looks)
        if hour == 0:
            [opened] = security.taken
            assert opened.facts["subjects"] == [f"s3://{hit.bucket}/{hit.key}"]
            assert security.news == [("opened", "log_hash_mismatch")]
        news = security.news
        assert news in ([], [("reminded", "log_hash_mismatch")])
        reminders += len(news)
    assert reminders == DAYS
    assert looks_a_day == [0, *[1] * DAYS]
    assert (operations.news, twin.boxes["security"].news) == ([], [])

    other = stage.newest.log_files[0]
    attacks.edit_log(stage.world, other)
    reads(stage)

    [opened] = security.taken
    assert (opened.step, opened.facts["subjects"]) == (
        "opened",
        [f"s3://{other.bucket}/{other.key}"],
    )
    incidents = stage.store.list_incidents(stage.trail.arn, since=stage.world.now)
    assert [one.window.end - one.window.start for one in incidents] == [timedelta(hours=1)] * 2


def test_a_head_that_stays_lost_costs_two_reads_a_tick_for_each_lost_digest() -> None:
    stage, twin = twins()
    for _ in range(2):
        attacks.delete_digest(stage.world, stage.newest)
    told = []
    for hour in range(24 * 5):
        read, usual = reads(stage), reads(twin)
        told += stage.boxes["security"].news
        if hour > OVERLAP_HOURS + 2:
            assert (read, len(stage.looks)) == (usual + 4, 0)

    assert told == [("opened", "head_rewound"), *[("reminded", "head_rewound")] * 4]
