"""What is taken away: digests, one or many, with or without their log files, and ends of chains."""

from __future__ import annotations

from integrity.lab import attacks
from integrity.lab.objects import LabDigest
from tests.scenarios.chains import (
    AFTER_A_FIRST_DIGEST,
    GAP_IS_SUCCESS,
    bucket_switched,
    prefix_changed,
)
from tests.scenarios.digests import backfilled
from tests.scenarios.stage import (
    HOUR,
    START,
    Difference,
    Scenario,
    Stage,
    U,
    X,
    both,
    digest,
    restart,
    window,
)

NO_COUNT = Difference(
    why="it reports the named digest alone, and jumps to the next one that exists", status=1
)
NO_HEAD = Difference(
    why="it takes the listing for the whole truth: what is cut off at the end never was"
)
NEWER_PREFIX = Difference(
    why="after a digest that is gone it looks for older ones under the newer prefix alone", status=1
)


def laundered(stage: Stage) -> None:
    restart(stage, stop=26, hour=29)
    attacks.launder_gap(stage.world, stage.chain, 3)


def hidden(stage: Stage) -> None:
    attacks.hide_hour_under_starting_digest(stage.world, stage.chain)
    stage.end = START + HOUR * 28


def deleted_before_bucket_switch(stage: Stage) -> None:
    bucket_switched(stage)
    attacks.delete_digests(stage.world, stage.chain.digests[8:11])


def one_deleted_before_bucket_switch(stage: Stage) -> None:
    bucket_switched(stage, prefix="")
    attacks.delete_digest(stage.world, digest(stage))


def deleted_before_prefix_change(stage: Stage) -> None:
    prefix_changed(stage)
    attacks.delete_digest(stage.world, digest(stage))


def older_bucket_gone(stage: Stage) -> None:
    older = stage.trail.bucket
    bucket_switched(stage)
    for address in [address for address in stage.world.objects if address[0] == older]:
        del stage.world.objects[address]
    del stage.world.buckets[older]


def restarted_within_the_hour(stage: Stage) -> LabDigest:
    """The old chain's last digest: it ends after the new chain's first."""
    restart(stage, stop=26.25, hour=26.5)
    return next(one for one in stage.chain.digests if one.end == START + HOUR * 27)


def backfill_gone(stage: Stage, number: int) -> None:
    backfilled(stage)
    attacks.delete_digest(stage.world, stage.chain.backfills[number])


DELETIONS = [
    Scenario(
        "digest deleted",
        lambda s: attacks.delete_digest(s.world, digest(s)),
        ("digest_missing",),
        X,
    ),
    Scenario(
        "digest deleted with its logs",
        lambda s: attacks.delete_digest(s.world, digest(s), with_logs=True),
        ("digest_missing",),
        X,
    ),
    Scenario(
        "oldest digest deleted",
        both(lambda s: window(s, 4, 24), lambda s: attacks.delete_oldest(s.world, s.chain, 5)),
        ("digest_missing",),
        X,
    ),
    Scenario(
        "oldest digests of the window deleted",
        lambda s: attacks.delete_oldest(s.world, s.chain, 5),
        ("chain_gap", "digest_missing"),
        X,
    ),
    Scenario(
        "digest deleted before the bucket changed",
        one_deleted_before_bucket_switch,
        ("digest_missing",),
        X,
    ),
    Scenario(
        "digests deleted before bucket and prefix changed",
        deleted_before_bucket_switch,
        ("digest_missing",) * 3,
        X,
        NEWER_PREFIX,
    ),
    Scenario(
        "digest deleted before the prefix changed",
        deleted_before_prefix_change,
        ("digest_missing",),
        X,
        NEWER_PREFIX,
    ),
    Scenario(
        "older bucket deleted",
        older_bucket_gone,
        ("chain_gap", "digest_missing"),
        X,
        Difference(
            why="it stops at a bucket that is no more, and sums nothing up",
            status=255,
        ),
    ),
    Scenario(
        "two digests deleted in a row",
        lambda s: attacks.delete_digests(s.world, s.chain.digests[8:10]),
        ("digest_missing",) * 2,
        X,
        NO_COUNT,
    ),
    Scenario(
        "five digests deleted in a row, their logs replaced",
        lambda s: attacks.replace_logs_under(s.world, s.chain.digests[8:13]),
        ("digest_missing",) * 5,
        X,
        NO_COUNT,
    ),
    Scenario(
        "newest digests deleted",
        lambda s: attacks.delete_newest(s.world, s.chain, 6),
        ("head_rewound",),
        X,
        NO_HEAD,
    ),
    Scenario(
        "newest digests deleted, nobody to ask",
        lambda s: attacks.delete_newest(s.world, s.chain, 6),
        ("head_stale",),
        U,
        NO_HEAD,
        witness=False,
    ),
    Scenario(
        "head cut by one hour in a past window",
        both(lambda s: window(s, 0, 26), lambda s: attacks.cut_head(s.world, s.chain, 1)),
        ("head_stale",),
        U,
        NO_HEAD,
        witness=False,
    ),
    Scenario(
        "newest digests of a past window deleted, later ones there",
        both(
            lambda s: window(s, 0, 20),
            lambda s: attacks.delete_digests(s.world, s.chain.digests[20:22]),
        ),
        ("digest_missing",) * 2,
        X,
        NO_HEAD,
    ),
    Scenario(
        "all digests deleted",
        lambda s: attacks.delete_all(s.world, s.chain),
        ("head_rewound",),
        X,
        NO_HEAD,
    ),
    Scenario(
        "all digests deleted, nobody to ask",
        lambda s: attacks.delete_all(s.world, s.chain),
        ("no_digests",),
        U,
        NO_HEAD,
        witness=False,
    ),
    Scenario(
        "gap laundered by a restart",
        laundered,
        ("chain_gap",),
        U,
        GAP_IS_SUCCESS,
    ),
    Scenario(
        "last digest deleted, restart within the hour",
        lambda s: attacks.delete_digest(s.world, restarted_within_the_hour(s), with_logs=True),
        ("chain_gap",),
        U,
        AFTER_A_FIRST_DIGEST,
    ),
    Scenario(
        "last digest edited, restart within the hour",
        lambda s: attacks.edit_digest(s.world, restarted_within_the_hour(s)),
        ("digest_signature_invalid",),
        X,
        AFTER_A_FIRST_DIGEST,
    ),
    Scenario(
        "hour hidden under a starting digest",
        hidden,
        ("chain_gap",),
        U,
        Difference(why="it takes the empty hour of a starting digest for covered"),
    ),
    Scenario(
        "backfill digest deleted that another one names",
        lambda s: backfill_gone(s, 0),
        ("digest_missing",),
        X,
    ),
    Scenario(
        "newest backfill digest deleted",
        lambda s: backfill_gone(s, 1),
        ("log_unreferenced",) * 2,
        U,
        Difference(why="it lists no log files: those that only this digest named are nobody's"),
    ),
]
