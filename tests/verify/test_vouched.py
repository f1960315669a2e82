"""Who vouches for one log file, and why nobody does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.chain.link import Standing
from integrity.chain.model import ChainKind, S3Location, Trail
from integrity.chain.names import parse_log
from integrity.lab import attacks
from integrity.lab.objects import LabLog, StoredObject
from integrity.structs import replace
from integrity.verify.vouched import find_log
from integrity.verify.voucher import Vouched, Word
from tests.chain.specimens import at
from tests.memory import MemoryRetention, as_trail
from tests.verify.stage import HOUR, Stage, made


@pytest.fixture
def stage() -> Stage:
    return made(hours=8)


def find(stage: Stage, log: LabLog | S3Location, trail: Trail | None = None) -> Vouched:
    location = log if isinstance(log, S3Location) else S3Location(*log.address)
    name = parse_log(location)
    assert name is not None
    sources = (stage.source, stage.keys, MemoryRetention(stage.world))
    return find_log(location, name, sources, trail=trail, now=stage.world.now, concurrency=4)


def hour(stage: Stage, log: LabLog) -> int:
    """The index of the digest that names a log file."""
    return next(n for n, one in enumerate(stage.chain.digests) if log in one.log_files)


def test_a_delivered_file_has_its_digest_named_and_the_chain_around_it(stage: Stage) -> None:
    log = stage.chain.log_files[8]
    said = find(stage, log)

    assert (said.word, said.outcome, said.findings) == (Word.DELIVERED, Outcome.VALID, ())
    (voucher,) = said.vouchers
    number = hour(stage, log)
    before, digest, after = stage.chain.digests[number - 1 : number + 2]
    assert voucher.s3_uri == f"s3://{digest.address[0]}/{digest.address[1]}"
    assert (voucher.trail_name, voucher.home_region) == ("main", "us-east-1")
    assert (voucher.kind, voucher.key_origin) == (ChainKind.STANDARD, "ListPublicKeys")
    assert voucher.window.end == digest.end
    assert voucher.previous is not None
    assert voucher.previous.s3_uri.endswith(before.address[1])
    assert (voucher.previous.standing, voucher.previous.is_linked) == (Standing.AUTHENTIC, True)
    assert voucher.following is not None
    assert voucher.following.s3_uri.endswith(after.address[1])
    assert (voucher.following.standing, voucher.following.is_linked) == (Standing.AUTHENTIC, True)


def test_nothing_is_read_twice_that_is_as_it_was_delivered(stage: Stage) -> None:
    find(stage, stage.chain.log_files[8])
    assert len(stage.source.fetched) == len(set(stage.source.fetched)) > 2


def test_every_log_file_of_the_lab_is_found(stage: Stage) -> None:
    assert {find(stage, log).word for log in stage.chain.log_files[:12]} == {Word.DELIVERED}


def test_the_newest_digest_has_none_after_it_and_the_first_is_a_beginning(stage: Stage) -> None:
    last = stage.chain.digests[-1].log_files[0]
    (voucher,) = find(stage, last).vouchers
    assert voucher.following is None


def test_an_edited_file_is_a_contradiction(stage: Stage) -> None:
    log = stage.chain.log_files[8]
    attacks.edit_log(stage.world, log)
    said = find(stage, log)
    assert (said.word, said.outcome) == (Word.CONTRADICTED, Outcome.INVALID)
    assert [finding.reason for finding in said.findings] == [Reason.LOG_HASH_MISMATCH]
    assert len(said.vouchers) == 1


def test_a_deleted_file_is_still_named(stage: Stage) -> None:
    log = stage.chain.log_files[8]
    attacks.delete_log(stage.world, log)
    said = find(stage, log)
    assert (said.word, said.outcome) == (Word.CONTRADICTED, Outcome.INVALID)
    assert [finding.reason for finding in said.findings] == [Reason.LOG_MISSING]
    assert said.last_modified is None


def test_one_that_never_was_is_absent(stage: Stage) -> None:
    log = S3Location(*stage.chain.log_files[8].address)
    never = replace(log, key=log.key.replace(".json.gz", "x.json.gz"))
    longer = S3Location(never.bucket, never.key + ".bak")
    stage.world.objects[longer.bucket, longer.key] = StoredObject(b"x", at(5))
    said = find(stage, never)
    assert (said.word, said.outcome) == (Word.ABSENT, Outcome.UNDETERMINED)


def test_a_forged_file_is_vouched_for_by_nobody(stage: Stage) -> None:
    forged = attacks.plant_log(stage.world, stage.chain, newest=at(4) + timedelta(minutes=5))
    said = find(stage, place(forged))
    assert (said.word, said.outcome) == (Word.UNREFERENCED, Outcome.UNDETERMINED)
    assert said.digests_read >= 2


def place(planted: Any) -> S3Location:
    return S3Location(*(planted.address if hasattr(planted, "address") else planted))


def test_a_made_up_trails_junk_excuses_nothing(stage: Stage) -> None:
    forged = place(attacks.plant_log(stage.world, stage.chain, newest=at(4) + timedelta(minutes=5)))
    for digest in stage.chain.digests:
        bucket, key = digest.address
        junk = key.replace("_main_us-east-1_", "_made-up_us-east-1_")
        stage.world.objects[bucket, junk] = StoredObject(b"junk", digest.last_modified)
    assert find(stage, forged).word is Word.UNREFERENCED


def test_without_its_digest_nobody_can_say(stage: Stage) -> None:
    log = stage.chain.log_files[8]
    attacks.delete_digest(stage.world, stage.chain.digests[hour(stage, log)])
    said = find(stage, log)
    assert (said.word, said.outcome) == (Word.UNATTESTED, Outcome.UNDETERMINED)
    assert Reason.DIGEST_MISSING in {finding.reason for finding in said.findings}


def test_without_any_digest_it_says_where_none_is(stage: Stage) -> None:
    for digest in stage.chain.digests:
        del stage.world.objects[digest.address]
    said = find(stage, stage.chain.log_files[8])
    assert (said.word, said.digests_read) == (Word.UNATTESTED, 0)
    assert "no digest file lies in s3://trail-logs/AWSLogs/" in said.detail


def test_a_new_file_waits_for_its_digest(stage: Stage) -> None:
    log = stage.chain.digests[-1].log_files[0]
    del stage.world.objects[stage.chain.digests[-1].address]
    stage.world.now = stage.world.objects[log.address].last_modified + HOUR / 4
    assert find(stage, log).word is Word.PENDING


def test_a_backfill_digest_vouches_too(stage: Stage) -> None:
    digest = stage.world.backfill(stage.chain, end=at(5), generated_at=at(7), logs=1)
    said = find(stage, digest.log_files[0])
    (voucher,) = said.vouchers
    assert (said.word, voucher.kind) == (Word.DELIVERED, ChainKind.BACKFILL)


def test_a_predecessor_that_is_gone_or_does_not_fit_is_told(stage: Stage) -> None:
    log = stage.chain.log_files[8]
    before = stage.chain.digests[hour(stage, log) - 1]
    attacks.delete_digest(stage.world, before)
    (voucher,) = find(stage, log).vouchers
    assert voucher.previous is not None
    assert (voucher.previous.standing, voucher.previous.is_linked) == (Standing.MISSING, False)


def test_another_trails_digests_are_asked_unless_one_is_named(stage: Stage) -> None:
    other = stage.world.add_trail(name="other")
    stage.world.run_chain(other, start=at(0), hours=8, logs_per_hour=1)
    log = stage.world.chains[1].log_files[4]
    (voucher,) = find(stage, log).vouchers
    assert voucher.trail_name == "other"
    assert find(stage, log, trail=as_trail(stage.trail)).word is Word.UNREFERENCED


def test_what_cannot_be_read_or_listed_is_undetermined(stage: Stage) -> None:
    log = stage.chain.log_files[8]
    stage.source.unreachable["/CloudTrail-Digest/"] = "access denied"
    said = find(stage, log)
    assert (said.word, said.outcome) == (Word.UNDETERMINED, Outcome.UNDETERMINED)
    assert "could not be listed: access denied" in said.detail
    stage.source.unreachable = {log.address[1]: "access denied"}
    assert find(stage, log).detail == "access denied"


def test_a_file_that_alone_cannot_be_read_is_named_and_undetermined(stage: Stage) -> None:
    log = stage.chain.log_files[8]
    listed = stage.source.list_objects

    def list_objects(bucket: str, prefix: str) -> Any:
        kept, stage.source.unreachable = stage.source.unreachable, {}
        found = list(listed(bucket, prefix))
        stage.source.unreachable = kept
        return iter(found)

    stage.source.list_objects = list_objects  # type: ignore[method-assign]
    stage.source.unreachable = {log.address[1]: "access denied"}
    said = find(stage, log)
    assert (said.word, said.outcome) == (Word.UNDETERMINED, Outcome.UNDETERMINED)
    assert [finding.reason for finding in said.findings] == [Reason.OBJECT_UNREADABLE]
    assert len(said.vouchers) == 1


def test_a_name_from_the_future_is_judged_by_when_it_was_written(stage: Stage) -> None:
    log = S3Location(*stage.chain.log_files[8].address)
    key = log.key.replace("2026/03/01", "2036/03/01").replace("_20260301T", "_20360301T")
    stage.world.objects[log.bucket, key] = StoredObject(b"x", at(5))
    assert find(stage, S3Location(log.bucket, key)).word is Word.UNREFERENCED
