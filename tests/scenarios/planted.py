"""What is put there by somebody who is not CloudTrail, and names that lead astray."""

from __future__ import annotations

from integrity.lab import attacks
from integrity.lab.objects import StoredObject
from tests.scenarios.chains import NAME_CONFUSED, sibling_trail
from tests.scenarios.stage import (
    HOUR,
    MINUTE,
    START,
    Difference,
    Scenario,
    Stage,
    U,
    V,
    X,
    log,
    window,
)

NO_LISTING = Difference(
    why="it never lists log files (AWS documents that it ignores those that no digest names)"
)
STAMP_BELIEVED = Difference(
    why="its listing ends at the planted name, and what comes later is never looked at"
)
WHEN = START + 5 * HOUR + 22 * MINUTE


def forged(stage: Stage) -> None:
    attacks.plant_log(stage.world, stage.chain, newest=WHEN, last_modified=WHEN + 6 * MINUTE)


def forged_months_later(stage: Stage) -> None:
    attacks.plant_log(stage.world, stage.chain, newest=WHEN, last_modified=stage.world.now)


def forged_beside_junk(stage: Stage) -> None:
    attacks.plant_log_beside_junk(stage.world, stage.chain, newest=WHEN)


def future_stamp(stage: Stage) -> None:
    attacks.plant_future(stage.world, stage.chain, day=START)


def future_stamp_hides_an_edit(stage: Stage) -> None:
    future_stamp(stage)
    attacks.edit_log(stage.world, log(stage, 48))


def junk(stage: Stage, hour: float) -> None:
    """Junk under the trail's own name, for an hour that its digests cover."""
    attacks.plant_digest(stage.world, stage.chain, end=START + HOUR * hour, trail="main")


def junk_at_the_head(stage: Stage) -> None:
    window(stage, 0, 23.75)
    junk(stage, 24.5)


def backfill_junk(stage: Stage) -> None:
    chain = stage.chain
    key = chain.place.digest_key(
        account_id=chain.account_id,
        region=chain.region,
        trail=stage.trail.name,
        home_region=stage.trail.home_region,
        end=START + HOUR * 8,
        backfill=True,
    )
    stage.world.objects[chain.bucket, key] = StoredObject(b"junk", stage.world.now)


def sibling_stands_in(stage: Stage) -> None:
    """All of this trail's digests are garbage; those of a trail named alike are whole."""
    sibling_trail(stage)
    attacks.garble_digests(stage.world, stage.chain.digests)


def wrong_name(stage: Stage) -> None:
    stage.trail_name = "mian"


PLANTED = [
    Scenario("forged log", forged, ("log_unreferenced",), U, NO_LISTING),
    Scenario(
        "forged log, planted months later under an old name",
        forged_months_later,
        ("log_unreferenced",),
        U,
        NO_LISTING,
    ),
    Scenario(
        "forged log beside a made-up trail's junk digest",
        forged_beside_junk,
        ("log_unreferenced",),
        U,
        NO_LISTING,
    ),
    Scenario("junk among the digests", lambda s: junk(s, 7.5), ("digest_foreign",), V),
    Scenario("junk for a backfill digest", backfill_junk, ("digest_malformed",), X),
    Scenario(
        "junk after the newest digest",
        junk_at_the_head,
        ("digest_foreign",),
        V,
        Difference(why="it begins at the newest name, whoever chose it", status=1),
    ),
    Scenario("digest stamped 9999", future_stamp, ("digest_foreign",), V, STAMP_BELIEVED),
    Scenario(
        "digest stamped 9999, a log edited later",
        future_stamp_hides_an_edit,
        ("digest_foreign", "log_hash_mismatch"),
        X,
        STAMP_BELIEVED,
    ),
    Scenario(
        "sibling trail's digests stand in for ours",
        sibling_stands_in,
        ("digest_malformed",) * 26,
        X,
        NAME_CONFUSED,
        made={"hours": 25},
    ),
    Scenario(
        "wrong trail name",
        wrong_name,
        ("no_digests",),
        U,
        Difference(why="nothing found is success to it"),
        witness=False,
    ),
]
