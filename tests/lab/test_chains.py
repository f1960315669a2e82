"""Chains that the lab wrote, read by a witness of the tests' own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from integrity.lab.objects import LabLog
from integrity.lab.world import Chain, World
from tests.lab.witness import check_digest, check_links, whole_member

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 1, 0, 17, 5, tzinfo=UTC)


def day(hours: int = 6, **circumstances: object) -> tuple[World, Chain]:
    world = World(seed=7)
    trail = world.add_trail()
    return world, world.run_chain(trail, start=START, hours=hours, **circumstances)  # type: ignore[arg-type]


def test_a_chain_is_signed_linked_and_whole() -> None:
    world, chain = day(24)
    assert len(chain.digests) == 25
    assert len(chain.log_files) == 72
    assert check_links(world, chain.digests) == 24


def test_every_window_is_an_hour_and_begins_where_the_one_before_ended() -> None:
    _, chain = day()
    assert [d.end - d.start for d in chain.digests] == [HOUR] * 7
    assert [d.start for d in chain.digests] == [START + n * HOUR for n in range(-1, 6)]


def test_digests_are_last_modified_half_an_hour_after_their_end_and_logs_minutes_late() -> None:
    world, chain = day(24)
    for digest in chain.digests:
        assert world.objects[digest.address].last_modified == digest.end + HOUR / 2
        for log in digest.log_files:
            stored = world.objects[log.address]
            assert stored.metadata == {}
            assert stored.last_modified == log.last_modified
            assert digest.start <= stored.last_modified < digest.end
            assert timedelta(minutes=5) <= stored.last_modified - log.newest < timedelta(minutes=10)


def minute_of(log: LabLog) -> datetime:
    return datetime.strptime(log.key.split("_")[-2], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)


def test_a_log_file_is_what_its_name_and_its_digest_say() -> None:
    world, chain = day()
    for digest in chain.digests:
        for entry in digest.document["logFiles"]:
            body = whole_member(world.objects[entry["s3Bucket"], entry["s3Object"]].body)
            times = [event["eventTime"] for event in json.loads(body)["Records"]]
            assert (max(times), min(times)) == (entry["newestEventTime"], entry["oldestEventTime"])
    for log in chain.log_files:
        assert timedelta(0) <= minute_of(log) - log.newest < timedelta(minutes=5)
        assert len(log.key.removesuffix(".json.gz").rpartition("_")[2]) == 16


def test_events_have_what_readers_rely_on() -> None:
    world, chain = day()
    events = [
        e
        for log in chain.log_files
        for e in json.loads(world.objects[log.address].content)["Records"]
    ]
    assert len({event["eventID"] for event in events}) == len(events)
    for event in events:
        assert event["awsRegion"] == "us-east-1"
        assert event["recipientAccountId"] == "111122223333"
        assert event["userIdentity"]["type"] in ("IAMUser", "AssumedRole")
        assert {"eventVersion", "eventSource", "eventName", "sourceIPAddress"} <= set(event)
    assert events[0]["eventVersion"] == "1.11"


def test_a_seed_gives_the_same_world_but_for_its_keys() -> None:
    def seen(seed: int) -> list[tuple[str, str]]:
        world = World(seed=seed)
        trail = world.add_trail()
        return [(log.key, log.sha256) for log in world.run_chain(trail, hours=3).log_files]

    assert seen(1) == seen(1)
    assert not set(seen(1)) & set(seen(2))


def test_a_second_chain_does_not_change_the_first() -> None:
    world = World(seed=1)
    trail = world.add_trail()
    world.run_chain(trail, region="eu-west-1", hours=2)
    later = world.run_chain(trail, region="us-east-1", hours=2)
    alone = World(seed=1)
    first = alone.run_chain(alone.add_trail(), region="us-east-1", hours=2)
    assert [log.sha256 for log in later.log_files] == [log.sha256 for log in first.log_files]


def test_empty_hours_have_digests_without_log_files() -> None:
    world, chain = day(empty_hours={2, 3})
    assert [len(d.log_files) for d in chain.digests] == [0, 3, 3, 0, 0, 3, 3]
    assert chain.digests[3].document["newestEventTime"] is None
    assert check_links(world, chain.digests) == 6


def test_a_late_log_file_is_named_by_the_hour_after_its_events() -> None:
    world, chain = day(late_hours={4})
    late = [
        log
        for log in chain.digests[5].log_files
        if log.newest < chain.digests[5].start - timedelta(minutes=9)
    ]
    assert len(late) == 1
    assert minute_of(late[0]) < chain.digests[4].end <= late[0].last_modified < chain.digests[5].end
    assert check_links(world, chain.digests) == 6


def test_no_log_file_is_late_before_logging_began() -> None:
    with pytest.raises(ValueError, match="logging had just begun"):
        day(late_hours={0})


def test_a_linked_chain_names_a_predecessor_that_is_no_more() -> None:
    world, chain = day(begin="linked")
    first = check_digest(world, chain.digests[0])
    assert first["previousDigestS3Object"].endswith("_20260228T231705Z.json.gz")
    assert (first["previousDigestS3Bucket"], first["previousDigestS3Object"]) not in world.objects
    assert len(first["previousDigestSignature"]) == 512
    assert check_links(world, chain.digests) == 6


def test_a_rotated_key_signs_what_ends_after_it() -> None:
    world, chain = day(2)
    world.rotate_key("us-east-1", at=START + 3 * HOUR)
    world.continue_chain(chain, hours=3)
    old, new = world.public_keys("us-east-1")
    assert [d.fingerprint for d in chain.digests] == [old.fingerprint] * 3 + [new.fingerprint] * 3
    assert check_links(world, chain.digests) == 5
    for key in (old, new):
        assert key.not_after - key.not_before == timedelta(days=30)
    assert old.not_before < START < new.not_before < old.not_after


def test_keys_follow_each_other_with_ten_days_of_overlap() -> None:
    world, chain = day(24 * 45, logs_per_hour=0)
    keys = world.public_keys("us-east-1")
    assert [b.not_before - a.not_before for a, b in pairwise(keys)] == [timedelta(days=20)] * 2
    by_fingerprint = {key.fingerprint: key for key in keys}
    for digest in chain.digests:
        key = by_fingerprint[digest.fingerprint]
        assert key.not_before <= digest.end <= key.not_before + timedelta(days=20)


def test_regions_have_keys_of_their_own() -> None:
    world = World(seed=1)
    trail = world.add_trail()
    for region in ("us-east-1", "eu-west-1"):
        world.run_chain(trail, region=region, hours=1)
    one, other = (world.public_keys(region)[0] for region in ("us-east-1", "eu-west-1"))
    assert one.fingerprint != other.fingerprint


def test_keys_may_be_longer_and_of_the_other_form() -> None:
    world = World(seed=1)
    ring = world.ring("us-east-1")
    ring.bits, ring.spki = 3072, True
    chain = world.run_chain(world.add_trail(), hours=1)
    assert len(chain.digests[0].signature) == 768
    assert check_links(world, chain.digests) == 1


def test_a_switched_bucket_continues_the_chain_elsewhere() -> None:
    world, chain = day(2)
    world.switch_bucket(chain, bucket="new-logs", prefix="audit/")
    world.continue_chain(chain, hours=2)
    assert [d.bucket for d in chain.digests] == ["trail-logs"] * 3 + ["new-logs"] * 2
    assert chain.digests[3].key.startswith("audit/AWSLogs/111122223333/CloudTrail-Digest/")
    assert chain.digests[3].document["previousDigestS3Bucket"] == "trail-logs"
    assert chain.trail.bucket == "new-logs"
    assert check_links(world, chain.digests) == 4


def test_backfills_are_a_chain_of_their_own() -> None:
    world, chain = day(6)
    generated = datetime(2026, 4, 20, tzinfo=UTC)
    one = world.backfill(chain, end=chain.digests[5].end, generated_at=generated, logs=2)
    two = world.backfill(chain, end=chain.digests[2].end, generated_at=generated + HOUR, logs=1)
    assert one.key == chain.digests[5].key.replace(".json.gz", "_backfill.json.gz")
    assert one.document["previousDigestSignature"] is None
    assert two.document["previousDigestS3Object"] == one.key
    assert check_links(world, chain.backfills) == 1
    metadata = world.objects[one.address].metadata
    assert metadata["backfill-generation-timestamp"] == "2026-04-20T00:00:00.000Z"
    assert all(one.start <= log.newest <= one.end for log in one.log_files)
    assert all(log.last_modified > chain.digests[-1].end for log in one.log_files)
    newest = world.public_keys("us-east-1")[-1]
    assert one.fingerprint == newest.fingerprint != chain.digests[5].fingerprint
    assert world.status(chain.trail, "us-east-1").latest_digest_delivery_time == two.last_modified


def test_a_trail_without_validation_has_log_files_and_no_digests() -> None:
    world = World(seed=1)
    chain = world.run_chain(world.add_trail(validation=False), hours=2)
    assert chain.digests == []
    assert len(chain.undigested) == 6
    assert {log.address for log in chain.undigested} < set(world.objects)
    assert world.status(chain.trail, "us-east-1").latest_digest_delivery_time is None


def test_an_organization_trail_writes_for_its_members() -> None:
    world = World(seed=1)
    trail = world.add_trail(organization_id="o-exampleorgid", prefix="o-exampleorgid")
    chain = world.run_chain(trail, account_id="444455556666", hours=2)
    assert chain.digests[1].key.startswith(
        "o-exampleorgid/AWSLogs/o-exampleorgid/444455556666/CloudTrail-Digest/us-east-1/2026/03/01/"
        "444455556666_CloudTrail-Digest_us-east-1_main_us-east-1_"
    )
    assert chain.digests[1].document["awsAccountId"] == "444455556666"
    assert list(world.accounts) == ["111122223333", "444455556666"]
    assert check_links(world, chain.digests) == 2


def test_buckets_have_zero_byte_markers_beside_the_files() -> None:
    world, _ = day(1)
    markers = [key for (_, key), stored in world.objects.items() if stored.body == b""]
    assert sorted(markers) == [
        "AWSLogs/111122223333/CloudTrail-Digest/",
        "AWSLogs/111122223333/CloudTrail/",
    ]


def test_a_lifecycle_rule_deletes_what_is_old_and_only_that() -> None:
    world, chain = day(24)
    world.now = START + timedelta(days=30, hours=12)
    world.expire("trail-logs", days=30, prefix="AWSLogs/111122223333/CloudTrail/")
    gone = {log.address for log in chain.log_files} - set(world.objects)
    assert gone == {
        log.address for log in chain.log_files if log.last_modified <= START + timedelta(hours=12)
    }
    assert all(digest.address in world.objects for digest in chain.digests)


def test_a_copy_goes_its_own_way() -> None:
    world, chain = day(2)
    before = dict(world.objects)
    other = world.copy()
    other.continue_chain(other.chains[0], hours=2)
    other.rotate_key("us-east-1", at=START + 3 * HOUR)
    other.stop_chain(other.chains[0])
    del other.objects[chain.digests[0].address]
    other.chains[0].trail.deleted = True
    assert dict(world.objects) == before
    assert (len(chain.digests), len(world.public_keys("us-east-1"))) == (3, 1)
    assert world.status(chain.trail, "us-east-1").is_logging
    assert not world.trails[0].deleted
    assert other.trails[0] is other.chains[0].trail
    assert check_links(other, other.chains[0].digests[1:]) == 3
    world.continue_chain(chain, hours=1)
    assert check_links(world, chain.digests) == 3
    # What happens next happens alike in both.
    assert chain.digests[3].log_files == other.chains[0].digests[3].log_files
