"""What happens to a chain without anybody's ill will: most of it is nobody's finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from integrity.lab import attacks
from tests.scenarios.stage import (
    DAY,
    HOUR,
    MINUTE,
    START,
    Difference,
    Scenario,
    Stage,
    U,
    V,
    both,
    digest,
    log,
    nothing,
    restart,
    window,
)

ORGANIZATION = "o-a1b2c3d4e5"

NAME_CONFUSED = Difference(
    why="its pattern for this trail's names matches the other trail's, whose chain it follows"
)
AFTER_A_FIRST_DIGEST = Difference(
    why="after a chain's first digest it goes on to the next older name, and so never looks at the "
    "old chain's last digest, which ended a little later"
)
GAP_IS_SUCCESS = Difference(
    why="it states that no log files were delivered in the gap, and calls it success"
)
NEVER_ASKS = Difference(
    why="it never asks whether the trail logs, nor until when there should be digests"
)
GIVES_UP = Difference(
    why="it stops at the first object that it may not read, and sums nothing up", status=255
)


def bucket_switched(stage: Stage, *, prefix: str = "moved") -> None:
    stage.world.switch_bucket(stage.chain, bucket="new-logs", prefix=prefix)
    stage.world.continue_chain(stage.chain, hours=6)
    stage.end = START + HOUR * 30


def prefix_changed(stage: Stage) -> None:
    stage.world.switch_bucket(stage.chain, bucket=stage.trail.bucket, prefix="moved")
    stage.world.continue_chain(stage.chain, hours=6)
    stage.end = START + HOUR * 30


def rotated(stage: Stage) -> None:
    stage.world.rotate_key("us-east-1", at=START + HOUR * 26)
    stage.world.continue_chain(stage.chain, hours=10)
    stage.end = START + HOUR * 33


def other_trail(stage: Stage) -> None:
    other = stage.world.add_trail(name="other")
    stage.world.run_chain(other, region="us-east-1", start=START + 17 * MINUTE, hours=26)


def other_trail_tampered(stage: Stage) -> None:
    other_trail(stage)
    attacks.garble_digests(stage.world, stage.world.chains[1].digests[4:5])


def sibling_trail(stage: Stage) -> None:
    """A trail whose name goes on like this trail's."""
    sibling = stage.world.add_trail(name="main_us-east-1_b")
    stage.world.run_chain(sibling, region="us-east-1", start=START, hours=24)


def unsigned_neighbour(stage: Stage) -> None:
    """AWS documents several trails in one bucket; this one signs nothing."""
    other = stage.world.add_trail(name="other", validation=False)
    stage.world.run_chain(other, region="us-east-1", start=START, hours=6)


def stopped(stage: Stage) -> None:
    stage.world.stop_chain(stage.chain)
    window(stage, 0, 30)


def stopped_by(stage: Stage, call: str) -> None:
    """The chain is ended in mid-hour by a call, which its last log file records."""
    stage.world.stop_chain(stage.chain, stop=START + HOUR * 26.5, by=call)
    window(stage, 0, 30)


def call_and_silence(stage: Stage, **said: Any) -> None:
    """A call that ends nothing is the last but one thing that the chain's log files record."""
    stage.world.call(stage.chain, "StopLogging", at=START + HOUR * 26.4, **said)
    stopped_by(stage, "")


def recreated(stage: Stage, *, stop_is_known: bool) -> None:
    """The trail goes on in another bucket, hours later, with a chain that knows of no other."""
    world, trail = stage.world, stage.trail
    world.stop_chain(stage.chain)
    trail.place = replace(trail.place, bucket="new-logs")
    world.add_bucket("new-logs", region=trail.home_region, owner=trail.account_id)
    stage.chain = world.run_chain(trail, start=START + HOUR * 30, hours=4)
    if not stop_is_known:
        world.status(trail, "us-east-1").stop_logging_time = None
    window(stage, 22, 33)


def ends_now(stage: Stage) -> None:
    """Twenty minutes past the hour, as the schedule has it."""
    stage.world.now = START + timedelta(hours=24, minutes=20)
    forget_the_future(stage)
    stage.end = stage.world.now


def ends_tomorrow(stage: Stage) -> None:
    stage.end = stage.world.now + DAY


def forget_the_future(stage: Stage) -> None:
    for address, stored in list(stage.world.objects.items()):
        if stored.last_modified > stage.world.now:
            del stage.world.objects[address]
    stage.world.note_deliveries(stage.chain)


def redelivered_late(stage: Stage) -> None:
    """The digest of the hour before last comes only tomorrow; its successor is there."""
    ends_now(stage)
    stage.world.redeliver(stage.chain, digest(stage, 21), at=START + DAY * 2)


def redelivered(stage: Stage) -> None:
    stage.world.redeliver(stage.chain, digest(stage, 10), at=START + timedelta(hours=25, minutes=5))


def markers(stage: Stage) -> None:
    attacks.plant_insight(stage.world, stage.chain, newest=START + HOUR * 5)
    attacks.plant_folder_markers(stage.world, stage.chain, at=START)


def denied(stage: Stage) -> None:
    stage.denied = log(stage).key


def gap_allowed(stage: Stage) -> None:
    restart(stage, stop=26, hour=29)
    stage.allow_gaps = True


CHAINS = [
    Scenario("clean", nothing, (), V),
    Scenario("clean, under a nested prefix", nothing, (), V, made={"prefix": "a/b/c"}),
    Scenario(
        "clean, an organization's trail", nothing, (), V, made={"organization_id": ORGANIZATION}
    ),
    Scenario("clean, another source region", nothing, (), V, made={"region": "eu-west-1"}),
    Scenario("clean, empty hours", nothing, (), V, made={"empty_hours": range(3, 9)}),
    Scenario("clean, late logs", nothing, (), V, made={"late_hours": (5, 23, 24)}),
    Scenario("clean, a chain that is older", nothing, (), V, made={"begin": "linked"}),
    Scenario("clean, slashes escaped", nothing, (), V, made={"escape_slashes": True}),
    Scenario("window inside", lambda s: window(s, 5.5, 9.2), (), V),
    Scenario("window ends now", ends_now, (), V),
    Scenario("window ends tomorrow", both(ends_now, ends_tomorrow), (), V),
    Scenario("begins in the window", lambda s: window(s, -20, 24), (), V),
    Scenario("key rotation", rotated, (), V),
    Scenario("bucket changed", lambda s: bucket_switched(s, prefix=""), (), V),
    Scenario("prefix changed", prefix_changed, (), V),
    Scenario("bucket and prefix changed", bucket_switched, (), V),
    Scenario("another trail in the bucket", other_trail, (), V),
    Scenario("another trail in the bucket, tampered with", other_trail_tampered, (), V),
    Scenario(
        "another trail whose name goes on like this trail's",
        sibling_trail,
        (),
        V,
        NAME_CONFUSED,
        made={"hours": 25},
    ),
    Scenario("a second trail without validation", unsigned_neighbour, ("log_unreferenced",), V),
    Scenario("markers and Insight files beside", markers, (), V),
    Scenario(
        "restart within the hour",
        lambda s: restart(s, stop=26.25, hour=26.5),
        (),
        V,
        AFTER_A_FIRST_DIGEST,
    ),
    Scenario(
        "restart within the hour, after a whole one",
        lambda s: restart(s, stop=26, hour=26.5),
        ("chain_gap",),
        U,
        GAP_IS_SUCCESS,
    ),
    Scenario(
        "restart hours later",
        lambda s: restart(s, stop=26, hour=29),
        ("chain_gap",),
        U,
        GAP_IS_SUCCESS,
    ),
    Scenario("restart hours later, gaps allowed", gap_allowed, ("chain_gap",), U),
    Scenario(
        "logging stopped",
        stopped,
        ("head_stale", "trail_off"),
        U,
        NEVER_ASKS,
    ),
    Scenario(
        "logging stopped in mid-hour",
        lambda s: stopped_by(s, "StopLogging"),
        ("trail_off",),
        U,
        NEVER_ASKS,
    ),
    Scenario(
        "logging stopped in mid-hour, nobody to ask",
        lambda s: stopped_by(s, "StopLogging"),
        (),
        V,
        witness=False,
    ),
    Scenario(
        "call that failed, and then silence",
        lambda s: call_and_silence(s, error="AccessDenied"),
        ("head_stale",),
        U,
        NEVER_ASKS,
        witness=False,
    ),
    Scenario(
        "another trail stopped, and then silence",
        lambda s: call_and_silence(s, request={"name": "other"}),
        ("head_stale",),
        U,
        NEVER_ASKS,
        witness=False,
    ),
    Scenario(
        "stopped, and started in another bucket",
        lambda s: recreated(s, stop_is_known=True),
        ("chain_gap",),
        U,
        Difference(why="it says nothing of the time before a chain's first digest"),
    ),
    Scenario("created anew in another bucket", lambda s: recreated(s, stop_is_known=False), (), V),
    Scenario(
        "digest redelivered late",
        redelivered_late,
        ("digest_late",),
        U,
        Difference(why="it knows no grace: what is not there yet is `not found`", status=1),
    ),
    Scenario("digest redelivered", redelivered, (), V),
    Scenario(
        "log archived",
        lambda s: attacks.archive(s.world, log(s).address),
        ("object_unreadable",),
        U,
        GIVES_UP,
    ),
    Scenario(
        "digest archived",
        lambda s: attacks.archive(s.world, digest(s).address),
        ("object_unreadable",),
        U,
        GIVES_UP,
    ),
    Scenario(
        "log that may not be read",
        denied,
        ("object_unreadable",),
        U,
        GIVES_UP,
    ),
]
