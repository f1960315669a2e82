"""What a verification will take, held against what it then took."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from integrity.chain.model import S3Location, TimeWindow, Unreachable
from integrity.lab.objects import StoredObject
from integrity.verify.counted import CountedObjects, pages
from integrity.verify.forecast import Forecast, _prefixes, forecast_trail
from integrity.verify.run import Sources
from tests.chain.specimens import at
from tests.memory import MemoryRetention, witnesses
from tests.verify.stage import Stage, made


def sources(stage: Stage) -> Sources:
    return Sources(
        stage.source,
        stage.keys,
        MemoryRetention(stage.world),
        witnesses(stage.world, stage.trail),
    )


def forecast(stage: Stage, hours: float = 24, **asked: Any) -> Forecast:
    job = stage.job(0, hours, **asked)
    return forecast_trail(job, sources(stage), now=stage.world.now, stopping=Event())


def settled() -> Stage:
    """Three days of two regions, which end before now."""
    stage = made(hours=24 * 3 + 4)
    stage.world.run_chain(stage.trail, region="eu-west-1", hours=24 * 3 + 4, logs_per_hour=1)
    return stage


def test_nothing_is_read() -> None:
    stage = settled()
    forecast(stage, 72)
    assert not stage.source.fetched


def test_it_counts_what_the_verification_then_reads() -> None:
    stage = settled()
    said = forecast(stage, 72)
    stage.source.listed.clear()
    stage.keys.asked.clear()

    run = stage.verify(0, 72)

    by_region = {share.region: share for share in said.shares}
    assert by_region["us-east-1"].digest_files + by_region["eu-west-1"].digest_files == (
        run.totals.digest_files.total
    )
    assert sum(share.log_files for share in said.shares) == run.totals.log_files.total
    logs = sum(len(one.body) for (_, key), one in stage.world.objects.items() if "T" in key)
    assert 0 < sum(share.stored_bytes for share in said.shares) <= logs
    assert said.needed.get_object == pytest.approx(len(stage.source.fetched), rel=0.01)
    assert said.needed.list_objects == pytest.approx(len(stage.source.listed), rel=0.15)
    assert said.needed.list_public_keys == len(stage.keys.asked) == 2
    assert said.made.get_object == 0
    assert said.made.list_objects < said.needed.list_objects
    assert (said.unlisted, said.interrupted) == ((), False)


def test_a_narrowed_verification_takes_less() -> None:
    stage = settled()
    (share,) = forecast(stage, 72, source_regions=("eu-west-1",)).shares
    assert (share.region, share.chains) == ("eu-west-1", 1)


def test_without_log_files_only_digests_are_read() -> None:
    stage = settled()
    with_logs, without = forecast(stage, 72), forecast(stage, 72, log_files=False)
    assert without.shares == with_logs.shares
    assert without.needed.get_object == with_logs.needed.get_object - 219
    lean = forecast(stage, 72, log_files=False, unreferenced=False)
    assert {share.log_files for share in lean.shares} == {0}
    assert lean.needed.list_objects < without.needed.list_objects


def test_what_is_not_the_trails_is_not_counted() -> None:
    stage = made()
    before = forecast(stage).shares
    other = stage.world.add_trail(name="other")
    stage.world.run_chain(other, hours=24, logs_per_hour=0)
    digests, logs = (
        f"AWSLogs/111122223333/{kind}/us-east-1/2026/03/01/"
        for kind in ("CloudTrail-Digest", "CloudTrail")
    )
    for key in (digests + "junk", logs + "junk", logs):
        stage.world.objects["trail-logs", key] = StoredObject(b"" if key == logs else b"x", at(3))
    assert forecast(stage).shares == before


def test_backfill_digests_are_a_chain_of_their_own() -> None:
    stage = made()
    stage.world.backfill(stage.chain, end=at(5), generated_at=at(9), logs=1)
    (share,) = forecast(stage).shares
    assert (share.chains, share.digest_files) == (2, 27)


def test_time_that_has_not_come_is_not_listed() -> None:
    stage = made()
    assert forecast(stage, 24 * 365).made == forecast(stage, 24 * 730).made


def test_what_cannot_be_listed_is_told() -> None:
    stage = made()
    stage.source.unreachable["CloudTrail/us-east-1/2026/03/01"] = "access denied"
    said = forecast(stage)
    assert [detail.endswith("/: access denied") for detail in said.unlisted] == [True]
    stage.source.unreachable["AWSLogs/111122223333/CloudTrail-Digest/"] = "access denied"
    assert len(forecast(stage).unlisted) > 1


def test_it_stops_when_it_is_asked_to() -> None:
    stage, stopping = made(), Event()
    stopping.set()
    said = forecast_trail(stage.job(), sources(stage), now=stage.world.now, stopping=stopping)
    assert said.interrupted


@pytest.mark.parametrize(
    ("start", "end", "listed"),
    [
        ((2026, 3, 1), (2026, 3, 1), ["2026/03/01/"]),
        ((2026, 3, 1), (2026, 4, 1), ["2026/03/", "2026/04/01/"]),
        ((2026, 1, 31), (2026, 3, 2), ["2026/01/31/", "2026/02/", "2026/03/01/", "2026/03/02/"]),
        ((2024, 2, 1), (2024, 2, 28), [f"2024/02/{day:02}/" for day in range(1, 29)]),
    ],
)
def test_whole_months_are_listed_at_once(
    start: tuple[int, int, int], end: tuple[int, int, int], listed: list[str]
) -> None:
    window = TimeWindow(datetime(*start, tzinfo=UTC), datetime(*end, 5, tzinfo=UTC))
    assert list(_prefixes(window)) == listed


@pytest.mark.parametrize(("objects", "number"), [(0, 1), (1, 1), (1000, 1), (1001, 2)])
def test_a_page_has_a_thousand_objects(objects: int, number: int) -> None:
    assert pages(objects) == number


def test_a_source_that_is_only_counted_reads_nothing() -> None:
    stage = made()
    counted = CountedObjects(stage.source)
    with pytest.raises(AssertionError, match="a forecast reads no object"):
        counted.fetch(S3Location("trail-logs", "key"), lambda pieces: b"".join(pieces))
    stage.source.unreachable["trail-logs"] = "denied"
    assert isinstance(counted.list_folders("trail-logs", ""), Unreachable)
    assert counted.number == 1
