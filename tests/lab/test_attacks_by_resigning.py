"""What CloudTrail itself would have signed oddly is signed, and as odd as said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrity.lab import attacks
from integrity.lab.world import Chain, World
from tests.lab.witness import changed, check_digest, check_links

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


RESIGNINGS: dict[str, tuple[Callable[[World, Chain], object], set[str]]] = {
    # name: (the act on the fourth digest, the fields of it that differ)
    "account": (lambda w, c: attacks.wrong_account(w, c, c.digests[3]), {"awsAccountId"}),
    "hash": (lambda w, c: attacks.unknown_hash_algorithm(w, c, c.digests[3]), {"logFiles"}),
    "algorithm": (
        lambda w, c: attacks.unknown_signature_algorithm(w, c, c.digests[3]),
        {"digestSignatureAlgorithm"},
    ),
    "twice": (lambda w, c: attacks.log_named_twice(w, c, c.digests[3]), {"logFiles"}),
    "start": (
        lambda w, c: attacks.start_after_predecessor(w, c, c.digests[3]),
        {"digestStartTime"},
    ),
    "any": (
        lambda w, c: attacks.resign(w, c, c.digests[3], digestEndTime="2026-03-01T03:00:01Z"),
        {"digestEndTime"},
    ),
}


@pytest.mark.parametrize("name", RESIGNINGS)
def test_what_cloudtrail_itself_would_have_signed_is_signed_and_linked(
    world: World, chain: Chain, name: str
) -> None:
    act, fields = RESIGNINGS[name]
    was = chain.digests[3].document
    before = dict(world.objects)
    act(world, chain)
    now = json.loads(world.objects[chain.digests[3].address].content)
    assert {field for field in was if was[field] != now.get(field)} == fields
    assert changed(before, world) == {digest.address for digest in chain.digests[3:]}
    for digest in chain.digests:
        assert world.objects[digest.address].content == digest.body_json
        assert world.objects[digest.address].metadata["signature"] == digest.signature
    if name == "any":  # the successor begins a second before it ended
        with pytest.raises(AssertionError):
            check_links(world, chain.digests)
    else:
        assert check_links(world, chain.digests) == 8


@pytest.mark.parametrize("act", [attacks.wrong_previous_hash, attacks.wrong_previous_signature])
def test_a_contradicting_link_is_signed(
    world: World, chain: Chain, act: Callable[..., object]
) -> None:
    act(world, chain, chain.digests[3])
    for digest in chain.digests:
        check_digest(world, digest)
    with pytest.raises(AssertionError):
        check_links(world, chain.digests)
    assert check_links(world, chain.digests[4:]) == 5


def test_a_resigned_digest_need_not_be_linked(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    attacks.resign(world, chain, chain.digests[3], relink=False, newestEventTime=None)
    assert changed(before, world) == {chain.digests[3].address}


def test_a_log_file_named_twice_has_one_hash_or_two(world: World, chain: Chain) -> None:
    attacks.log_named_twice(world, chain, chain.digests[3], same_hash=False)
    first, *_, again = chain.digests[3].document["logFiles"]
    assert first["s3Object"] == again["s3Object"]
    assert first["hashValue"] != again["hashValue"]


@pytest.mark.parametrize(("label", "expected"), [(None, "X"), ("SHA256withRSA", "SHA256withRSA")])
def test_the_label_of_an_unknown_algorithm_agrees_or_not(
    world: World, chain: Chain, label: str | None, expected: str
) -> None:
    digest = attacks.unknown_signature_algorithm(
        world, chain, chain.digests[3], algorithm="X", label=label
    )
    assert world.objects[digest.address].metadata["signature-algorithm"] == expected
    follower = world.objects[chain.digests[4].address]
    assert follower.metadata["signature-algorithm"] == "SHA256withRSA"


def test_a_digest_can_lack_its_log_files(world: World, chain: Chain) -> None:
    attacks.without_log_files(world, chain, chain.digests[3])
    assert "logFiles" not in chain.digests[3].document
    with pytest.raises(KeyError, match="logFiles"):
        check_digest(world, chain.digests[3])


def test_a_digest_can_name_another_object_too(world: World, chain: Chain) -> None:
    insight = attacks.plant_insight(world, chain, newest=chain.digests[3].start)
    attacks.name_also(world, chain, chain.digests[3], insight)
    named = [entry["s3Object"] for entry in chain.digests[3].document["logFiles"]]
    assert named[-1] == insight[1]
    assert check_links(world, chain.digests) == 8


def test_only_what_the_chain_notes_is_signed_again(world: World, chain: Chain) -> None:
    stale = chain.digests[3]
    attacks.resign(world, chain, stale, newestEventTime=None)
    with pytest.raises(ValueError, match="notes it otherwise"):
        attacks.resign(world, chain, stale, newestEventTime=None)
