"""What lay there before: the older versions of a versioned bucket, tried until one verifies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from integrity.chain.evidence import Fate
from integrity.chain.findings import Finding, Reason
from integrity.chain.model import Unreachable, Version
from integrity.lab import attacks
from integrity.lab.attacks.logs import overwrite
from integrity.lab.objects import LabDigest, LabLog
from integrity.record import Run, decode, encode
from integrity.structs import replace
from integrity.verify import originals as originals_module
from tests.memory import MemoryVersions, only, reasons
from tests.scenarios.stage import HOUR, MINUTE, START
from tests.verify.stage import Stage, made

LATER = START + 60 * HOUR


def versioned(**chain: Any) -> Stage:
    asked: dict[str, Any] = {"hours": 8, "logs_per_hour": 2, "now": LATER} | chain
    stage = made(**asked)
    stage.world.objects.enable_versioning(stage.chain.bucket)
    # A bucket that kept versions from the start has none that is called null.
    return stage


def looked(stage: Stage, **options: Any) -> Run:
    return stage.verify(0, 8, **{"versions": MemoryVersions(stage.world)} | options)


def keys(finding: Finding) -> set[str]:
    return {one.s3_uri for one in finding.originals}


def uris(*noted: LabDigest | LabLog) -> set[str]:
    return {f"s3://{one.bucket}/{one.key}" for one in noted}


def put_back(stage: Stage, run: Run) -> None:
    """As the printed commands do it."""
    for finding in run.findings:
        for one in finding.originals:
            bucket, _, key = one.s3_uri.removeprefix("s3://").partition("/")
            version = stage.world.objects.version_of((bucket, key), one.version_id)
            assert version is not None
            assert version.stored is not None
            copy = dataclasses.replace(version.stored, last_modified=stage.world.now)
            stage.world.objects[bucket, key] = copy


def edit_a_log(stage: Stage) -> None:
    attacks.edit_log(stage.world, stage.chain.digests[3].log_files[0])


def delete_a_log(stage: Stage) -> None:
    attacks.delete_log(stage.world, stage.chain.digests[3].log_files[0])


def delete_digests_with_logs(stage: Stage) -> None:
    attacks.delete_digests(stage.world, stage.chain.digests[3:5], with_logs=True)


def unsign_a_digest(stage: Stage) -> None:
    attacks.unsign_digest(stage.world, stage.chain.digests[4])


def garble_a_digest_and_edit_its_log(stage: Stage) -> None:
    attacks.malform_digest(stage.world, stage.chain.digests[4], "not-json")
    attacks.edit_log(stage.world, stage.chain.digests[4].log_files[1])


def cut_the_head(stage: Stage) -> None:
    attacks.cut_head(stage.world, stage.chain, 3)


def delete_everything(stage: Stage) -> None:
    attacks.delete_all(stage.world, stage.chain, with_logs=True)


def edit_and_delete(stage: Stage) -> None:
    edit_a_log(stage)
    delete_a_log(stage)


def overwrite_again_and_again(stage: Stage) -> None:
    for number in range(6):
        address = stage.chain.digests[4].address
        overwrite(stage.world, address, f"junk {number}".encode())


ATTACKS = [
    edit_a_log,
    delete_a_log,
    delete_digests_with_logs,
    unsign_a_digest,
    garble_a_digest_and_edit_its_log,
    cut_the_head,
    delete_everything,
    edit_and_delete,
    overwrite_again_and_again,
]


@pytest.mark.parametrize(
    ("attack", "witness"),
    [*((attack, True) for attack in ATTACKS), (cut_the_head, False), (delete_everything, False)],
)
def test_originals_put_back_make_the_trail_what_it_was(
    attack: Callable[[Stage], None], *, witness: bool
) -> None:
    stage = versioned()
    before = stage.verify(0, 8, witness=witness)
    assert before.findings == ()
    attack(stage)

    run = looked(stage, witness=witness)
    assert run.findings
    put_back(stage, run)

    after = stage.verify(0, 8, witness=witness)
    assert (after.findings, after.outcome) == ((), before.outcome)
    assert decode(encode(run)) == run


def test_nothing_else_of_the_record_is_touched() -> None:
    stage = versioned()
    delete_digests_with_logs(stage)

    run, plain = looked(stage), stage.verify(0, 8)

    bare = [replace(f, originals=(), versions_tried=None, explanation=None) for f in run.findings]
    assert bare == [replace(finding, explanation=None) for finding in plain.findings]
    assert replace(run, findings=()) == replace(plain, findings=())


def test_a_file_that_was_altered_names_its_version_and_when_it_was_replaced() -> None:
    stage = versioned()
    edit_a_log(stage)

    found = only(looked(stage), Reason.LOG_HASH_MISMATCH)

    (original,) = found.originals
    log = stage.chain.digests[3].log_files[0]
    first = stage.world.objects.history[log.address][0]
    assert (found.versions_tried, original.version_id) == (1, first.version_id)
    assert (original.fate, original.gone_at) == (Fate.REPLACED, LATER)
    assert (original.written_at, original.markers) == (log.last_modified, ())
    assert original.encryption == "AES256"


def test_a_file_that_was_deleted_names_the_marker() -> None:
    stage = versioned()
    delete_a_log(stage)

    (original,) = only(looked(stage), Reason.LOG_MISSING).originals

    log = stage.chain.digests[3].log_files[0]
    marker = stage.world.objects.history[log.address][1]
    assert (original.fate, original.markers) == (Fate.DELETED, (marker.version_id,))


def test_log_files_that_went_with_their_digest_are_told_beside_it() -> None:
    stage = versioned()
    digest = stage.chain.digests[3]
    attacks.delete_digest(stage.world, digest, with_logs=True)

    found = only(looked(stage), Reason.DIGEST_MISSING)

    assert keys(found) == uris(digest, *digest.log_files)


def test_a_gap_that_was_made_by_deleting_is_filled() -> None:
    stage = versioned()
    stage.world.restart_chain(stage.chain, start=START + 12 * HOUR, hours=3)
    attacks.launder_gap(stage.world, stage.chain, 2)
    lost = [one for one in stage.chain.digests if one.address not in stage.world.objects]

    run = stage.verify(0, 15, versions=MemoryVersions(stage.world))

    (gap,) = [finding for finding in run.findings if finding.reason is Reason.CHAIN_GAP]
    assert uris(*lost) <= keys(gap)


def test_no_version_that_does_not_verify_is_an_original() -> None:
    """The original itself was destroyed; what lies there before the last forgery is another."""
    stage = versioned()
    log = stage.chain.digests[3].log_files[0]
    edit_a_log(stage)
    overwrite(stage.world, log.address, b"another")
    first = stage.world.objects.history[log.address][0]
    stage.world.objects.delete_version(log.address, first.version_id)

    found = only(looked(stage), Reason.LOG_MALFORMED)

    assert (found.originals, found.versions_tried) == ((), 1)


def test_a_planted_file_with_versions_is_no_original() -> None:
    stage = versioned()
    delete_a_log(stage)
    planted = attacks.plant_log(stage.world, stage.chain, newest=START + 3.5 * HOUR)
    overwrite(stage.world, planted, b"later")

    found = only(looked(stage), Reason.LOG_MISSING)

    assert keys(found) == uris(stage.chain.digests[3].log_files[0])


@pytest.mark.parametrize(("count", "is_found"), [(2, True), (3, True), (4, False)])
def test_junk_that_was_there_first_hides_the_original_only_so_long(
    count: int, *, is_found: bool
) -> None:
    stage = versioned()
    digest = stage.chain.digests[4]
    history = stage.world.objects.history[digest.address]
    for number in range(count):
        junk = dataclasses.replace(history[0].stored, body=b"junk")  # type: ignore[type-var]
        early = digest.last_modified - (count - number) * MINUTE
        history.insert(
            number, dataclasses.replace(history[-1], version_id=f"j{number}", at=early, stored=junk)
        )
    attacks.delete_digest(stage.world, digest)

    found = only(looked(stage), Reason.DIGEST_MISSING)
    assert found.versions_tried == min(count + 1, originals_module.MOST_ROUNDS + 1)
    assert keys(found) == (uris(digest) if is_found else set())


class TestWhoIsAsked:
    def test_nobody_where_nothing_is_gone_or_altered(self) -> None:
        stage = versioned()
        attacks.plant_log(stage.world, stage.chain, newest=START + 3.5 * HOUR)
        versions = MemoryVersions(stage.world)

        assert reasons(looked(stage, versions=versions)) == ["log_unreferenced"]
        assert versions.listed == []

    def test_a_log_file_costs_a_listing_of_its_own_key(self) -> None:
        stage, log = versioned(), None
        edit_a_log(stage)
        log = stage.chain.digests[3].log_files[0]
        versions = MemoryVersions(stage.world)

        looked(stage, versions=versions)

        assert versions.listed == [log.key]
        assert [place.key for place, _ in versions.fetched] == [log.key]

    def test_many_log_files_cost_the_listings_of_their_days(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(originals_module, "_FEW_LOGS", 0)
        stage = versioned()
        edit_a_log(stage)
        versions = MemoryVersions(stage.world)

        run = looked(stage, versions=versions)

        assert all(prefix.endswith("/") for prefix in versions.listed)
        assert only(run, Reason.LOG_HASH_MISMATCH).originals

    def test_a_bucket_without_versions_has_none_to_try(self) -> None:
        stage = made(hours=8, logs_per_hour=1, now=LATER)
        edit_a_log(stage)

        found = only(looked(stage), Reason.LOG_HASH_MISMATCH)

        assert (found.versions_tried, found.originals) == (0, ())

    @pytest.mark.parametrize(
        ("refused", "permission"),
        [("list", "s3:ListBucketVersions"), ("fetch", "s3:GetObjectVersion")],
    )
    def test_who_may_not_is_a_note_and_no_finding(self, refused: str, permission: str) -> None:
        stage = versioned()
        edit_a_log(stage)
        stage.world.run_chain(stage.trail, region="eu-west-1", start=START, hours=8)
        attacks.delete_log(stage.world, stage.world.chains[1].log_files[5])

        run = looked(stage, versions=MemoryVersions(stage.world, refused=(refused,)))

        assert reasons(run) == ["log_hash_mismatch", "log_missing"]
        assert not [one for finding in run.findings for one in finding.originals]
        assert [finding.versions_tried for finding in run.findings] == [None, None]
        assert run.population.notes[-1] == (
            f"older versions, for originals: {permission} is not allowed"
        )

    def test_how_it_is_encrypted_is_not_needed(self) -> None:
        stage = versioned()
        edit_a_log(stage)

        run = looked(stage, versions=MemoryVersions(stage.world, refused=("describe",)))

        (original,) = only(run, Reason.LOG_HASH_MISMATCH).originals
        assert (original.encryption, original.kms_key_id) == ("", "")

    def test_digests_alone_are_tried_where_no_log_files_are_asked_for(self) -> None:
        stage = versioned()
        delete_digests_with_logs(stage)

        run = looked(stage, log_files=False)

        found = {uri for finding in run.findings for uri in keys(finding)}
        assert found == uris(*stage.chain.digests[3:5])


def test_days_and_objects_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = versioned()
    delete_digests_with_logs(stage)
    monkeypatch.setattr(originals_module, "_MOST_OBJECTS", 1)

    assert sum(len(f.originals) for f in looked(stage).findings) == 1

    monkeypatch.setattr(originals_module, "_MOST_DAYS", 0)
    run = looked(stage)
    assert sum(len(f.originals) for f in run.findings) == 0
    assert run.population.notes[-1] == (
        "older versions, for originals: not all days were looked at (0 of a chain at most)"
    )


def test_nothing_is_tried_once_everything_is_to_stop() -> None:
    """Of two regions the second is left: somebody has stopped the run while the first was tried."""
    stage, stopping = versioned(), Event()
    edit_a_log(stage)
    other = stage.world.run_chain(stage.trail, region="eu-west-1", start=START, hours=8)
    attacks.delete_log(stage.world, other.log_files[5])

    class Stopping(MemoryVersions):
        def list_versions(self, bucket: str, prefix: str) -> Iterator[Version | Unreachable]:
            stopping.set()
            return super().list_versions(bucket, prefix)

    versions = Stopping(stage.world)
    run = looked(stage, versions=versions, stopping=stopping)

    assert len(versions.listed) == 1
    assert reasons(run) == ["log_hash_mismatch", "log_missing"]
    assert not run.run.interrupted
    assert looked(stage, stopping=stopping).run.interrupted
