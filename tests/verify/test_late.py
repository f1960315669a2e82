"""A digest of the last hours that is not there: late, or deleted, as a versioned bucket shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.lab import attacks
from integrity.record import DigestCounts, Run
from integrity.structs import replace
from integrity.verify import late as late_module
from integrity.verify.late import LateDigests
from tests.memory import MemoryVersions, only, reasons
from tests.scenarios.stage import HOUR, START
from tests.verify.stage import Stage, made

GONE = 4
"""The digest that is deleted; those after it are there."""


@pytest.fixture
def stage() -> Stage:
    """Eight hours of a trail whose bucket keeps versions, twelve hours after they began."""
    stage = made(hours=8, logs_per_hour=2, now=START + 12 * HOUR)
    stage.world.objects.enable_versioning(stage.chain.bucket)
    return stage


def looked(stage: Stage, **options: Any) -> Run:
    return stage.verify(0, 8, **{"versions": MemoryVersions(stage.world)} | options)


def lose_without_a_trace(stage: Stage, number: int = GONE) -> None:
    """As if CloudTrail had not delivered it yet."""
    address = stage.chain.digests[number].address
    del stage.world.objects[address]
    del stage.world.objects.history[address]


def test_what_a_delete_marker_shows_to_have_been_there_is_missing_at_once(stage: Stage) -> None:
    digest = stage.chain.digests[GONE]
    attacks.delete_digest(stage.world, digest)

    run = looked(stage)

    found = only(run, Reason.DIGEST_MISSING)
    assert reasons(run) == ["digest_missing"]
    assert found.s3_uri == f"s3://{digest.bucket}/{digest.key}"
    assert found.detail == "it was there: its key has a delete marker of 2026-03-01T12:00:00Z"
    assert found.detail in found.message
    assert [one.s3_uri for one in found.originals] == [found.s3_uri]
    assert run.outcome is Outcome.INVALID
    assert run.totals.digest_files == DigestCounts(valid=8, invalid=1)
    assert run.chains[0].hours == "PPPMPPPP"


def test_what_nothing_shows_is_late_and_costs_one_listing(stage: Stage) -> None:
    lose_without_a_trace(stage)
    versions = MemoryVersions(stage.world)

    run = looked(stage, versions=versions)

    assert reasons(run) == ["digest_late"]
    assert run.outcome is Outcome.UNDETERMINED
    key = stage.chain.digests[GONE].key
    assert [prefix for prefix in versions.listed if prefix == key] == [key]


def test_a_clean_trail_costs_no_listing(stage: Stage) -> None:
    versions = MemoryVersions(stage.world)
    assert looked(stage, versions=versions).findings == ()
    assert versions.listed == []


def test_a_delete_marker_is_enough_where_the_version_was_destroyed(stage: Stage) -> None:
    digest = stage.chain.digests[GONE]
    attacks.delete_digest(stage.world, digest)
    first = stage.world.objects.history[digest.address][0]
    stage.world.objects.delete_version(digest.address, first.version_id)

    found = only(looked(stage), Reason.DIGEST_MISSING)
    assert found.originals == ()


def test_an_hour_that_nobody_names_any_more_is_missing_too(stage: Stage) -> None:
    attacks.delete_digests(stage.world, stage.chain.digests[GONE : GONE + 2])

    first, second = looked(stage).findings

    assert {first.reason, second.reason} == {Reason.DIGEST_MISSING}
    assert first.detail.startswith("predicted; it was there: its key has a delete marker")
    assert second.detail.startswith("it was there")


def test_of_several_those_alone_that_were_there(stage: Stage) -> None:
    attacks.delete_digest(stage.world, stage.chain.digests[GONE])
    lose_without_a_trace(stage, 6)

    assert reasons(looked(stage)) == ["digest_late", "digest_missing"]


def test_the_past_of_another_key_says_nothing(stage: Stage) -> None:
    lose_without_a_trace(stage)
    bucket, key = stage.chain.digests[GONE].address
    stage.world.objects[bucket, f"{key}.old"] = stage.world.objects[stage.chain.digests[0].address]
    del stage.world.objects[bucket, f"{key}.old"]

    assert "digest_late" in reasons(looked(stage))


@pytest.mark.parametrize("options", [{"versions": None}, {"refused": True}])
def test_who_cannot_see_versions_calls_it_late(stage: Stage, options: dict[str, Any]) -> None:
    attacks.delete_digest(stage.world, stage.chain.digests[GONE])
    refusing = MemoryVersions(stage.world, refused=("list",))

    run = looked(stage, versions=refusing if "refused" in options else None)

    assert reasons(run) == ["digest_late"]
    assert ("s3:ListBucketVersions" in str(run.population.notes)) == ("refused" in options)


def test_so_many_are_asked_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_module, "MOST_ASKED", 1)
    for number in (2, GONE):
        attacks.delete_digest(stage.world, stage.chain.digests[number])

    assert reasons(looked(stage)) == ["digest_late", "digest_missing"]


def test_nobody_is_asked_once_everything_is_to_stop(stage: Stage) -> None:
    attacks.delete_digest(stage.world, stage.chain.digests[GONE])
    versions, stopping = MemoryVersions(stage.world), Event()
    with ThreadPoolExecutor(2) as executor:
        tools = replace(stage.tools(executor), stopping=stopping)
        result = stage.check(executor, 0, 8)
        assert LateDigests(tools, versions).settle(result) != result
        stopping.set()
        assert LateDigests(tools, versions).settle(result) == result
    assert len(versions.listed) == 1
