"""The hours that a tick proved, at the next one: not read while unchanged, and all else as before.

Beside each stage there is a twin that has forgotten what is sealed, and reads its whole overlap.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event

import pytest

from integrity.chain.model import ChainKind, Listed, Unreachable
from integrity.chain.seal import SealedHours
from integrity.lab import attacks
from integrity.lab.objects import LabDigest, LabLog, StoredObject
from integrity.lab.world import World
from integrity.record import Run, UnchangedHours, decode
from integrity.state import Checkpoint, Sighting
from integrity.structs import replace
from tests.memory import MemoryVersions, SwiftSource
from tests.service.memory_stage import HOUR, MemoryStage, begun
from tests.service.past_stage import again, news, watched
from tests.service.test_rules import RuleStage

MINUTE = timedelta(minutes=1)
DAY = 24 * HOUR
AN_HOUR = 3
"""Objects of an hour: a digest file and two log files."""


def settled(hours: int = 33, *, ticks: int = 2) -> MemoryStage:
    """A trail that has logged for so long, watched; its last tick left alone what was sealed."""
    stage = begun(hours=hours, logs_per_hour=2)
    watched(stage, reprove_days=0)
    for number in range(ticks):
        if number:
            stage.pass_hours()
        stage.tick()
    assert news(stage) == []
    return stage


@pytest.fixture(scope="module")
def before() -> MemoryStage:
    return settled()


@pytest.fixture
def stage(before: MemoryStage) -> MemoryStage:
    return again(before)


def checkpoint_of(stage: MemoryStage) -> Checkpoint:
    checkpoint = stage.store.load(stage.trail.arn).checkpoint
    assert checkpoint is not None
    return checkpoint


def hours_of(stage: MemoryStage) -> SealedHours | None:
    """What is sealed of the one chain."""
    (known,) = [one for one in checkpoint_of(stage).chains if one.chain.kind is ChainKind.STANDARD]
    return known.hours


def sealed(stage: MemoryStage) -> SealedHours:
    hours = hours_of(stage)
    assert hours is not None
    return hours


def twin_of(stage: MemoryStage) -> MemoryStage:
    """The same, and nothing is sealed of it."""
    twin = again(stage)
    twin.asked, twin.rules = dict(stage.asked), stage.rules
    version, checkpoint = twin.store.trails[stage.trail.arn]
    chains = tuple(replace(one, hours=None) for one in checkpoint.chains)
    twin.store.trails[stage.trail.arn] = (version, replace(checkpoint, chains=chains))
    return twin


def digest_of(stage: MemoryStage, ago: int) -> LabDigest:
    """The newest digest, or the one that ended so many hours before it."""
    ends = stage.newest.end - ago * HOUR
    (digest,) = [one for one in stage.world.chains[0].digests if one.end == ends]
    return digest


def log_of(stage: MemoryStage, ago: int) -> LabLog:
    return digest_of(stage, ago).log_files[0]


def told(run: Run) -> tuple[object, ...]:
    """What was found, and how it stands; a record of fewer hours tells no less."""
    found = [(one.reason, one.window, one.s3_uri, one.outcome, one.count) for one in run.findings]
    return run.outcome, sorted(found, key=str)


# What it costs, and what it says


def test_unchanged_hours_are_listed_and_not_read(stage: MemoryStage) -> None:
    twin = twin_of(stage)
    for one in (stage, twin):
        one.pass_hours()
        one.tick()

    assert len(stage.source.fetched) == AN_HOUR + 1
    assert stage.newest.address in {(one.bucket, one.key) for one in stage.source.fetched}
    assert len(twin.source.fetched) == 7 * AN_HOUR
    assert len(stage.source.listed) == len(twin.source.listed)
    assert hours_of(stage) == hours_of(twin)
    assert checkpoint_of(stage).chains == checkpoint_of(twin).chains


def test_they_stay_unread_day_and_night(stage: MemoryStage) -> None:
    """But for the one time that a day is read whole, once it is over."""
    most, proofs = 0, 0
    for _ in range(25):
        stage.pass_hours()
        stage.tick()
        proofs += len(stage.proofs)
        if not stage.proofs:
            most = max(most, len(stage.source.fetched))
    assert most == AN_HOUR + 1
    assert proofs == 1
    assert news(stage) == []
    assert sealed(stage).end == stage.newest.end


def test_the_record_says_what_was_not_read(stage: MemoryStage) -> None:
    hours = sealed(stage)
    stage.pass_hours()
    run = stage.tick().run
    (chain,) = run.chains

    assert chain.unchanged == UnchangedHours(hours.start, hours.end, digest_files=6, log_files=12)
    assert chain.covered[0].start == hours.end
    assert (chain.digest_files.valid, chain.log_files.valid) == (1, 2)
    assert chain.hours == "SSSSSSP."
    assert run.outcome == "valid"
    assert chain.head is not None
    assert chain.head.end == stage.newest.end
    kept = stage.records.newest(stage.trail.arn)
    assert kept is not None
    assert decode(kept.document) == run
    assert run.population.chains.found == 1


def test_a_tick_to_which_nothing_new_has_come_is_valid(stage: MemoryStage) -> None:
    """With a schedule of minutes this is nearly every tick."""
    verified = checkpoint_of(stage).chains[0].verified
    stage.world.advance(stage.world.now + 5 * MINUTE)
    run = stage.tick().run
    (chain,) = run.chains

    # That digest once for the link, and once for the log files that may be named by it.
    assert {one.key for one in stage.source.fetched} == {stage.newest.key}
    assert (run.outcome, chain.state, chain.digest_files.total) == ("valid", "open", 0)
    assert chain.head is not None
    assert chain.head.end == stage.newest.end
    assert run.population.chains.found == run.population.chains.expected == 1
    assert stage.sink.values["HoursSinceNewestDigest"] < 2
    assert checkpoint_of(stage).chains[0].verified == verified
    assert news(stage) == []
    stage.pass_hours()
    stage.tick()
    assert len(stage.source.fetched) == AN_HOUR + 1


def test_objects_that_stand_for_folders_change_nothing(stage: MemoryStage) -> None:
    stage.pass_hours()
    attacks.plant_folder_markers(stage.world, stage.world.chains[0], at=stage.world.now - HOUR)
    stage.tick()
    assert len(stage.source.fetched) == AN_HOUR + 1


def test_without_a_watch_over_the_past_everything_is_read() -> None:
    """Nobody would read it whole once its day is over."""
    stage = begun(hours=33, logs_per_hour=2)
    for _ in range(2):
        stage.pass_hours()
        stage.tick()
        assert hours_of(stage) is None
    assert len(stage.source.fetched) == 7 * AN_HOUR


# Whatever is changed


def overwrite(stage: MemoryStage, ago: int) -> None:
    """The very same content, written again."""
    address = log_of(stage, ago).address
    kept = stage.world.objects[address]
    stage.world.objects[address] = dataclasses.replace(kept, last_modified=stage.world.now)


def plant(stage: MemoryStage, ago: int) -> None:
    newest = stage.newest.end - ago * HOUR
    attacks.plant_log(
        stage.world, stage.world.chains[0], newest=newest, last_modified=stage.world.now
    )


def plant_long_ago(stage: MemoryStage) -> None:
    """It was written hours ago, and nobody has listed it since."""
    newest = stage.newest.end - 3 * HOUR + 20 * MINUTE
    attacks.plant_log(stage.world, stage.world.chains[0], newest=newest)


def replicate(stage: MemoryStage) -> None:
    """An object that replication brings keeps the time that it had in another bucket."""
    attacks.plant_log(
        stage.world,
        stage.world.chains[0],
        newest=stage.newest.end - 3 * HOUR,
        last_modified=stage.world.now - 12 * HOUR,
    )


def replicate_something(stage: MemoryStage) -> None:
    folder = log_of(stage, 0).key.rpartition("/")[0]
    at = stage.world.now - 12 * HOUR
    stage.world.objects[stage.trail.bucket, f"{folder}/notes.txt"] = StoredObject(b"?", at)


def plant_digest(stage: MemoryStage) -> None:
    end = stage.newest.end - 2 * HOUR - MINUTE
    attacks.plant_digest(stage.world, stage.world.chains[0], end=end, trail=stage.trail.name)


def delete_both(stage: MemoryStage) -> None:
    attacks.delete_digest(stage.world, digest_of(stage, 2), with_logs=True)


CHANGES: dict[str, Callable[[MemoryStage], None]] = {
    "the oldest log edited": lambda on: attacks.edit_log(on.world, log_of(on, 5)),
    "a log edited": lambda on: attacks.edit_log(on.world, log_of(on, 3)),
    "the newest log edited": lambda on: attacks.edit_log(on.world, log_of(on, 0)),
    "a log deleted": lambda on: attacks.delete_log(on.world, log_of(on, 3)),
    "a log moved": lambda on: attacks.swap_logs(on.world, log_of(on, 3), log_of(on, 2)),
    "a log written again": lambda on: overwrite(on, 3),
    "a log archived": lambda on: attacks.archive(on.world, log_of(on, 3).address, put_again=True),
    "a log moved into an archive": lambda on: attacks.archive(on.world, log_of(on, 3).address),
    "a digest moved into an archive": lambda on: attacks.archive(
        on.world, digest_of(on, 3).address
    ),
    "a digest edited": lambda on: attacks.edit_digest(on.world, digest_of(on, 3), awsAccountId="1"),
    "a digest deleted": lambda on: attacks.delete_digest(on.world, digest_of(on, 3)),
    "the newest digest deleted": lambda on: attacks.delete_digest(on.world, digest_of(on, 0)),
    "the newest digest edited": lambda on: attacks.unsign_digest(on.world, digest_of(on, 0)),
    "an hour deleted": delete_both,
    "a digest planted": plant_digest,
    "a log planted": lambda on: plant(on, 3),
    "a log planted long ago": plant_long_ago,
    "a log replicated": replicate,
    "anything replicated": replicate_something,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_found_by_the_next_tick_as_by_one_that_reads_everything(
    stage: MemoryStage, change: Callable[[MemoryStage], None]
) -> None:
    """And so it goes on, until it is put right."""
    kept = stage.world.copy()
    twin = twin_of(stage)
    for one in (stage, twin):
        change(one)
        one.pass_hours()
    assert told(stage.tick().run) == told(twin.tick().run)
    assert len(stage.source.fetched) >= len(twin.source.fetched) > AN_HOUR + 1
    for _ in range(2):
        for one in (stage, twin):
            one.pass_hours()
            one.tick()
        twin = twin_of(twin)
        assert [one.reason for one in stage.store.load(stage.trail.arn).incidents] == [
            one.reason for one in twin.store.load(twin.trail.arn).incidents
        ]
    for one in (stage, twin):
        for address, stored in kept.objects.data.items():
            one.world.objects[address] = stored
    for one in (stage, twin):
        one.pass_hours()
    assert told(stage.tick().run) == told(twin.tick().run)


BAD = [
    ("the oldest log edited", "log_hash_mismatch"),
    ("the newest log edited", "log_hash_mismatch"),
    ("a log deleted", "log_missing"),
    ("a log moved into an archive", "object_unreadable"),
    ("a digest moved into an archive", "object_unreadable"),
    ("a digest edited", "digest_claim_mismatch"),
    ("a digest deleted", "digest_missing"),
    ("the newest digest deleted", "head_rewound"),
    ("a log planted long ago", "log_unreferenced"),
    ("a log replicated", "log_unreferenced"),
    ("anything replicated", "log_unreferenced"),
]


@pytest.mark.parametrize(("name", "reason"), BAD)
def test_nothing_but_that_has_changed_since_the_last_tick(
    stage: MemoryStage, name: str, reason: str
) -> None:
    stage.world.advance(stage.world.now + MINUTE)
    CHANGES[name](stage)
    run = stage.tick().run
    assert {finding.reason for finding in run.findings} == {reason}
    assert hours_of(stage) is None


def test_a_stranger_in_an_old_minute_is_judged_though_it_is_pending_at_first(
    stage: MemoryStage,
) -> None:
    plant(stage, 3)
    run = stage.tick().run
    assert (run.findings, run.totals.log_files.pending) == ((), 1 + _pending(stage))
    for _ in range(3):
        stage.pass_hours()
        run = stage.tick().run
        if run.findings:
            break
    assert [finding.reason for finding in run.findings] == ["log_unreferenced"]


def _pending(stage: MemoryStage) -> int:
    """Log files that were delivered and that no digest names yet."""
    there = [log for log in stage.world.chains[0].pending if log.address in stage.world.objects]
    late = [d for d in stage.world.chains[0].digests if d.last_modified > stage.world.now]
    return len(there) + sum(len(one.log_files) for one in late)


def test_late_log_files_and_a_backfill_digest_are_read_when_they_come(stage: MemoryStage) -> None:
    chain = stage.world.chains[0]
    late = stage.world.backfill(
        chain, end=stage.newest.end - 2 * HOUR, generated_at=stage.world.now + 10 * MINUTE
    )
    stage.pass_hours()
    run = stage.tick().run

    read = {(one.bucket, one.key) for one in stage.source.fetched}
    assert {late.address, *(log.address for log in late.log_files)} <= read
    assert run.outcome == "valid"
    assert run.totals.backfill_digest_files.valid == 1
    attacks.edit_log(stage.world, late.log_files[0])
    stage.pass_hours()
    assert [one.reason for one in stage.tick().run.findings] == ["log_hash_mismatch"]


def test_a_digest_that_comes_late_is_told_and_then_read(stage: MemoryStage) -> None:
    """Time passes without it, then it is there."""
    stage.pass_hours()
    due = stage.newest
    stage.world.redeliver(stage.world.chains[0], due, at=stage.world.now + 3 * HOUR)
    reasons = []
    for _ in range(6):
        run = stage.tick().run
        reasons.append({finding.reason.value for finding in run.findings})
        stage.pass_hours()
    assert {"digest_late"} in reasons
    assert reasons[-1] == set()
    assert checkpoint_of(stage).chains[0].verified == sealed(stage).end


def test_a_rewritten_digest_that_is_the_last_one_sealed_makes_everything_be_read(
    stage: MemoryStage,
) -> None:
    """It is listed as it was, and another content comes: then the link cannot be believed."""
    address = digest_of(stage, 0).address
    stored = stage.world.objects[address]
    body = bytes(reversed(stored.body))
    stage.world.objects[address] = dataclasses.replace(stored, body=body)
    stage.pass_hours()

    assert "digest_malformed" in {one.reason.value for one in stage.tick().run.findings}
    assert len(stage.source.fetched) > AN_HOUR + 1


def test_the_link_to_the_last_sealed_digest_is_held_against_it(stage: MemoryStage) -> None:
    twin = twin_of(stage)
    for one in (stage, twin):
        one.pass_hours()
        attacks.wrong_previous_hash(one.world, one.world.chains[0], one.newest)
    run = stage.tick().run
    assert told(run) == told(twin.tick().run)
    assert [finding.reason for finding in run.findings] == ["digest_link_mismatch"]
    assert run.chains[0].unchanged is None


def test_a_gap_is_told_as_long_as_it_is_looked_at(stage: MemoryStage) -> None:
    """No digest and no log file is wrong: it lies between them."""
    chain = stage.world.chains[0]
    for log in chain.pending:
        stage.world.objects.pop(log.address, None)
    stage.world.restart_chain(chain, start=chain.next_start + 10 * MINUTE)
    twin = twin_of(stage)
    reasons = []
    for _ in range(8):
        for one in (stage, twin):
            one.pass_hours()
        run = stage.tick().run
        assert told(run) == told(twin.tick().run)
        reasons.append([finding.reason.value for finding in run.findings])
        twin = twin_of(twin)
    assert reasons[0] == reasons[4] == ["chain_gap"]
    assert reasons[-1] == []
    assert len(stage.source.fetched) == AN_HOUR + 1


@pytest.mark.parametrize(
    "change", ["a log edited", "a log deleted", "an hour deleted", "the newest digest deleted"]
)
def test_what_lay_there_before_is_named_as_by_one_that_reads_everything(change: str) -> None:
    """With the older versions in their place the listing is as it was sealed."""
    stage = begun(hours=33, logs_per_hour=2)
    watched(stage, reprove_days=0)
    stage.world.objects.enable_versioning(stage.trail.bucket)
    stage.tick()
    twin = twin_of(stage)
    named = []
    for one in (stage, twin):
        one.asked["versions"] = MemoryVersions(one.world)
        CHANGES[change](one)
        found = one.tick().run.findings
        named.append([(f.versions_tried, [o.s3_uri for o in f.originals]) for f in found])
    assert named[0] == named[1]
    assert all(originals for _, originals in named[0])


# Between listing and reading


class Swapping(SwiftSource):
    """Something happens once a folder has been listed."""

    def __init__(self, world: World, folder: str, act: Callable[[], None]) -> None:
        super().__init__(world)
        self._folder, self._act = folder, act
        self.done = False

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        yield from super().list_objects(bucket, prefix)
        if self._folder in prefix and not self.done:
            self.done = True
            self._act()


@pytest.mark.parametrize("folder", ["/CloudTrail/", "/CloudTrail-Digest/"])
@pytest.mark.parametrize("ago", [-1, 0, 3])
def test_what_is_swapped_after_the_listing_is_found_by_the_next_tick_at_the_latest(
    stage: MemoryStage, folder: str, ago: int
) -> None:
    stage.pass_hours()
    log = log_of(stage, ago + 1)
    stage.source = Swapping(stage.world, folder, lambda: attacks.edit_log(stage.world, log))
    first = stage.tick().run
    stage.source = SwiftSource(stage.world)
    stage.pass_hours()
    second = stage.tick().run
    assert "log_hash_mismatch" in {one.reason.value for one in second.findings}
    if ago == -1:  # it was to be read anyway
        assert "log_hash_mismatch" in {one.reason.value for one in first.findings}


def test_what_is_put_back_before_it_is_read_is_looked_at_again(stage: MemoryStage) -> None:
    """The listing that is sealed is the one from before."""
    stage.pass_hours()
    address = log_of(stage, 0).address
    kept = stage.world.objects[address]
    stage.world.objects[address] = StoredObject(b"other", stage.world.now)

    def put_back() -> None:
        later = stage.world.now + timedelta(seconds=1)
        stage.world.objects[address] = dataclasses.replace(kept, last_modified=later)

    stage.source = Swapping(stage.world, "/CloudTrail/", put_back)
    assert stage.tick().run.outcome == "valid"
    stage.source = SwiftSource(stage.world)
    stage.pass_hours()
    assert stage.tick().run.outcome == "valid"
    assert len(stage.source.fetched) > AN_HOUR + 1


# Trouble


@pytest.mark.parametrize("folder", ["/CloudTrail/", "/CloudTrail-Digest/"])
def test_a_folder_that_gives_no_answer_is_told_and_then_all_is_as_before(
    stage: MemoryStage, folder: str
) -> None:
    hours = sealed(stage)
    stage.pass_hours()
    stage.source.unreachable[f"{folder}us-east-1/"] = "AccessDenied"
    run = stage.tick().run
    assert "object_unreadable" in {one.reason.value for one in run.findings}
    assert hours_of(stage) == hours

    stage.source.unreachable.clear()
    stage.pass_hours()
    assert stage.tick().run.outcome == "valid"
    assert len(stage.source.fetched) == 2 * AN_HOUR + 1


def test_a_log_that_cannot_be_read_is_told_with_all_that_can(stage: MemoryStage) -> None:
    """So an object is told apart from a night in which nothing can be read."""
    stage.pass_hours()
    stage.source.unreachable[log_of(stage, 0).key] = "AccessDenied"
    run = stage.tick().run
    assert [one.reason for one in run.findings] == ["object_unreadable"]
    assert "S" not in run.chains[0].hours
    assert hours_of(stage) is None


class Half(Event):
    """Set after some looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


@pytest.mark.parametrize("looks", [0, 1, 3, 6])
def test_an_interrupted_tick_leaves_what_was_sealed(stage: MemoryStage, looks: int) -> None:
    hours = sealed(stage)
    stage.pass_hours()
    stage.tick(Half(looks))
    stage.pass_hours()
    run = stage.tick().run
    assert run.outcome == "valid"
    assert hours.start == run.requested.start
    assert len(stage.source.fetched) <= 2 * AN_HOUR + 1
    assert sealed(stage).end == stage.newest.end


# The window


@pytest.mark.parametrize("late", [3, 10, 30, 50])
def test_a_tick_that_comes_late_goes_on_where_the_hours_end(stage: MemoryStage, late: int) -> None:
    twin = twin_of(stage)
    for one in (stage, twin):
        one.settings["past"] = replace(one.settings["past"], account_ids=("999999999999",))
        one.pass_hours(late)
    mine, other = stage.tick().run, twin.tick().run
    assert told(mine) == told(other)
    assert mine.requested == other.requested
    # Of each day that it is cut into, the digest that follows on it is read too.
    assert len(stage.source.fetched) <= late * AN_HOUR + 1 + late // 24 + 1
    assert hours_of(stage) == hours_of(twin)
    assert checkpoint_of(stage).chains == checkpoint_of(twin).chains


def test_a_clock_that_stepped_back_makes_everything_be_read(stage: MemoryStage) -> None:
    stage.world.now -= 2 * HOUR
    run = stage.tick().run
    assert run.requested.start == stage.world.now - 6 * HOUR
    assert "S" not in run.chains[0].hours
    assert len(stage.source.fetched) > 2 * AN_HOUR


@pytest.mark.parametrize(("overlap", "read"), [(9, 10 * AN_HOUR), (4, AN_HOUR + 1)])
def test_another_overlap_is_looked_at_from_where_it_begins(
    stage: MemoryStage, overlap: int, read: int
) -> None:
    stage.settings["overlap"] = overlap * HOUR
    stage.pass_hours()
    run = stage.tick().run
    assert run.outcome == "valid"
    assert len(stage.source.fetched) == read
    stage.pass_hours()
    stage.tick()
    assert len(stage.source.fetched) == AN_HOUR + 1


def test_a_first_window_that_is_shorter_than_the_overlap_seals_no_more_than_it_read() -> None:
    """What lies before it is listed with the same day, and was read by nobody."""
    stage = begun(hours=33, logs_per_hour=2)
    watched(stage, reprove_days=0)
    stage.settings["first_window"] = 2 * HOUR
    attacks.edit_log(stage.world, log_of(stage, 4))
    assert stage.tick().run.outcome == "valid"
    assert sealed(stage).start == stage.world.now - 2 * HOUR
    stage.pass_hours()
    assert [one.reason for one in stage.tick().run.findings] == ["log_hash_mismatch"]


def test_a_person_who_accepts_has_everything_read(stage: MemoryStage) -> None:
    stage.pass_hours()
    run = stage.tick(accept="as it is").run
    assert run.chains[0].unchanged is None
    assert len(stage.source.fetched) == 7 * AN_HOUR
    stage.pass_hours()
    stage.tick()
    assert len(stage.source.fetched) == AN_HOUR + 1


def test_a_state_from_before_is_read_once_more(stage: MemoryStage) -> None:
    stage = twin_of(stage)
    counts = []
    for _ in range(2):
        stage.pass_hours()
        stage.tick()
        counts.append(len(stage.source.fetched))
    assert counts == [7 * AN_HOUR, AN_HOUR + 1]


def test_one_chain_in_trouble_leaves_the_others_alone() -> None:
    stage = begun(hours=33, logs_per_hour=2)
    watched(stage, reprove_days=0)
    start = stage.world.now.replace(minute=0) - 30 * HOUR
    stage.world.run_chain(
        stage.world.trails[0], region="eu-west-1", start=start, hours=1, logs_per_hour=2
    )
    stage.world.advance(stage.world.now)
    stage.tick()
    attacks.edit_log(stage.world, log_of(stage, 1))
    for _ in range(2):
        stage.pass_hours()
        run = stage.tick().run
        read = Counter(key.split("/")[3] for key in (one.key for one in stage.source.fetched))
        assert read["eu-west-1"] == AN_HOUR + 1
        assert read["us-east-1"] > 6 * AN_HOUR
        assert {one.region: one.unchanged is not None for one in run.chains} == {
            "us-east-1": False,
            "eu-west-1": True,
        }


# Rules, and events that wait


def test_an_event_that_is_seen_live_after_its_hour_was_sealed_is_confirmed(
    stage: MemoryStage,
) -> None:
    body = stage.world.objects[log_of(stage, 2).address].body
    event = json.loads(gzip.decompress(body))["Records"][0]
    sighting = Sighting(
        trail_arn=stage.trail.arn,
        event_id=event["eventID"],
        event_name=event["eventName"],
        account_id=stage.trail.account_id,
        region="us-east-1",
        time=datetime.fromisoformat(event["eventTime"]),
        seen_at=stage.world.now,
    )
    stage.store.sightings.remember([sighting])
    stage.pass_hours()
    stage.tick()
    assert stage.store.sightings.waiting(stage.trail.arn, stage.world.now) == []


@pytest.fixture
def ruled(stage: MemoryStage) -> RuleStage:
    return RuleStage(stage)


def test_events_that_no_rule_was_asked_about_are_read_for_it(ruled: RuleStage) -> None:
    stage = ruled.stage
    assert not sealed(stage).heard
    ruled.since = sealed(stage).start
    ruled.tick(1)
    assert len(stage.source.fetched) == 7 * AN_HOUR
    assert sealed(stage).heard
    for _ in range(3):
        ruled.tick(1)
        assert len(stage.source.fetched) == AN_HOUR + 1
    assert ruled.told() == ruled.signed() != Counter()
    assert ruled.balances()


def test_what_a_rule_that_was_stopped_was_not_asked_about_is_read_again(ruled: RuleStage) -> None:
    stage = ruled.stage
    ruled.since = sealed(stage).start
    ruled.tick(1)
    ruled.asked.stops = True
    ruled.tick(1)
    assert hours_of(stage) is None
    ruled.asked.stops = False
    ruled.tick(1)
    assert len(stage.source.fetched) == 7 * AN_HOUR
    assert ruled.told() == ruled.signed()
    ruled.tick(1)
    assert len(stage.source.fetched) == AN_HOUR + 1


def test_what_may_have_ended_chains_is_looked_for_in_all_log_files(stage: MemoryStage) -> None:
    """Where nobody says how the trail is, its own chain is read for the acts on it."""
    stage.asked["refused"] = ("cloudtrail:GetTrailStatus",)
    for _ in range(2):
        stage.pass_hours()
        assert stage.tick().run.chains[0].unchanged is None
