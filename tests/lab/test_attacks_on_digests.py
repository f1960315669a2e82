"""Each attack on a digest changes exactly what its sentence says."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature

from integrity.lab import attacks
from integrity.lab.world import Chain, World
from tests.lab.witness import changed, check_digest, inflated, whole_member

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_edited_digest_keeps_its_signature(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    digest = chain.digests[3]
    attacks.edit_digest(world, digest)
    assert changed(before, world) == {digest.address}
    assert json.loads(world.objects[digest.address].content)["logFiles"] == []
    assert world.objects[digest.address].metadata == before[digest.address].metadata
    with pytest.raises(InvalidSignature):
        check_digest(world, digest)


BROKEN: dict[attacks.Malformation, tuple[type[Exception], ...]] = {
    "not-gzip": (zlib.error,),
    "cut": (AssertionError,),
    "not-json": (json.JSONDecodeError,),
    "not-utf-8": (UnicodeDecodeError,),
    "not-an-object": (TypeError,),
    "wrong-types": (InvalidSignature,),
    "missing-field": (KeyError,),
    "duplicate-field": (InvalidSignature,),
    "deep": (RecursionError,),
    "bomb": (json.JSONDecodeError,),
    "empty": (AssertionError,),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_malformed_digest_is_broken_where_it_says(
    world: World, chain: Chain, how: attacks.Malformation
) -> None:
    before = dict(world.objects)
    attacks.malform_digest(world, chain.digests[3], how)
    assert changed(before, world) == {chain.digests[3].address}
    with pytest.raises(BROKEN[how]):
        check_digest(world, chain.digests[3])


def test_a_moved_digest_is_gone_from_its_place(world: World, chain: Chain) -> None:
    digest = chain.digests[3]
    before = dict(world.objects)
    attacks.move_digest(world, digest, key="elsewhere.json.gz")
    assert changed(before, world) == {digest.address, (digest.bucket, "elsewhere.json.gz")}
    assert world.objects[digest.bucket, "elsewhere.json.gz"].body == before[digest.address].body


def test_a_replayed_digest_lies_over_another(world: World, chain: Chain) -> None:
    one, over = chain.digests[3:5]
    attacks.replay_digest(world, one, over=over)
    assert world.objects[over.address].body == world.objects[one.address].body
    with pytest.raises(AssertionError):
        check_digest(world, over)


METADATA_ATTACKS: dict[str, tuple[Callable[[World, Chain], None], dict[str, str | None]]] = {
    "unsigned": (
        lambda w, c: attacks.unsign_digest(w, c.digests[3]),
        {"signature": None, "signature-algorithm": None},
    ),
    "without signature": (
        lambda w, c: attacks.unsign_digest(w, c.digests[3], drop=["signature"]),
        {"signature": None},
    ),
    "not hex": (
        lambda w, c: attacks.bad_signature_hex(w, c.digests[3]),
        {"signature": "zz…"},
    ),
    "spaced": (
        lambda w, c: attacks.bad_signature_hex(w, c.digests[3], text="ab cd"),
        {"signature": "ab cd"},
    ),
    "relabelled": (
        lambda w, c: attacks.relabel_algorithm(w, c.digests[3]),
        {"signature-algorithm": "SHA512withRSA"},
    ),
}


@pytest.mark.parametrize("name", METADATA_ATTACKS)
def test_an_act_on_metadata_leaves_the_body(world: World, chain: Chain, name: str) -> None:
    act, expected = METADATA_ATTACKS[name]
    before = dict(world.objects)
    act(world, chain)
    address = chain.digests[3].address
    assert changed(before, world) == {address}
    assert world.objects[address].body == before[address].body
    was, now = before[address].metadata, world.objects[address].metadata
    assert {key for key in {*was, *now} if was.get(key) != now.get(key)} == set(expected)
    for key, text in expected.items():
        assert now.get(key) == (text.replace("…", was[key][2:]) if text else None)


def test_a_wrong_signature_is_well_formed(world: World, chain: Chain) -> None:
    attacks.wrong_signature(world, chain.digests[3])
    assert len(bytes.fromhex(world.objects[chain.digests[3].address].metadata["signature"])) == 256
    with pytest.raises(InvalidSignature):
        check_digest(world, chain.digests[3])


@pytest.mark.parametrize(
    ("own", "error"), [(True, KeyError), (False, InvalidSignature)], ids=["named", "claimed"]
)
def test_a_foreign_key_is_unknown_or_does_not_fit(
    world: World, chain: Chain, *, own: bool, error: type[Exception]
) -> None:
    before = dict(world.objects)
    attacks.foreign_key(world, chain.digests[3], own_fingerprint=own)
    assert changed(before, world) == {chain.digests[3].address}
    with pytest.raises(error):
        check_digest(world, chain.digests[3])


def test_bytes_behind_a_digest_leave_it_readable(world: World, chain: Chain) -> None:
    attacks.append_to_digest(world, chain.digests[3])
    attacks.second_member_on_digest(world, chain.digests[4])
    for digest in chain.digests[3:5]:
        body = world.objects[digest.address].body
        assert inflated(body, members=1) == digest.body_json
        with pytest.raises(AssertionError):
            whole_member(body)


def test_a_tampered_backfill_and_one_without_its_time(world: World, chain: Chain) -> None:
    backfill = chain.backfills[0]
    attacks.untime_backfill(world, backfill)
    assert set(world.objects[backfill.address].metadata) == {"signature", "signature-algorithm"}
    check_digest(world, backfill)
    attacks.tamper_backfill(world, backfill)
    with pytest.raises(InvalidSignature):
        check_digest(world, backfill)


def test_garbled_digests_have_no_signature(world: World, chain: Chain) -> None:
    attacks.garble_digests(world, chain.digests)
    assert {world.objects[d.address].body for d in chain.digests} == {b"garbage"}
    assert all(world.objects[d.address].metadata == {} for d in chain.digests)
