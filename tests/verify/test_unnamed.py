"""Log files that no digest of a span names: listed, and held against every digest that could."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.model import ChainKind, Trail
from integrity.chain.trouble import archived
from integrity.lab import attacks
from integrity.lab.objects import Address, StoredObject
from integrity.lab.world import Chain
from integrity.record import SegmentResult
from integrity.verify.log_listing import LogListing, list_logs
from integrity.verify.named import NamedLogs
from tests.chain.specimens import CHAIN, at, hours
from tests.memory import as_trail
from tests.verify.stage import MINUTE, Stage, made

FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/"


def plant(stage: Stage, hour: float = 5.37, delivered: float | None = None) -> Address:
    """A forged log file with events up to an hour of March."""
    at_last = at(hour) + 6 * MINUTE if delivered is None else at(delivered)
    return attacks.plant_log(stage.world, stage.chain, newest=at(hour), last_modified=at_last)


def counts(result: SegmentResult) -> tuple[int | None, int | None, int | None]:
    return (result.unattested, result.unreferenced, result.pending)


def only(result: SegmentResult) -> Finding:
    (finding,) = result.findings
    return finding


# Listing


def listing(stage: Stage, executor: Executor, start: float, end: float) -> LogListing:
    named = NamedLogs([])
    return list_logs(CHAIN, [CHAIN.root], hours(start, end), named, stage.tools(executor))


@pytest.mark.parametrize(
    ("start", "end", "prefixes"),
    [
        (0, 23, ["01/"]),
        (5, 9, ["01/"]),
        (0, 24, ["01/", "02/111122223333_CloudTrail_us-east-1_20260302T0000Z"]),
        (0, 30, ["01/", "02/"]),
        (24, 24, ["02/"]),
        (20, 20000, ["01/", "02/", "03/"]),
    ],
)
def test_day_folders_are_listed_and_of_a_day_that_is_only_touched_its_first_minute(
    executor: Executor, start: float, end: float, prefixes: list[str]
) -> None:
    stage = made(now=at(30))

    listing(stage, executor, start, end)

    assert sorted(stage.source.listed) == [FOLDER + prefix for prefix in prefixes]


def test_what_is_listed_is_kept_in_order_and_markers_are_nothing(executor: Executor) -> None:
    stage = made(hours=30)
    stage.source.order = lambda objects: objects[::-1]
    stage.world.put_marker("trail-logs", FOLDER + "01/", at(0))

    listed = listing(stage, executor, 0, 30)

    keys = [one.location.key for one in listed.left]
    assert keys == sorted(keys)
    assert len(keys) == 60
    assert listed.found
    assert listed.rewritten == {}


def test_a_folder_with_nothing_but_markers_shows_no_log_file(executor: Executor) -> None:
    stage = made(hours=2)
    stage.world.put_marker("trail-logs", FOLDER + "03/", at(0))

    assert listing(stage, executor, 48, 71) == LogListing()


@pytest.mark.parametrize(
    ("start", "end", "found"), [(4, 6, True), (5.5, 6, False), (0, 5, False), (20, 21, True)]
)
def test_a_log_file_of_another_part_of_the_day_shows_nothing(
    executor: Executor, start: float, end: float, *, found: bool
) -> None:
    """One is named for five and a quarter, and what has no name was written at half past twenty."""
    stage = made(hours=1, logs_per_hour=0)
    plant(stage, 5.25)
    stage.world.objects["trail-logs", FOLDER + "01/no name"] = StoredObject(b"x", at(20.5))

    assert listing(stage, executor, start, end).found is found


def test_a_region_that_begins_later_in_the_day_is_not_expected_before() -> None:
    stage = made(hours=40)
    stage.world.run_chain(stage.trail, region="eu-west-1", start=at(12), hours=26)

    run = stage.verify(0, 6)

    assert (run.outcome, [chain.region for chain in run.chains]) == (Outcome.VALID, ["us-east-1"])


def test_a_folder_that_does_not_answer_is_told(executor: Executor) -> None:
    stage = made()
    stage.source.unreachable = {FOLDER: "AccessDenied"}

    (folder,) = listing(stage, executor, 0, 23).unlisted

    assert (folder.location.key, folder.detail) == (FOLDER + "01/", "AccessDenied")


@pytest.mark.parametrize("put_again", [True, False])
def test_an_archived_log_file_is_told_apart_where_it_was_written_again(
    executor: Executor, *, put_again: bool
) -> None:
    """A transition by a lifecycle rule keeps LastModified, a PUT into an archive does not."""
    stage = made()
    attacks.archive(stage.world, stage.chain.log_files[9].address, put_again=put_again)

    finding = only(stage.check(executor))

    assert finding.reason is Reason.OBJECT_UNREADABLE
    assert finding.detail == archived("GLACIER") + "; rewritten after delivery" * put_again
    assert finding.last_modified == (stage.world.now if put_again else None)
    asked = stage.source.fetched
    assert stage.chain.log_files[9].key not in {location.key for location in asked}


# Judging


def test_a_log_file_that_no_digest_names_is_unreferenced(executor: Executor) -> None:
    stage = made()
    bucket, key = plant(stage)

    result = stage.check(executor)

    finding = only(result)
    assert counts(result) == (0, 1, 0)
    assert (finding.reason, finding.outcome) == (Reason.LOG_UNREFERENCED, Outcome.UNDETERMINED)
    assert finding.s3_uri == f"s3://{bucket}/{key}"
    assert finding.window == hours(5, 6)
    assert finding.last_modified == at(5.37) + 6 * MINUTE
    assert (finding.account_id, finding.region) == ("111122223333", "us-east-1")


def test_the_digest_over_its_last_modified_is_read_wherever_it_lies(executor: Executor) -> None:
    """Planted four days later, under an old name, when another digest had been delivered."""
    stage = made(hours=110)
    plant(stage, delivered=100)

    result = stage.check(executor)

    assert counts(result) == (0, 1, 0)
    ends = {location.key[-24:-8] for location in stage.source.fetched}
    assert {"20260305T050000Z", "20260305T040000Z"} <= ends


def test_a_late_log_file_is_named_by_the_digest_over_its_delivery(executor: Executor) -> None:
    stage = made(hours=40, late_hours=(25,))

    assert counts(stage.check(executor, 0, 23)) == (0, 0, 0)
    assert counts(stage.check(executor, 0, 24)) == (0, 0, 0)


def test_under_a_digest_that_is_gone_log_files_are_unattested(executor: Executor) -> None:
    stage = made()
    attacks.delete_digest(stage.world, stage.chain.digests[9])

    result = stage.check(executor)

    assert counts(result) == (2, 0, 0)
    assert result.first_unattested is not None
    assert at(7.8) < result.first_unattested < at(9)


def test_before_the_next_digest_log_files_are_pending(executor: Executor) -> None:
    stage = made(now=at(10.9), hours=24)

    result = stage.check(executor, 0, 11)

    assert counts(result)[0] == 0
    assert counts(result)[1] == 0
    assert (counts(result)[2] or 0) >= 2


def test_in_another_windows_minutes_a_log_file_is_another_windows(executor: Executor) -> None:
    stage = made()
    plant(stage)

    assert counts(stage.check(executor, 6, 24)) == (0, 0, 0)
    assert counts(stage.check(executor, 5.4, 24)) == (0, 1, 0)


def test_whatever_lies_in_a_day_folder_under_no_name_is_that_days(executor: Executor) -> None:
    stage = made()
    stage.world.objects["trail-logs", FOLDER + "01/evil.json.gz"] = StoredObject(b"x", at(5))

    assert counts(stage.check(executor, 20, 23)) == (0, 1, 0)
    assert only(stage.check(executor, 20, 23)).window == hours(5, 6)


def test_in_another_days_folder_a_log_file_is_that_days(executor: Executor) -> None:
    stage = made(hours=60)
    address = plant(stage)
    forged = stage.world.objects.pop(address)
    stage.world.objects[address[0], address[1].replace("/03/01/", "/03/02/")] = forged

    assert counts(stage.check(executor, 0, 23)) == (0, 0, 0)
    assert counts(stage.check(executor, 24, 47)) == (0, 1, 0)


# Other trails


def with_other() -> tuple[Stage, Chain]:
    stage = made()
    other = stage.world.add_trail(name="other")
    return stage, stage.world.run_chain(other, start=at(0.25), hours=26)


def test_what_another_trail_names_is_its_own(executor: Executor) -> None:
    stage, _ = with_other()

    assert counts(stage.check(executor)) == (0, 0, 0)


def test_under_another_trails_digest_that_is_gone_and_named_it_is_unattested(
    executor: Executor,
) -> None:
    stage, other = with_other()
    attacks.garble_digests(stage.world, other.digests[9:10])

    result = stage.check(executor)

    assert counts(result) == (3, 0, 0)
    assert result.findings == ()


def test_a_made_up_trails_junk_excuses_nothing(executor: Executor) -> None:
    stage = made()
    plant(stage)
    attacks.plant_digest(stage.world, stage.chain, trail="made-up", end=at(6))

    assert counts(stage.check(executor)) == (0, 1, 0)


def test_a_made_up_trail_that_is_behind_makes_nothing_pending(executor: Executor) -> None:
    stage = made(now=at(26.6), hours=26)
    plant(stage, 20.4)
    attacks.plant_digest(stage.world, stage.chain, trail="made-up", end=at(6))

    assert counts(stage.check(executor)) == (0, 1, 0)


def test_another_trail_that_is_behind_makes_it_pending(executor: Executor) -> None:
    stage, other = with_other()
    stage.world.now = at(26.6)
    attacks.delete_digests(stage.world, [d for d in other.digests if d.end > at(20)])
    before = counts(stage.check(executor))
    plant(stage, 20.4)

    after = counts(stage.check(executor))

    assert before[:2] == after[:2] == (0, 0)
    assert (after[2] or 0) == (before[2] or 0) + 1


# Trails that sign nothing


def neighbour(stage: Stage, **known: Any) -> Trail:
    other = stage.world.add_trail(name="other", validation=False, **known)
    stage.world.run_chain(other, start=at(0), hours=6)
    return as_trail(other)


def test_what_a_neighbour_without_validation_writes_is_told_once(executor: Executor) -> None:
    stage = made()
    other = neighbour(stage)

    result = stage.check(executor, unsigned_neighbours=(other,))

    finding = only(result)
    assert counts(result) == (18, 0, 0)
    assert (finding.reason, finding.outcome) == (Reason.LOG_UNREFERENCED, Outcome.VALID)
    assert (finding.count, finding.s3_uri) == (18, None)
    assert finding.first is not None
    assert finding.last is not None
    assert finding.first < finding.last
    assert other.arn in finding.detail
    assert "18 log files" in finding.detail
    assert finding.message.endswith("Next: switch log file validation on for that trail.")
    assert result.first_unattested is None


def test_with_such_a_neighbour_nothing_shows_that_our_trail_was_on(executor: Executor) -> None:
    stage = made()
    other = neighbour(stage)
    attacks.delete_digest(stage.world, stage.chain.digests[20])

    result = stage.check(executor, unsigned_neighbours=(other,))

    assert counts(result) == (20, 0, 0)
    assert result.first_unattested is None


def test_a_neighbour_elsewhere_excuses_nothing(executor: Executor) -> None:
    stage = made()
    other = neighbour(stage, home_region="eu-west-1", multi_region=False)

    assert counts(stage.check(executor, unsigned_neighbours=(other,))) == (0, 18, 0)


def test_a_backfill_digest_names_what_the_hourly_one_did_not(executor: Executor) -> None:
    stage = made(hours=60)
    stage.world.backfill(stage.chain, end=at(10), generated_at=at(60))

    result = stage.check(executor)

    assert counts(result) == (0, 0, 0)
    assert [e.logs.valid for e in result.entries if e.chain.kind is ChainKind.BACKFILL] == [2]
