"""Digests as their day folders show them: no planted name ends a listing or hides another."""

from __future__ import annotations

from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta

import pytest

from integrity.chain.model import ChainId, Root, S3Location, TimeWindow, Unreachable
from integrity.chain.names import digest_location
from integrity.lab.objects import StoredObject
from integrity.lab.world import World
from integrity.structs import replace
from integrity.verify.listing import DigestFolders, days_from, same_chain
from tests.chain.specimens import BACKFILL, CHAIN, at
from tests.memory import MemorySource

FOLDER = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/"
MARCH = TimeWindow(at(0), at(30 * 24))


def shown(*digests: tuple[ChainId, float], **source: object) -> MemorySource:
    """A bucket with digests of these chains that end at these hours."""
    world = World(seed=1, now=at(9999))
    for chain, end in digests:
        place = digest_location(chain, at(end))
        world.objects[place.bucket, place.key] = StoredObject(b"bytes", at(end + 0.5))
    return MemorySource(world, **source)  # type: ignore[arg-type]


def folders(source: MemorySource, executor: Executor) -> DigestFolders:
    return DigestFolders(source, executor, account_id=CHAIN.account_id, region=CHAIN.region)


def ends(listed: DigestFolders, chain: ChainId = CHAIN) -> list[datetime]:
    return [name.end for name, _ in listed.shelf.of(chain)]


def test_days_are_counted_from_the_first_to_the_last() -> None:
    assert days_from(at(5), at(49)) == [at(0), at(24), at(48)]
    assert days_from(at(24), at(24)) == [at(24)]


def test_chains_are_the_same_wherever_they_lie() -> None:
    assert same_chain(CHAIN, replace(CHAIN, root=Root("other-logs", "moved")))
    assert not same_chain(CHAIN, BACKFILL)
    assert not same_chain(CHAIN, replace(CHAIN, trail_name="other"))


def test_digests_are_sorted_by_chain_and_end(executor: Executor) -> None:
    other = replace(CHAIN, trail_name="other")
    listed = folders(shown((CHAIN, 7), (CHAIN, 5), (BACKFILL, 5), (other, 6)), executor)

    listed.list_days(CHAIN.root, [at(0)])

    assert ends(listed) == [at(5), at(7)]
    assert ends(listed, BACKFILL) == [at(5)]
    assert ends(listed, other) == [at(6)]


def test_a_day_is_listed_once(executor: Executor) -> None:
    source = shown((CHAIN, 5), (CHAIN, 29))
    listed = folders(source, executor)

    listed.list_days(CHAIN.root, [at(0)])
    listed.list_days(CHAIN.root, [at(0), at(24)])

    assert source.listed == [f"{FOLDER}2026/03/01/", f"{FOLDER}2026/03/02/"]
    assert ends(listed) == [at(5), at(29)]


def test_what_is_named_like_no_digest_is_a_stranger_and_markers_are_nothing(
    executor: Executor,
) -> None:
    source = shown((CHAIN, 5))
    for name, body in (("2026/03/01/", b""), ("2026/03/01_$folder$", b""), ("2026/03/01/x", b"")):
        source.world.objects["trail-logs", FOLDER + name] = StoredObject(body, at(0))
    listed = folders(source, executor)

    listed.list_days(CHAIN.root, [at(0)])

    assert [stranger.location.key for stranger in listed.shelf.strangers] == [
        f"{FOLDER}2026/03/01/x"
    ]
    assert ends(listed) == [at(5)]


def test_a_folder_that_does_not_answer_is_told(executor: Executor) -> None:
    listed = folders(shown((CHAIN, 5), unreachable={"2026/03/01/": "denied"}), executor)

    listed.list_days(CHAIN.root, [at(0), at(24)])

    (folder,) = listed.shelf.unlisted
    assert (folder.location.key, folder.detail) == (f"{FOLDER}2026/03/01/", "denied")


# Searching


@pytest.mark.parametrize(("newest_first", "end"), [(True, 500), (False, 5)])
def test_the_nearest_digest_is_found_either_way(
    executor: Executor, end: float, *, newest_first: bool
) -> None:
    listed = folders(shown((CHAIN, 5), (CHAIN, 200), (CHAIN, 500)), executor)

    name = listed.search(CHAIN.root, CHAIN, MARCH, newest_first=newest_first)

    assert name is not None
    assert name.end == at(end)


def test_only_days_that_have_a_folder_are_listed(executor: Executor) -> None:
    source = shown((CHAIN, 5), (CHAIN, 200), (CHAIN, 24 * 400))
    listed = folders(source, executor)

    listed.search(CHAIN.root, CHAIN, MARCH, newest_first=True)

    assert source.listed == [f"{FOLDER}2026/03/09/", f"{FOLDER}2026/03/01/"]


def test_a_search_ends_with_the_days_that_it_was_given(executor: Executor) -> None:
    listed = folders(shown((CHAIN, 5), (CHAIN, 24 * 40), (CHAIN, -30)), executor)

    before = TimeWindow(at(24), at(24 * 20))

    assert listed.search(CHAIN.root, CHAIN, before, newest_first=True) is None
    assert listed.search(CHAIN.root, CHAIN, before, newest_first=False) is None


def test_a_search_goes_on_past_days_of_other_chains(executor: Executor) -> None:
    other = replace(CHAIN, trail_name="other")
    many = [(other, 24 * day + 5.0) for day in range(1, 25)]
    listed = folders(shown((CHAIN, 5), *many), executor)

    name = listed.search(CHAIN.root, CHAIN, MARCH, newest_first=True)

    assert name is not None
    assert name.end == at(5)


def test_a_search_asks_only_the_root_that_it_was_given(executor: Executor) -> None:
    moved = replace(CHAIN, root=Root("other-logs"))
    listed = folders(shown((moved, 5)), executor)
    listed.list_days(moved.root, [at(0)])

    assert listed.search(CHAIN.root, CHAIN, MARCH, newest_first=True) is None
    assert listed.search(moved.root, CHAIN, MARCH, newest_first=True) is not None


@pytest.mark.parametrize(
    "planted",
    [
        "2026/03/99/x",
        "2026/02/30/x",
        "2026/3/01/x",
        "٢٠٢٦/03/01/x",
        "20x6/03/01/x",
        "9999/12/31/x",
        "0000/00/00/x",
        "2026/03/01x/x",
    ],
)
def test_folders_that_are_no_days_are_passed_by(executor: Executor, planted: str) -> None:
    source = shown((CHAIN, 5))
    source.world.objects["trail-logs", FOLDER + planted] = StoredObject(b"x", at(0))
    listed = folders(source, executor)
    a_year = TimeWindow(at(-24 * 300), at(24 * 65))

    name = listed.search(CHAIN.root, CHAIN, a_year, newest_first=True)

    assert name is not None
    assert name.end == at(5)
    assert listed.shelf.strangers == []


class PartlyDeaf(MemorySource):
    """One level of folders does not answer."""

    level = ""

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        if folder.endswith(self.level):
            return Unreachable(S3Location(bucket, folder), "denied")
        return super().list_folders(bucket, folder)


@pytest.mark.parametrize("level", ["us-east-1/", "us-east-1/2026/", "us-east-1/2026/03/"])
def test_a_level_that_does_not_answer_is_told(executor: Executor, level: str) -> None:
    source = PartlyDeaf(shown((CHAIN, 5)).world)
    source.level = level
    listed = folders(source, executor)

    assert listed.search(CHAIN.root, CHAIN, MARCH, newest_first=True) is None
    assert [folder.location.key[-len(level) :] for folder in listed.shelf.unlisted] == [level]


def test_the_days_of_a_long_search_are_whole_days_in_utc(executor: Executor) -> None:
    listed = folders(shown((CHAIN, 24 * 30.99)), executor)
    end = datetime(2026, 3, 31, 12, tzinfo=UTC)

    name = listed.search(
        CHAIN.root, CHAIN, TimeWindow(end - timedelta(days=1), end), newest_first=True
    )

    assert name is not None
