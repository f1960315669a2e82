"""Past days as they are listed: what counts, where it is looked for, what is asked."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from threading import Event

import pytest

from integrity.chain.model import TimeWindow
from integrity.lab import attacks
from integrity.lab.objects import StoredObject
from integrity.lab.world import World
from integrity.verify.days import DayKey, ListedDay, list_days
from integrity.verify.job import Job
from integrity.verify.tools import Tools
from tests.memory import MemoryKeys, MemorySource, Silent, SwiftSource, as_trail, day

ACCOUNT, REGION = "111122223333", "us-east-1"
SECOND = day(2)


@pytest.fixture(scope="module")
def logged() -> World:
    world = World(seed=3, now=day(6))
    world.run_chain(world.add_trail(), start=day(1), hours=72, logs_per_hour=1, events_per_log=1)
    return world


@pytest.fixture
def world(logged: World) -> World:
    return logged.copy()


def keys(*days: datetime) -> list[DayKey]:
    return [(ACCOUNT, REGION, one) for one in days]


def listed(
    world: World,
    executor: Executor,
    wanted: Collection[DayKey],
    source: MemorySource | None = None,
    stopping: Event | None = None,
) -> dict[DayKey, ListedDay | None]:
    trail = as_trail(world.trails[0])
    tools = Tools(
        source or SwiftSource(world),
        MemoryKeys(world),
        None,
        executor,
        world.now,
        Silent(),
        stopping or Event(),
    )
    return list_days(Job(trail=trail, window=TimeWindow(day(1), day(2))), tools, wanted)


def only(world: World, executor: Executor, one: datetime = SECOND) -> ListedDay:
    [found] = listed(world, executor, keys(one)).values()
    assert found is not None
    return found


def test_a_days_digests_and_logs_are_counted(world: World, executor: Executor) -> None:
    found = only(world, executor)
    assert (found.seal.digests, found.seal.logs, found.archived) == (24, 24, False)
    assert only(world, executor) == found
    assert only(world, executor, day(3)).seal.sha256 != found.seal.sha256


def test_days_are_the_same_alone_and_with_their_month(world: World, executor: Executor) -> None:
    together = listed(world, executor, keys(day(1), day(2), day(3)))
    assert list(together.values()) == [only(world, executor, day(n)) for n in (1, 2, 3)]


def test_digests_are_listed_by_the_month_and_logs_by_the_day(
    world: World, executor: Executor
) -> None:
    source = SwiftSource(world)
    listed(world, executor, keys(day(1), day(2), day(3)), source)
    assert sorted(prefix.partition("us-east-1/")[2] for prefix in source.listed) == [
        "2026/03/",
        "2026/03/01/",
        "2026/03/02/",
        "2026/03/03/",
    ]
    source = SwiftSource(world)
    listed(world, executor, keys(day(2)), source)
    assert [prefix.partition("us-east-1/")[2] for prefix in source.listed] == ["2026/03/02/"] * 2
    assert source.fetched == []


def test_what_is_not_the_trails_does_not_count(world: World, executor: Executor) -> None:
    found, chain = only(world, executor), world.chains[0]
    attacks.plant_digest(world, chain, end=day(2, 12), trail="made-up")
    folder = chain.digests[30].key.rpartition("/")[0]
    world.objects[chain.bucket, f"{folder}/stranger"] = StoredObject(b"x", world.now)
    logs = chain.log_files[30].key.rpartition("/")[0]
    world.put_marker(chain.bucket, f"{logs}/", world.now)
    assert only(world, executor) == found


def test_a_planted_log_an_edit_and_a_deletion_show(world: World, executor: Executor) -> None:
    found, chain = only(world, executor), world.chains[0]
    log = next(one for one in chain.log_files if "/2026/03/02/" in one.key)
    before = world.objects[log.address]
    attacks.edit_log(world, log)
    assert only(world, executor).seal.sha256 != found.seal.sha256
    del world.objects[log.address]
    assert only(world, executor).seal.logs == 23
    world.objects[log.address] = before
    attacks.plant_log(world, chain, newest=day(2, 12))
    assert only(world, executor).seal.logs == 25


def test_every_root_of_the_trail_is_looked_into(executor: Executor) -> None:
    """The trail became an organization's: its days lie in two layouts."""
    both = World(seed=3, now=day(6))
    trail = both.add_trail()
    chain = both.run_chain(trail, start=day(1), hours=30, logs_per_hour=1, events_per_log=1)
    assert only(both, executor).seal.digests == 7
    for address in list(both.objects.keys_under(chain.bucket, "AWSLogs/")):
        moved = address.replace("AWSLogs/", "AWSLogs/o-exampleorg1/", 1)
        both.objects[chain.bucket, moved] = both.objects[chain.bucket, address]
    assert only(both, executor).seal.digests == 14


def test_a_folder_that_gives_no_answer_leaves_its_days_without_a_seal(
    world: World, executor: Executor
) -> None:
    source = SwiftSource(world, {"/CloudTrail/us-east-1/2026/03/02/": "denied"})
    found = listed(world, executor, keys(day(1), day(2)), source)
    assert [one is None for one in found.values()] == [False, True]
    source = SwiftSource(world, {"/CloudTrail-Digest/us-east-1/2026/03/": "denied"})
    found = listed(world, executor, keys(day(1), day(2)), source)
    assert [one is None for one in found.values()] == [True, True]


def test_what_is_gone_whole_is_an_empty_day(world: World, executor: Executor) -> None:
    world.objects.clear()
    assert only(world, executor).seal.is_empty
    assert listed(world, executor, []) == {}


def test_what_lies_in_an_archive_is_said(world: World, executor: Executor) -> None:
    found, chain = only(world, executor), world.chains[0]
    log = next(one for one in chain.log_files if "/2026/03/02/" in one.key)
    stored = world.objects[log.address]
    world.objects[log.address] = replace(stored, storage_class="GLACIER")
    after = only(world, executor)
    assert (after.archived, after.seal) == (True, found.seal)


def test_what_was_stopped_lists_nothing(world: World, executor: Executor) -> None:
    stopping = Event()
    stopping.set()
    assert listed(world, executor, keys(day(1)), stopping=stopping) == {}
