"""Each attack changes exactly what its sentence says, and nothing else of the world."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from integrity.lab import attacks
from integrity.lab.objects import Address, StoredObject
from integrity.lab.world import Chain, World
from tests.lab.witness import check_digest, check_links, whole_member

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    world = World(seed=3)
    chain = world.run_chain(world.add_trail(), start=START, hours=8)
    world.backfill(chain, end=START + 4 * HOUR, generated_at=START + timedelta(days=3))
    return world


@pytest.fixture
def chain(world: World) -> Chain:
    return world.chains[0]


Objects = dict[Address, StoredObject]


def changed(before: Objects, world: World) -> set[Address]:
    """The addresses whose object came, went or is another than before."""
    both = {*before, *world.objects}
    return {at for at in both if before.get(at) != world.objects.get(at)}


LOG_ATTACKS: dict[str, tuple[Callable[[World, Chain], None], bool]] = {
    # name: (the act on the chain's sixth log file, whether its content stays the same)
    "edit": (lambda w, c: attacks.edit_log(w, c.log_files[5]), False),
    "recompress": (lambda w, c: attacks.recompress_log(w, c.log_files[5]), True),
    "plain": (lambda w, c: attacks.plain_log(w, c.log_files[5]), True),
    "append": (lambda w, c: attacks.append_to_log(w, c.log_files[5]), True),
    "member": (lambda w, c: attacks.second_member(w, c.log_files[5]), True),
    "more": (lambda w, c: attacks.second_member(w, c.log_files[5], content=b"{}"), True),
    "crc": (lambda w, c: attacks.wrong_crc(w, c.log_files[5]), True),
    "trailer": (lambda w, c: attacks.cut_trailer(w, c.log_files[5]), True),
    "empty": (lambda w, c: attacks.empty_log(w, c.log_files[5]), False),
    "bomb": (lambda w, c: attacks.bomb_log(w, c.log_files[5], inflated_bytes=3 << 20), False),
}


@pytest.mark.parametrize("name", LOG_ATTACKS)
def test_an_act_on_a_log_file_touches_that_one(world: World, chain: Chain, name: str) -> None:
    act, _ = LOG_ATTACKS[name]
    before = dict(world.objects)
    act(world, chain)
    assert changed(before, world) == {chain.log_files[5].address}
    assert world.objects[chain.log_files[5].address].last_modified == world.now
    named = next(d for d in chain.digests if chain.log_files[5] in d.log_files)
    if name == "recompress":
        check_digest(world, named)
    else:
        with pytest.raises((AssertionError, zlib.error)):
            check_digest(world, named)


@pytest.mark.parametrize("name", LOG_ATTACKS)
def test_an_act_on_the_wrapper_leaves_the_content(world: World, chain: Chain, name: str) -> None:
    act, same = LOG_ATTACKS[name]
    address = chain.log_files[5].address
    content = world.objects[address].content
    act(world, chain)
    body = world.objects[address].body
    lenient = body if name == "plain" else inflated(body, members=2 if name == "member" else 1)
    assert (lenient == content) == same


def inflated(body: bytes, *, members: int) -> bytes:
    """What a careless reader gets from so many members: no end, no checksum looked at."""
    content = b""
    for _ in range(members):
        stream = zlib.decompressobj(-15)
        content += stream.decompress(body[10:])
        body = stream.unused_data[8:]
    return content


def test_a_bomb_is_as_big_as_was_asked_for(world: World, chain: Chain) -> None:
    attacks.bomb_log(world, chain.log_files[0], inflated_bytes=(2 << 20) + 5)
    assert world.objects[chain.log_files[0].address].content == bytes((2 << 20) + 5)


def test_an_edited_log_file_is_still_one_and_names_another_culprit(
    world: World, chain: Chain
) -> None:
    before = json.loads(world.objects[chain.log_files[0].address].content)["Records"]
    attacks.edit_log(world, chain.log_files[0])
    after = json.loads(world.objects[chain.log_files[0].address].content)["Records"]
    assert after[0]["userIdentity"]["userName"] == "nobody"
    assert after[1:] == before[1:]


def test_a_wrong_checksum_is_all_that_is_wrong(world: World, chain: Chain) -> None:
    attacks.wrong_crc(world, chain.log_files[0])
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        _ = world.objects[chain.log_files[0].address].content


def test_swapped_log_files_have_each_others_content(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    one, other = chain.log_files[:2]
    attacks.swap_logs(world, one, other)
    assert changed(before, world) == {one.address, other.address}
    assert world.objects[one.address].body == before[other.address].body
    assert world.objects[other.address].body == before[one.address].body


def test_an_archived_object_keeps_its_time_unless_it_was_put_again(
    world: World, chain: Chain
) -> None:
    kept, again = chain.log_files[:2]
    attacks.archive(world, kept.address)
    attacks.archive(world, again.address, put_again=True)
    assert world.objects[kept.address].last_modified == kept.last_modified
    assert world.objects[again.address].last_modified == world.now
    assert {world.objects[log.address].storage_class for log in (kept, again)} == {"GLACIER"}


def test_deletions_take_what_they_say(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    attacks.delete_log(world, chain.log_files[0])
    attacks.delete_digest(world, chain.digests[2])
    attacks.delete_digests(world, chain.digests[3:5], with_logs=True)
    gone = {chain.log_files[0].address, chain.digests[2].address}
    for digest in chain.digests[3:5]:
        gone |= {digest.address, *(log.address for log in digest.log_files)}
    assert changed(before, world) == gone
    assert not gone & set(world.objects)


def test_both_ends_and_everything_can_be_deleted(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    attacks.delete_newest(world, chain, 2)
    attacks.delete_oldest(world, chain)
    expected = {d.address for d in (chain.digests[0], *chain.digests[-2:])}
    assert changed(before, world) == expected
    world.objects.update(before)
    attacks.delete_all(world, chain)
    assert changed(before, world) == {d.address for d in (*chain.digests, *chain.backfills)}


def test_a_cut_head_leaves_nothing_of_its_hours(world: World, chain: Chain) -> None:
    attacks.cut_head(world, chain, 2)
    end = chain.digests[-3].end
    left = [
        at
        for at, stored in world.objects.items()
        if end < stored.last_modified < START + 2 * 12 * HOUR
    ]
    assert left == [chain.digests[-3].address]


def test_a_deleted_backfill_takes_its_log_files(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    backfill = chain.backfills[0]
    attacks.delete_backfill(world, backfill)
    assert changed(before, world) == {
        backfill.address,
        *(log.address for log in backfill.log_files),
    }


def test_replaced_log_files_lie_under_deleted_digests(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    victims = chain.digests[3:5]
    attacks.replace_logs_under(world, victims)
    logs = {log.address for digest in victims for log in digest.log_files}
    assert changed(before, world) == logs | {digest.address for digest in victims}
    assert logs < set(world.objects)


def test_a_laundered_gap_takes_the_old_parts_last_hours(world: World, chain: Chain) -> None:
    old = chain.digests[-1]
    world.restart_chain(chain, start=old.end + 5 * HOUR, hours=2)
    before = dict(world.objects)
    attacks.launder_gap(world, chain)
    assert changed(before, world) == {old.address, *(log.address for log in old.log_files)}


def test_a_starting_digest_can_be_laid_over_a_deleted_hour(world: World, chain: Chain) -> None:
    victim = attacks.hide_hour_under_starting_digest(world, chain)
    assert victim.address not in world.objects
    cover = next(d for d in chain.digests if d.starting and d.start > START)
    assert cover.log_files == ()
    assert cover.start - victim.start == timedelta(minutes=1)
    check_digest(world, cover)


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


def test_a_planted_log_file_is_well_made_and_named_by_nobody(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    newest = START + timedelta(hours=2, minutes=31)
    address = attacks.plant_log(world, chain, newest=newest)
    assert changed(before, world) == {address}
    assert (
        "/CloudTrail/us-east-1/2026/03/01/111122223333_CloudTrail_us-east-1_20260301T0235Z_"
        in (address[1])
    )
    assert world.objects[address].last_modified == newest + timedelta(minutes=5)
    assert len(json.loads(world.objects[address].content)["Records"]) == 2
    assert address not in {log.address for log in chain.log_files}
    later = attacks.plant_log(world, chain, newest=newest, last_modified=world.now)
    assert later != address
    assert world.objects[later].last_modified == world.now


def test_junk_digests_have_well_made_names(world: World, chain: Chain) -> None:
    end = chain.digests[3].end
    address = attacks.plant_digest(world, chain, end=end)
    assert address[1] == chain.digests[3].key.replace("_main_", "_made-up_")
    assert world.objects[address].body == b"junk"


def test_a_planted_log_file_can_have_an_excuse(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    log = attacks.plant_log_beside_junk(world, chain, newest=START + timedelta(hours=2, minutes=31))
    junk = chain.bucket, chain.digests[3].key.replace("_main_", "_made-up_")
    assert changed(before, world) == {log, junk}


def test_the_future_is_planted_in_an_early_folder(world: World, chain: Chain) -> None:
    address = attacks.plant_future(world, chain, day=START, junk=chain.digests[1])
    assert address[1].endswith(
        "/2026/03/01/111122223333_CloudTrail-Digest_us-east-1_main_us-east-1_99991231T235959Z.json.gz"
    )
    assert world.objects[address].body == world.objects[chain.digests[1].address].body


def test_harmless_company(world: World, chain: Chain) -> None:
    before = dict(world.objects)
    insight = attacks.plant_insight(world, chain, newest=START + HOUR)
    markers = attacks.plant_folder_markers(world, chain, at=START)
    assert changed(before, world) == {insight, *markers}
    assert "/CloudTrail-Insight/us-east-1/" in insight[1]
    assert sorted(key.rpartition("/01")[2] for _, key in markers) == [
        "/",
        "/",
        "_$folder$",
        "_$folder$",
    ]
    assert all(world.objects[marker].body == b"" for marker in markers)


def test_garbled_digests_have_no_signature(world: World, chain: Chain) -> None:
    attacks.garble_digests(world, chain.digests)
    assert {world.objects[d.address].body for d in chain.digests} == {b"garbage"}
    assert all(world.objects[d.address].metadata == {} for d in chain.digests)


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


def test_every_attack_has_one_sentence_and_is_tested() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    for name in attacks.__all__:
        attack = getattr(attacks, name)
        if callable(attack) and hasattr(attack, "__doc__") and name[0].islower():
            assert attack.__doc__
            assert f"attacks.{name}" in tested, name
