"""Each attack that plants adds exactly what its sentence says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from integrity.lab import attacks
from integrity.lab.world import Chain, World
from tests.lab.witness import changed

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


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
