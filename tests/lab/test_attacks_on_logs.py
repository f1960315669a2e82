"""Each attack on a log file changes exactly what its sentence says."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrity.lab import attacks
from integrity.lab.world import Chain, World
from tests.lab.witness import changed, check_digest, inflated

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


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
