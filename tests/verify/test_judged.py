"""One digest read and judged, and read once more before it is called invalid."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import pytest

from integrity.chain.findings import Reason
from integrity.chain.limits import Limits
from integrity.chain.link import Standing
from integrity.chain.model import Fetched, KeysUnavailable, S3Location, Witness
from integrity.chain.names import DigestName, digest_location, parse_digest
from integrity.lab import attacks
from integrity.lab.objects import LabDigest
from integrity.verify import judged
from integrity.verify.judged import DigestJudge, Judged, unjudged
from integrity.verify.keyring import KeyRing
from tests.chain.specimens import CHAIN, at, hours
from tests.verify.stage import Flickering, Stage, made, place_of

NUMBER = 9


def taken(stage: Stage, executor: Executor, *, has_keys: bool = True) -> Judged | None:
    """What is made of the digest that the stage is about, where it was had swiftly."""
    tools = stage.tools(executor)
    address = stage.chain.digests[NUMBER].address
    name, stored = parse_digest(place_of(address)), stage.world.objects[address]
    assert name is not None
    fetched = Fetched(place_of(address), stored.body, stored.metadata, stored.last_modified)
    keys = tools.keys.fetch_keys("us-east-1", hours(0, 24)) if has_keys else ()
    assert not isinstance(keys, KeysUnavailable)
    ring = KeyRing("us-east-1", tools.keys, keys)
    return DigestJudge(stage.job(), tools, ring).take(name, fetched)


def judge(
    stage: Stage, executor: Executor, place: S3Location | None = None, **asked: Any
) -> Judged:
    """The judgement of the digest that the stage is about."""
    tools = stage.tools(executor)
    ring = KeyRing("us-east-1", tools.keys)
    place = place or place_of(stage.chain.digests[NUMBER].address)
    name = parse_digest(place)
    assert name is not None
    return DigestJudge(stage.job(**asked), tools, ring).judge(name, place)


def reason(judged: Judged) -> Reason | None:
    return None if judged.finding is None else judged.finding.reason


def test_a_signed_digest_in_its_place_is_authentic_and_read_once(executor: Executor) -> None:
    stage = made()

    judged = judge(stage, executor)

    digest = stage.chain.digests[NUMBER]
    assert (judged.standing, judged.finding) == (Standing.AUTHENTIC, None)
    assert judged.authentic is not None
    assert judged.authentic.witness is Witness.METADATA
    assert judged.last_modified == digest.last_modified
    assert stage.source.fetched == [place_of(digest.address)]


def test_its_entry_has_what_links_and_coverage_need(executor: Executor) -> None:
    stage = made()
    before, digest = stage.chain.digests[NUMBER - 1 : NUMBER + 1]

    entry = judge(stage, executor).entry(named=True)

    assert (entry.chain, entry.location) == (CHAIN, place_of(digest.address))
    assert (entry.window, entry.standing, entry.named) == (hours(8, 9), Standing.AUTHENTIC, True)
    assert entry.signature == digest.signature
    assert entry.previous is not None
    assert entry.previous.location == place_of(before.address)
    assert entry.log_files == len(digest.log_files) == 2
    assert entry.last_modified == digest.last_modified


def test_a_digest_that_is_not_believed_says_nothing_but_its_name(executor: Executor) -> None:
    stage = made()
    digest = stage.chain.digests[NUMBER]
    attacks.edit_digest(stage.world, digest, digestStartTime="2020-01-01T00:00:00Z")

    judged = judge(stage, executor)
    entry = judged.entry(named=False)

    assert (judged.standing, reason(judged)) == (
        Standing.BROKEN,
        Reason.DIGEST_SIGNATURE_INVALID,
    )
    assert judged.digest is not None
    assert (entry.window, entry.previous, entry.log_files) == (hours(8, 9), None, 0)
    assert (entry.sha256, entry.signature, entry.named) == ("", "", False)


def test_what_is_broken_is_read_twice(executor: Executor) -> None:
    stage = made()
    digest = stage.chain.digests[NUMBER]
    attacks.malform_digest(stage.world, digest, "not-gzip")

    judged = judge(stage, executor)

    assert (judged.standing, judged.digest) == (Standing.BROKEN, None)
    assert reason(judged) is Reason.DIGEST_MALFORMED
    assert stage.source.fetched == [place_of(digest.address)] * 2


@pytest.mark.parametrize("first", [None, b"", b"torn", gzip.compress(b"{}", mtime=0)])
def test_what_was_wrong_only_once_is_not_wrong(executor: Executor, first: bytes | None) -> None:
    stage = made()
    stage.source = Flickering(stage.world, {"_20260301T090000Z": [first]})

    judged = judge(stage, executor)

    assert (judged.standing, judged.finding) == (Standing.AUTHENTIC, None)


def test_the_second_answer_counts_though_it_be_none(executor: Executor) -> None:
    stage = made()
    stage.source = Flickering(stage.world, {"_20260301T090000Z": [b"torn", "throttled"]})

    judged = judge(stage, executor)

    assert (judged.standing, reason(judged)) == (Standing.UNREADABLE, Reason.OBJECT_UNREADABLE)


def test_an_object_that_does_not_answer_is_unreadable(executor: Executor) -> None:
    stage = made()
    stage.source.unreachable = {"CloudTrail-Digest": "AccessDenied: allow s3:GetObject"}

    judged = judge(stage, executor)

    assert (judged.standing, reason(judged)) == (Standing.UNREADABLE, Reason.OBJECT_UNREADABLE)
    assert judged.finding is not None
    assert judged.finding.detail == "AccessDenied: allow s3:GetObject"
    assert judged.finding.window == hours(8, 9)


@pytest.mark.parametrize(
    ("now", "standing", "found"),
    [
        (9 + 24, Standing.MISSING, Reason.DIGEST_MISSING),
        (9 + 23.9, Standing.LATE, Reason.DIGEST_LATE),
    ],
)
def test_an_absent_digest_may_be_late_for_a_day(
    executor: Executor, now: float, standing: Standing, found: Reason
) -> None:
    stage = made(now=at(now))
    attacks.delete_digest(stage.world, stage.chain.digests[NUMBER])

    judged = judge(stage, executor)

    assert (judged.standing, reason(judged)) == (standing, found)


def test_without_keys_a_digest_is_not_broken(executor: Executor) -> None:
    stage = made()
    stage.keys.deaf_regions = {"us-east-1": "denied"}

    judged = judge(stage, executor)

    assert (judged.standing, reason(judged)) == (Standing.UNREADABLE, Reason.KEYS_UNAVAILABLE)
    assert judged.digest is not None


def test_a_digest_over_the_bound_is_not_broken(executor: Executor) -> None:
    stage = made()

    judged = judge(stage, executor, limits=Limits(max_digest_bytes=100))

    assert (judged.standing, reason(judged)) == (Standing.UNREADABLE, Reason.LIMIT_EXCEEDED)


def test_an_algorithm_that_nobody_knows_is_not_broken(executor: Executor) -> None:
    stage = made()
    attacks.unknown_signature_algorithm(
        stage.world, stage.chain, stage.chain.digests[NUMBER], label="SHA512withRSA"
    )

    judged = judge(stage, executor)

    assert (judged.standing, reason(judged)) == (
        Standing.UNREADABLE,
        Reason.ALGORITHM_UNSUPPORTED,
    )


def test_of_an_unknown_hash_of_the_predecessor_only_the_link_is_lost(executor: Executor) -> None:
    stage = made()
    attacks.resign(
        stage.world,
        stage.chain,
        stage.chain.digests[NUMBER],
        previousDigestHashAlgorithm="SHA3-512",
    )

    judged = judge(stage, executor)

    assert (judged.standing, reason(judged)) == (
        Standing.AUTHENTIC,
        Reason.ALGORITHM_UNSUPPORTED,
    )


def test_what_was_had_swiftly_and_is_authentic_is_taken_as_it_is(executor: Executor) -> None:
    stage = made()

    assert taken(stage, executor) == judge(stage, executor)


@pytest.mark.parametrize(
    "attack",
    [
        lambda stage, digest: attacks.edit_digest(stage.world, digest, awsAccountId="1"),
        lambda stage, digest: attacks.append_to_digest(stage.world, digest),
        lambda stage, digest: attacks.malform_digest(stage.world, digest, "not-gzip"),
        lambda stage, digest: attacks.unsign_digest(stage.world, digest),
        lambda stage, digest: attacks.wrong_signature(stage.world, digest),
        lambda stage, digest: attacks.relabel_algorithm(stage.world, digest),
        lambda stage, digest: attacks.resign(
            stage.world, stage.chain, digest, previousDigestHashAlgorithm="SHA3-512"
        ),
    ],
    ids=["edited", "longer", "malformed", "unsigned", "signature", "algorithm", "predecessor"],
)
def test_of_what_there_is_anything_to_say_nothing_is_taken(
    executor: Executor, attack: Callable[[Stage, LabDigest], object]
) -> None:
    stage = made()
    attack(stage, stage.chain.digests[NUMBER])

    assert taken(stage, executor) is None


def test_without_its_key_at_hand_nothing_is_taken_and_nobody_asked(executor: Executor) -> None:
    stage = made()

    assert taken(stage, executor, has_keys=False) is None
    assert stage.keys.asked == []


def test_what_is_all_there_waits_for_no_transfer(executor: Executor) -> None:
    stage = made()
    slow = [judged._DESKS.get() for _ in range(2)]
    try:
        one = executor.submit(taken, stage, executor)
        assert one.result(10) is not None
    finally:
        for desk in slow:
            judged._DESKS.put(desk)


def test_what_is_larger_than_any_usual_digest_is_not_taken(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = made()
    monkeypatch.setattr(judged, "_SWIFT_BYTES", 100)

    assert taken(stage, executor) is None
    assert judge(stage, executor).standing is Standing.AUTHENTIC


def test_an_unjudged_digest_stands_for_its_hour() -> None:
    entry = unjudged(DigestName(CHAIN, at(5)))

    assert (entry.location, entry.window) == (digest_location(CHAIN, at(5)), hours(4, 5))
    assert entry.standing is Standing.UNJUDGED
