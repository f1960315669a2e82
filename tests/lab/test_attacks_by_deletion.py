"""Each attack that deletes takes exactly what its sentence says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integrity.lab import attacks
from integrity.lab.world import Chain, World
from tests.lab.witness import changed, check_digest

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


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
