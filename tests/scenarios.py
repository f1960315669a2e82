"""What can happen to a trail, one scenario a story: what is found, and what the AWS CLI says of it.

Each scenario makes a lab world of its own. `finds` are the reasons to be found, in the order of the
alphabet, and nothing else may be. `differs` says why the AWS CLI's verdict is another one; where it
is empty, both have to say the same of every object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from integrity.chain.findings import Outcome
from integrity.lab import attacks
from integrity.lab.estate import LabTrail
from integrity.lab.objects import LabDigest, LabLog
from integrity.lab.world import Chain, World

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NOW = START + 180 * DAY


@dataclass
class Stage:
    """A day of a trail, and the window that is verified."""

    world: World
    trail: LabTrail
    chain: Chain
    start: datetime = START
    end: datetime = START + DAY
    trail_name: str | None = None


@dataclass(frozen=True)
class Scenario:
    name: str
    play: Callable[[Stage], object]
    finds: tuple[str, ...]
    outcome: Outcome
    differs: str = ""
    made: dict[str, Any] = field(default_factory=dict)
    witness: bool = True

    def stage(self) -> Stage:
        world = World(seed=7, now=NOW)
        made = {"hours": 26, "logs_per_hour": 2} | self.made
        trail = world.add_trail(name="main", prefix=made.pop("prefix", ""))
        chain = world.run_chain(trail, region="us-east-1", start=START, **made)
        stage = Stage(world, trail, chain)
        self.play(stage)
        return stage


V, U, X = Outcome.VALID, Outcome.UNDETERMINED, Outcome.INVALID


def nothing(stage: Stage) -> None:
    """Nobody touches anything."""


def both(*acts: Callable[[Stage], object]) -> Callable[[Stage], object]:
    """One act after the other."""

    def play(stage: Stage) -> None:
        for act in acts:
            act(stage)

    return play


def log(stage: Stage, number: int = 11) -> LabLog:
    return stage.chain.log_files[number]


def digest(stage: Stage, number: int = 9) -> LabDigest:
    return stage.chain.digests[number]


def window(stage: Stage, first: float, last: float) -> None:
    stage.start, stage.end = START + HOUR * first, START + HOUR * last


def restart(stage: Stage, *, stop: float, hour: float, hours: int = 4) -> None:
    stage.world.restart_chain(
        stage.chain, stop=START + HOUR * stop, start=START + HOUR * hour, hours=hours
    )
    stage.end = START + HOUR * (hour + hours - 1)


def laundered(stage: Stage) -> None:
    restart(stage, stop=26, hour=29)
    attacks.launder_gap(stage.world, stage.chain, 3)


def hidden(stage: Stage) -> None:
    attacks.hide_hour_under_starting_digest(stage.world, stage.chain)
    stage.end = START + HOUR * 28


def bucket_switched(stage: Stage) -> None:
    stage.world.switch_bucket(stage.chain, bucket="new-logs", prefix="moved")
    stage.world.continue_chain(stage.chain, hours=6)
    stage.end = START + HOUR * 30


def bucket_switched_and_deleted(stage: Stage) -> None:
    bucket_switched(stage)
    attacks.delete_digests(stage.world, stage.chain.digests[8:11])


def rotated(stage: Stage) -> None:
    stage.world.rotate_key("us-east-1", at=START + HOUR * 26)
    stage.world.continue_chain(stage.chain, hours=10)
    stage.end = START + HOUR * 33


def backfilled(stage: Stage) -> LabDigest:
    late = stage.world.backfill(
        stage.chain, end=START + HOUR * 10, generated_at=START + timedelta(hours=25, minutes=10)
    )
    stage.world.backfill(
        stage.chain, end=START + HOUR * 8, generated_at=START + timedelta(hours=26, minutes=10)
    )
    return late


def tampered_backfill(stage: Stage) -> None:
    attacks.tamper_backfill(stage.world, backfilled(stage))


def backfill_log_gone(stage: Stage) -> None:
    attacks.delete_log(stage.world, backfilled(stage).log_files[0])


def untimed_backfill(stage: Stage) -> None:
    backfilled(stage)
    attacks.untime_backfill(stage.world, stage.chain.backfills[-1])


def other_trail(stage: Stage) -> None:
    other = stage.world.add_trail(name="other")
    stage.world.run_chain(other, region="us-east-1", start=START + timedelta(minutes=17), hours=26)


def other_trail_tampered(stage: Stage) -> None:
    other_trail(stage)
    attacks.garble_digests(stage.world, stage.world.chains[1].digests[4:5])


def sibling_trail(stage: Stage) -> None:
    """A trail whose name goes on like this trail's, and whose digests stand in for ours."""
    sibling = stage.world.add_trail(name="main_us-east-1_b")
    stage.world.run_chain(sibling, region="us-east-1", start=START, hours=24)
    attacks.garble_digests(stage.world, stage.chain.digests)


def unsigned_neighbour(stage: Stage) -> None:
    """AWS documents several trails in one bucket; this one signs nothing."""
    other = stage.world.add_trail(name="other", validation=False)
    stage.world.run_chain(other, region="us-east-1", start=START, hours=6)


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


def wrong_name(stage: Stage) -> None:
    stage.trail_name = "mian"


def named_twice(stage: Stage) -> None:
    attacks.log_named_twice(stage.world, stage.chain, digest(stage))


def future_stamp(stage: Stage) -> None:
    attacks.plant_future(stage.world, stage.chain, day=START)


def insight(stage: Stage) -> None:
    attacks.plant_insight(stage.world, stage.chain, newest=START + HOUR * 5)
    attacks.plant_folder_markers(stage.world, stage.chain, at=START)


def planted(stage: Stage) -> None:
    when = START + timedelta(hours=5, minutes=22)
    attacks.plant_log(
        stage.world, stage.chain, newest=when, last_modified=when + timedelta(minutes=6)
    )


def planted_months_later(stage: Stage) -> None:
    when = START + timedelta(hours=5, minutes=22)
    attacks.plant_log(stage.world, stage.chain, newest=when, last_modified=stage.world.now)


def planted_beside_junk(stage: Stage) -> None:
    attacks.plant_log_beside_junk(
        stage.world, stage.chain, newest=START + timedelta(hours=5, minutes=22)
    )


NO_LISTING = "it never lists log files (AWS documents that it ignores those that no digest names)"
NO_HEAD = "it takes the listing for the whole truth: what is cut off at the end never was"
NO_COUNT = "it reports the named digest alone, and jumps to the next one that exists"

SCENARIOS = [
    Scenario("clean", nothing, (), V),
    Scenario("clean, under a nested prefix", nothing, (), V, made={"prefix": "a/b/c"}),
    Scenario("clean, empty hours", nothing, (), V, made={"empty_hours": range(3, 9)}),
    Scenario("clean, late logs", nothing, (), V, made={"late_hours": (5, 23, 24)}),
    Scenario("clean, a chain that is older", nothing, (), V, made={"begin": "linked"}),
    Scenario("clean, slashes escaped", nothing, (), V, made={"escape_slashes": True}),
    Scenario("window inside", lambda s: window(s, 5.5, 9.2), (), V),
    Scenario("log edited", lambda s: attacks.edit_log(s.world, log(s)), ("log_hash_mismatch",), X),
    Scenario("log recompressed", lambda s: attacks.recompress_log(s.world, log(s)), (), V),
    Scenario("log deleted", lambda s: attacks.delete_log(s.world, log(s)), ("log_missing",), X),
    Scenario("log not gzip", lambda s: attacks.plain_log(s.world, log(s)), ("log_malformed",), X),
    Scenario(
        "log with bytes behind it",
        lambda s: attacks.append_to_log(s.world, log(s)),
        ("log_trailing_data",),
        X,
    ),
    Scenario(
        "log in two members",
        lambda s: attacks.second_member(s.world, log(s)),
        ("log_trailing_data",),
        X,
    ),
    Scenario("log CRC wrong", lambda s: attacks.wrong_crc(s.world, log(s)), ("log_malformed",), X),
    Scenario(
        "logs swapped",
        lambda s: attacks.swap_logs(s.world, log(s, 11), log(s, 14)),
        ("log_hash_mismatch", "log_hash_mismatch"),
        X,
    ),
    Scenario(
        "log without its gzip trailer",
        lambda s: attacks.cut_trailer(s.world, log(s)),
        ("log_malformed",),
        X,
        "it never asks whether the stream ended",
    ),
    Scenario(
        "log emptied",
        lambda s: attacks.empty_log(s.world, log(s)),
        ("log_malformed",),
        X,
        "it calls an object without a byte a hash mismatch, because nothing failed to inflate",
    ),
    Scenario(
        "digest edited",
        lambda s: attacks.edit_digest(s.world, digest(s)),
        ("digest_signature_invalid",),
        X,
    ),
    Scenario(
        "digest deleted",
        lambda s: attacks.delete_digest(s.world, digest(s)),
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
        "digest malformed: not gzip",
        lambda s: attacks.malform_digest(s.world, digest(s), "not-gzip"),
        ("digest_malformed",),
        X,
    ),
    Scenario(
        "digest moved",
        lambda s: attacks.replay_digest(s.world, digest(s, 8), over=digest(s, 9)),
        ("digest_moved",),
        X,
    ),
    Scenario(
        "digest unsigned",
        lambda s: attacks.unsign_digest(s.world, digest(s)),
        ("digest_signature_missing",),
        X,
        "it does not ask the successor, which states the signature: the log files stay unchecked",
    ),
    Scenario(
        "digest signed with a foreign key",
        lambda s: attacks.foreign_key(s.world, digest(s)),
        ("digest_key_unknown",),
        X,
    ),
    Scenario(
        "digest signed with a foreign key under CloudTrail's fingerprint",
        lambda s: attacks.foreign_key(s.world, digest(s), own_fingerprint=False),
        ("digest_signature_invalid",),
        X,
    ),
    Scenario("backfill", backfilled, (), V),
    Scenario("backfill tampered", tampered_backfill, ("digest_signature_invalid",), X),
    Scenario("backfill log deleted", backfill_log_gone, ("log_missing",), X),
    Scenario("backfill without its time", untimed_backfill, ("digest_signature_missing",), X),
    Scenario("key rotation", rotated, (), V),
    Scenario("bucket and prefix changed", bucket_switched, (), V),
    Scenario("another trail in the bucket", other_trail, (), V),
    Scenario("another trail in the bucket, tampered with", other_trail_tampered, (), V),
    Scenario("restart within the hour", lambda s: restart(s, stop=26.25, hour=26.5), (), V),
    Scenario("restart hours later", lambda s: restart(s, stop=26, hour=29), ("chain_gap",), U),
    Scenario("begins in the window", lambda s: window(s, -20, 24), (), V),
    Scenario("a second trail without validation", unsigned_neighbour, ("log_unreferenced",), V),
    Scenario("window ends now", ends_now, (), V),
    Scenario("window ends tomorrow", both(ends_now, ends_tomorrow), (), V),
    Scenario("digest redelivered late", redelivered_late, ("digest_late",), U, "it knows no grace"),
    Scenario("digest redelivered", redelivered, (), V),
    Scenario("markers and Insight files beside", insight, (), V),
    Scenario("a log file named twice", named_twice, (), V),
    # Where the AWS CLI is wrong
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
        "wrong trail name",
        wrong_name,
        ("no_digests",),
        U,
        "nothing found is success to it",
        witness=False,
    ),
    Scenario("forged log", planted, ("log_unreferenced",), U, NO_LISTING),
    Scenario(
        "forged log, planted months later under an old name",
        planted_months_later,
        ("log_unreferenced",),
        U,
        NO_LISTING,
    ),
    Scenario(
        "forged log beside a made-up trail's junk digest",
        planted_beside_junk,
        ("log_unreferenced",),
        U,
        NO_LISTING,
    ),
    Scenario(
        "bytes behind a digest",
        lambda s: attacks.append_to_digest(s.world, digest(s)),
        ("digest_malformed",),
        X,
        "it inflates the first member of a digest and forgets the rest",
    ),
    Scenario(
        "a second member behind a digest",
        lambda s: attacks.second_member_on_digest(s.world, digest(s)),
        ("digest_malformed",),
        X,
        "it inflates the first member of a digest and forgets the rest",
    ),
    Scenario(
        "signature relabelled",
        lambda s: attacks.relabel_algorithm(s.world, digest(s)),
        ("digest_signature_invalid",),
        X,
        "it reads no algorithm names",
    ),
    Scenario(
        "signature that is no hex",
        lambda s: attacks.bad_signature_hex(s.world, digest(s)),
        ("digest_signature_invalid",),
        X,
        "it prints Python's own complaint, and leaves the log files unchecked",
    ),
    Scenario(
        "digest nested too deep",
        lambda s: attacks.malform_digest(s.world, digest(s), "deep"),
        ("digest_malformed",),
        X,
        "its JSON reader runs out of stack",
    ),
    Scenario(
        "digest with wrong types",
        lambda s: attacks.malform_digest(s.world, digest(s), "wrong-types"),
        ("digest_malformed",),
        X,
        "it looks for names of fields, not at what stands in them",
    ),
    Scenario(
        "predecessor's hash contradicted",
        lambda s: attacks.resign(s.world, s.chain, digest(s), previousDigestHashValue="0" * 64),
        ("digest_link_mismatch",),
        X,
        "it never compares the hash of the predecessor",
    ),
    Scenario(
        "predecessor's signature contradicted",
        lambda s: attacks.resign(s.world, s.chain, digest(s), previousDigestSignature="ab" * 256),
        ("digest_link_mismatch",),
        X,
        "it never compares the signature of the predecessor",
    ),
    Scenario(
        "another account inside",
        lambda s: attacks.resign(s.world, s.chain, digest(s), awsAccountId="999999999999"),
        ("digest_claim_mismatch",),
        X,
        "it does not read the account",
    ),
    Scenario(
        "hash algorithm that nobody knows",
        lambda s: attacks.resign(
            s.world,
            s.chain,
            digest(s),
            logFiles=[
                dict(entry, hashAlgorithm="SHA3-512") for entry in digest(s).document["logFiles"]
            ],
        ),
        ("algorithm_unsupported",) * 2,
        U,
        "it takes every hash for SHA-256",
    ),
    Scenario(
        "label and body name a new algorithm",
        lambda s: attacks.resign(
            s.world,
            s.chain,
            digest(s),
            digestSignatureAlgorithm="SHA512withRSA",
            label="SHA512withRSA",
        ),
        ("algorithm_unsupported",),
        U,
        "it takes every signature for SHA256withRSA",
    ),
    Scenario(
        "gap laundered by a restart",
        laundered,
        ("chain_gap",),
        U,
        "it states that no log files were delivered",
    ),
    Scenario(
        "hour hidden under a starting digest",
        hidden,
        ("chain_gap",),
        U,
        "it takes the empty hour of a starting digest for covered",
    ),
    Scenario(
        "planted digest stamped 9999",
        future_stamp,
        ("digest_foreign",),
        V,
        "its listing ends at the planted name, and what comes later is never looked at",
    ),
    Scenario(
        "a sibling trail's digests stand in for ours",
        sibling_trail,
        ("digest_malformed",) * 26,
        X,
        "its pattern for the names of this trail matches the other trail's too",
    ),
    Scenario(
        "digests deleted before the bucket changed",
        bucket_switched_and_deleted,
        ("digest_missing",) * 3,
        X,
        "it looks in the older bucket under the newer prefix",
    ),
]
