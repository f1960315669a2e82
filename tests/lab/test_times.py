"""Time in the lab: restarts, what is late, and what lies beyond now."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrity.lab import attacks
from integrity.lab.world import Chain, World
from tests.lab.witness import check_links

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 1, 0, 17, 5, tzinfo=UTC)


def day(hours: int = 6, **circumstances: object) -> tuple[World, Chain]:
    world = World(seed=7)
    trail = world.add_trail()
    return world, world.run_chain(trail, start=START, hours=hours, **circumstances)  # type: ignore[arg-type]


def test_a_restart_within_the_hour_overlaps() -> None:
    world, chain = day(3)
    stop, start = START + timedelta(hours=3, minutes=20), START + timedelta(hours=3, minutes=40)
    world.restart_chain(chain, stop=stop, start=start, hours=2)
    tails = [(d.end - START) / HOUR for d in chain.digests[3:]]
    assert tails == pytest.approx([3, 3 + 2 / 3, 4, 4 + 2 / 3, 5 + 2 / 3])
    assert [d.starting for d in chain.digests].count(True) == 2
    assert check_links(world, chain.digests) == 4 + 2
    final = next(d for d in chain.digests if d.end == START + 4 * HOUR)
    assert max(log.newest for log in final.log_files) == stop
    status = world.status(chain.trail, "us-east-1")
    assert (status.stop_logging_time, status.start_logging_time) == (stop, start)
    assert status.is_logging


def test_stopping_and_starting_are_events_of_the_log_and_of_the_history() -> None:
    world, chain = day(2)
    stop = START + timedelta(hours=2, minutes=30)
    world.restart_chain(chain, stop=stop, start=stop + 5 * HOUR, hours=1)
    logged = [
        (event["eventName"], event["eventTime"])
        for log in chain.log_files
        for event in json.loads(world.objects[log.address].content)["Records"]
        if event["eventName"].endswith("Logging")
    ]
    acts = [(event["eventName"], event["eventTime"]) for event in world.administration]
    assert sorted(logged) == sorted(acts)
    assert [name for name, _ in acts] == ["StartLogging", "StopLogging", "StartLogging"]


def test_a_stopped_chain_is_quiet() -> None:
    world, chain = day(2)
    world.stop_chain(chain)
    assert not world.status(chain.trail, "us-east-1").is_logging
    before = dict(world.objects)
    world.advance(world.now + timedelta(days=1))
    assert dict(world.objects) == before


def test_a_redelivered_digest_has_its_bytes_and_another_time() -> None:
    world, chain = day(6)
    digest = chain.digests[-1]
    body = world.objects[digest.address].body
    late = world.redeliver(chain, digest, at=digest.last_modified + 9 * HOUR)
    assert world.objects[digest.address].body == body
    assert world.objects[digest.address].last_modified == late.last_modified
    status = world.status(chain.trail, "us-east-1")
    assert status.latest_digest_delivery_time == late.last_modified


def around_now() -> tuple[World, Chain, datetime]:
    now = datetime(2026, 3, 2, 12, 50, tzinfo=UTC)
    world = World(seed=1, now=now)
    return (
        world,
        world.run_chain(world.add_trail(), start=now.replace(hour=7, minute=0), hours=24),
        now,
    )


def test_what_lies_beyond_now_is_not_delivered() -> None:
    world, chain, now = around_now()
    assert all(stored.last_modified <= now for stored in world.objects.values())
    assert chain.digests[-1].end == now.replace(minute=0)
    due = [log for log in chain.pending if log.last_modified <= now]
    assert due
    assert all(log.address in world.objects for log in due)
    assert check_links(world, chain.digests) == 5


def test_time_passes_and_pending_log_files_are_digested() -> None:
    world, chain, now = around_now()
    pending = {log.address for log in chain.pending if log.last_modified <= now}
    world.advance(now + 2 * HOUR)
    assert chain.digests[-1].end == now.replace(hour=14, minute=0)
    assert pending <= {log.address for log in chain.log_files}
    assert check_links(world, chain.digests) == 7


def test_a_withheld_digest_comes_when_its_time_has_come() -> None:
    world, chain, now = around_now()
    late = world.redeliver(chain, chain.digests[-1], at=now + HOUR)
    assert late.address not in world.objects
    status = world.status(chain.trail, "us-east-1")
    assert status.latest_digest_delivery_time == chain.digests[-2].last_modified
    world.advance(now + 2 * HOUR)
    assert world.objects[late.address].last_modified == now + HOUR
    assert check_links(world, chain.digests) == 7


def test_time_does_not_bring_back_what_was_deleted() -> None:
    world, chain, now = around_now()
    gone = next(log for log in chain.pending if log.last_modified <= now)
    del world.objects[gone.address]
    world.advance(now + 3 * HOUR)
    assert gone.address not in world.objects


def test_a_cut_head_leaves_nothing_that_was_pending() -> None:
    world, chain, _ = around_now()
    attacks.cut_head(world, chain)
    end = chain.digests[-2].end
    left = [at for at, stored in world.objects.items() if stored.last_modified > end]
    assert left == [chain.digests[-2].address]


def test_a_chain_cannot_start_beyond_now() -> None:
    world, _, now = around_now()
    with pytest.raises(ValueError, match="beyond the world's now"):
        world.run_chain(world.trails[0], region="eu-west-1", start=now)
