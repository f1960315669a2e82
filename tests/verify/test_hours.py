"""Sealed hours at the begin of a segment: what is listed for them, and when they are sealed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrity.chain.link import LogTally, Standing
from integrity.chain.model import ChainId, Root, TimeWindow
from integrity.chain.seal import SealedHours
from integrity.lab import attacks
from integrity.lab.estate import LabOrganization
from integrity.record import Run, SegmentResult
from integrity.structs import replace
from integrity.verify.hours import is_proven
from integrity.verify.log_listing import log_prefixes
from integrity.verify.span import DigestSpan
from tests.chain.specimens import at, hours
from tests.organizations import ORGANIZATION
from tests.verify.stage import Stage, made
from tests.verify.test_known import Service, begun

HOUR = timedelta(hours=1)
CHAIN = ChainId(Root("logs"), "111122223333", "us-east-1", "main", "us-east-1")
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/"
NAME = "111122223333_CloudTrail_us-east-1_"


def prefixes(window: TimeWindow, since: datetime | None) -> list[str]:
    found = log_prefixes(CHAIN, [CHAIN.root], window, at(100), since=since)
    return [prefix.removeprefix(FOLDER) for _, prefix in found]


def test_late_names_of_the_day_before_are_listed_by_the_hour() -> None:
    today = hours(24.75, 31)
    assert prefixes(today, None) == ["2026/03/02/"]
    assert prefixes(today, at(24.5)) == ["2026/03/02/"]
    assert prefixes(today, at(23.75)) == ["2026/03/02/", f"2026/03/01/{NAME}20260301T23"]
    assert prefixes(today, at(23.1)) == [
        "2026/03/02/",
        f"2026/03/01/{NAME}20260301T22",
        f"2026/03/01/{NAME}20260301T23",
    ]


def tick(service: Service, hour: float, *, overlap: float = 6, **asked: Any) -> Run:
    """As the service ticks: an hour after the last one, with its overlap."""
    return service.tick(hour, hours=1 + overlap, overlap=timedelta(hours=overlap), **asked)


def sealed(service: Service) -> SealedHours | None:
    return service.of().hours


@pytest.fixture
def service() -> Service:
    service = begun(30.6)
    assert tick(service, 30.6).outcome == "valid"
    return service


@pytest.mark.parametrize(
    "change",
    [
        lambda _: {"complete": False},
        lambda _: {"unattested": 1},
        lambda result: {"entries": (replace(result.entries[0], logs=LogTally(valid=1)),)},
        lambda result: {"entries": (replace(result.entries[0], standing=Standing.UNREADABLE),)},
    ],
    ids=["not to its end", "a log file unattested", "a log file unread", "a digest unread"],
)
def test_what_is_not_wholly_proven_is_told_from_what_is(
    executor: Executor, change: Callable[[SegmentResult], dict[str, Any]]
) -> None:
    result = made().check(executor, 5, 9)
    nothing = DigestSpan(result.span)
    assert is_proven(result, nothing)
    assert not is_proven(replace(result, **change(result)), nothing)


def test_without_the_digest_that_ends_them_hours_are_not_gone_on_with(
    service: Service, executor: Executor
) -> None:
    """It is what the next one is linked to; of one that is foreign nothing else is said."""
    result = replace(made().check(executor, 5, 9), unchanged=sealed(service))
    assert not is_proven(result, DigestSpan(result.span))


def test_without_an_overlap_nothing_is_sealed_or_left_alone(service: Service) -> None:
    hours_before = sealed(service)
    assert hours_before is not None
    run = service.tick(31.6, hours=7)
    assert run.chains[0].unchanged is None
    assert len(service.source.fetched) == 14
    assert sealed(service) is None


@pytest.mark.parametrize("left_out", ["log_files", "unreferenced"])
def test_what_was_not_looked_at_is_not_sealed(service: Service, left_out: str) -> None:
    run = tick(service, 31.6, **{left_out: False})
    assert run.chains[0].unchanged is None
    assert sealed(service) is None


def test_hours_that_begin_at_midnight_are_proven_by_one_segment() -> None:
    """So that all that is sealed was listed before any of it was read."""
    service = begun(30)
    tick(service, 30)
    hours = sealed(service)
    assert hours is not None
    assert hours.start == at(24)
    logs = [one.removeprefix(FOLDER) for one in service.source.listed if "/CloudTrail/" in one]
    assert sorted(logs) == ["2026/03/01/", "2026/03/02/"]


def test_where_an_overlap_holds_no_digest_nothing_is_sealed() -> None:
    """Each digest is read once, by the tick after it came."""
    service = begun(30.3)
    runs = [tick(service, hour, overlap=1) for hour in (30.3, 31.3, 32.3)]
    assert sealed(service) is None
    assert [run.chains[0].digest_files.valid for run in runs[1:]] == [1, 1]
    assert len(service.source.fetched) == 3  # with the head that is known


def test_a_chain_that_begins_is_sealed_once_it_has_a_whole_hour() -> None:
    service = begun(0.6)
    assert tick(service, 0.6).outcome == "valid"
    assert sealed(service) is None
    assert tick(service, 1.6).outcome == "valid"
    assert sealed(service) is not None
    assert tick(service, 2.6).chains[0].unchanged is not None


def test_log_files_that_lie_where_nobody_lists_leave_the_hours_open(service: Service) -> None:
    """One that its digest names elsewhere is read each time."""
    log = service.digest(29).log_files[0]
    stored = service.world.objects.pop(log.address)
    elsewhere = ("trail-logs", log.key.replace("/2026/03/02/", "/2026/02/01/"))
    service.world.objects[elsewhere] = stored
    attacks.name_also(service.world, service.chain, service.digest(29), elsewhere)
    moved = attacks.without_log_files(service.world, service.chain, service.digest(28))
    assert moved.end == at(28)
    run = tick(service, 31.6)
    assert run.chains[0].unchanged is None


def test_a_trail_that_moved_is_read_until_its_hours_lie_in_one_place() -> None:
    stage: Stage = made(hours=26, now=at(20.6))
    world, chain = stage.world, stage.chain
    service = Service(world, stage.trail, chain)
    assert tick(service, 20.6).outcome == "valid"
    world.switch_bucket(chain, bucket="trail-logs", prefix="moved")
    unread = []
    for hour in range(21, 35):
        run = tick(service, hour + 0.6)
        assert run.outcome == "valid"
        unread.append(run.chains[0].unchanged is not None)
    assert unread == [False] * 12 + [True] * 2
    assert len(service.source.fetched) == 4


def test_what_is_wrong_in_the_old_place_is_found_by_the_next_tick() -> None:
    stage: Stage = made(hours=26, now=at(26.6))
    service = Service(stage.world, stage.trail, stage.chain)
    assert tick(service, 26.6).outcome == "valid"
    stage.world.switch_bucket(stage.chain, bucket="trail-logs", prefix="moved")
    attacks.edit_log(stage.world, service.digest(24).log_files[0])
    assert tick(service, 27.6).outcome == "invalid"


def test_both_layouts_of_a_trail_that_became_an_organizations_are_listed() -> None:
    stage: Stage = made(hours=26, now=at(20.6))
    world, trail = stage.world, stage.trail
    service = Service(world, trail, stage.chain)
    assert tick(service, 20.6).outcome == "valid"
    trail.place = dataclasses.replace(trail.place, organization_id=ORGANIZATION)
    world.organization = LabOrganization(ORGANIZATION, trail.account_id)
    world.add_account(trail.account_id)
    stage.chain.place = trail.place
    for hour in range(21, 25):
        run = tick(service, hour + 0.6)
        assert (run.outcome, len(service.source.fetched)) == ("valid", 4)
    attacks.edit_log(world, service.digest(19).log_files[0])
    assert tick(service, 25.6).outcome == "invalid"
