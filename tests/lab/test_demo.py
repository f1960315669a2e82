"""The demo's world: a plausible day, and an attacker who does what is told of him and no more."""

from __future__ import annotations

from datetime import timedelta

from integrity.lab import demo
from integrity.lab.objects import Address
from integrity.lab.world import World


def objects_of(world: World) -> dict[Address, bytes]:
    return {address: stored.body for address, stored in world.objects.items()}


def test_a_day_in_two_regions_is_the_same_at_every_run_but_for_its_keys() -> None:
    one, other = demo.make_day(), demo.make_day()
    assert [chain.region for chain in one.chains] == list(demo.REGIONS)
    for chain in one.chains:
        assert [digest.end for digest in chain.digests] == [
            demo.START + timedelta(hours=hour) for hour in range(25)
        ]
        assert len(chain.log_files) == 22 * 4
    assert list(one.objects) == list(other.objects)


def test_every_act_names_exactly_what_it_did() -> None:
    world = demo.make_day()
    before = objects_of(world)
    acts = demo.let_loose(world)
    after = objects_of(world)
    changed = {
        f"s3://{bucket}/{key}"
        for bucket, key in before.keys() | after.keys()
        if before.get((bucket, key)) != after.get((bucket, key))
    }
    named = [uri for act in acts for uri in act.s3_uris]
    assert sorted(changed) == sorted(named)
    assert [len(act.s3_uris) for act in acts] == [1, 1, 2, 1, 3 + 3 * 4]
    for act in acts:
        assert all(f"/{act.region}/" in uri for uri in act.s3_uris)
        assert demo.START <= act.start < act.end <= demo.END
