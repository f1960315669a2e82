"""Replicas: answers of one bucket told of another, and moved digests told once."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from integrity.chain.estate import ExpirationRule, Unasked
from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.link import Entry, Standing
from integrity.chain.model import Fetched, S3Location, TimeWindow, Unreachable
from integrity.chain.replica import join_replicas, tell_replica
from integrity.chain.wish import Wish
from integrity.lab import attacks
from integrity.sources.folder import Original
from integrity.sources.replica import Replica, ReplicaRules, ReplicaSource
from integrity.structs import replace
from integrity.wiring import Offline
from tests.memory import SwiftSource, reasons
from tests.offline.stage import save_keys, sync, verify_offline
from tests.scenarios.stage import START, Scenario, V, nothing
from tests.verify.stage import HOUR, chain_id, made, place_of

WINDOW = TimeWindow(START, START + HOUR)


def moved(number: int, *, bucket: str = "there", region: str = "us-east-1") -> Finding:
    return find(
        Reason.DIGEST_MOVED,
        Place("111122223333", region),
        TimeWindow(START + HOUR * number, START + HOUR * (number + 1)),
        s3_uri=f"s3://here/{region}/{number}",
        expected=f"s3://{bucket}/{region}/{number}",
        actual=f"s3://here/{region}/{number}",
    )


def entries(findings: list[Finding], *more: str) -> list[Entry]:
    chain = chain_id(made().chain)
    uris = [*(f.s3_uri or "" for f in findings), *more]
    places = [S3Location("here", uri.removeprefix("s3://here/")) for uri in uris]
    return [
        Entry(chain=chain, location=place, window=WINDOW, standing=Standing.BROKEN)
        for place in places
    ]


def test_a_whole_chain_that_names_one_other_bucket_is_told_once() -> None:
    three = [moved(number) for number in range(3)]
    (told,) = tell_replica(three, entries(three))
    assert (told.count, told.outcome, told.s3_uri) == (3, Outcome.INVALID, None)
    assert (told.first, told.last) == (three[0].s3_uri, three[2].s3_uri)
    assert told.window == TimeWindow(START, START + HOUR * 3)
    assert "add --original s3://there" in told.message


@pytest.mark.parametrize(
    "findings",
    [
        [moved(0)],
        [moved(0), moved(1, bucket="elsewhere")],
        [moved(0, bucket="here"), moved(1, bucket="here")],
    ],
)
def test_a_digest_or_two_out_of_place_are_told_one_by_one(findings: list[Finding]) -> None:
    assert tell_replica(findings, entries(findings)) == findings


def test_a_chain_with_one_digest_in_its_place_is_no_replica() -> None:
    two = [moved(0), moved(1)]
    assert tell_replica(two, entries(two, "s3://here/in/place")) == two


def test_all_chains_of_a_replica_are_told_once_and_other_findings_stay() -> None:
    one, other = ([moved(n, region=region) for n in range(2)] for region in ("a-b-1", "c-d-1"))
    missing = find(Reason.LOG_MISSING, Place("1", "r"), WINDOW)
    told = [*tell_replica(one, entries(one)), missing, *tell_replica(other, entries(other))]
    joined = join_replicas(told)
    assert [finding.count for finding in joined] == [4, 1]
    assert joined[1] == missing
    assert join_replicas(one) == one
    assert join_replicas([told[0], replace(told[2], detail="another")])[0] == told[0]


def test_a_replica_answers_for_the_original() -> None:
    stage = made(hours=2)
    key = stage.chain.digests[0].key
    world = stage.world
    for (bucket, name), stored in list(world.objects.items()):
        world.objects["replica", f"kept/{name}"] = stored
        del world.objects[bucket, name]
    replica = Replica(Original("trail-logs"), "replica", "kept/")
    inner = SwiftSource(world)
    source = ReplicaSource(inner, replica)
    there = S3Location("trail-logs", key)
    answer = source.fetch(there, lambda pieces: b"".join(bytes(p) for p in pieces))
    assert isinstance(answer, Fetched)
    assert (answer.location, inner.fetched) == (there, [S3Location("replica", f"kept/{key}")])
    assert there in [one.location for one in source.list_objects("trail-logs", "AWSLogs/")]
    assert source.list_folders("trail-logs", "") == ("AWSLogs",)
    inner.unreachable["replica"] = "denied"
    asked = S3Location("trail-logs", "AWSLogs/")
    assert source.list_folders("trail-logs", "AWSLogs/") == Unreachable(asked, "denied")
    assert replica.here(S3Location("older", "x")) == S3Location("older", "x")
    assert replica.there(S3Location("replica", "x")) == S3Location("replica", "x")


def test_a_replicas_small_objects_are_told_as_the_originals() -> None:
    stage = made(hours=2)
    world, digests = stage.world, stage.chain.digests
    for (bucket, name), stored in list(world.objects.items()):
        world.objects["replica", f"kept/{name}"] = stored
        del world.objects[bucket, name]
    inner = SwiftSource(world)
    source = ReplicaSource(inner, Replica(Original("trail-logs"), "replica", "kept/"))
    there = [place_of(digest.address) for digest in digests]
    places = dict(enumerate([*there, S3Location("trail-logs", "absent"), None]))
    taken: dict[int, Fetched[bytes]] = {}

    def take(item: int, fetched: Fetched[bytes]) -> bool:
        taken[item] = fetched
        return item > 0

    left = source.fetch_small(
        Wish(items=places, locate=places.get, take=take, with_metadata=True), Event()
    )
    assert list(left) == [0, len(there), len(there) + 1]
    assert [one.location for one in taken.values()] == there
    assert [one.metadata["signature"] for one in taken.values()] == [d.signature for d in digests]
    asked = [S3Location("replica", f"kept/{place.key}") for place in places.values() if place]
    assert inner.fetched == asked


class _Rules:
    def __init__(self, answer: tuple[ExpirationRule, ...] | Unasked) -> None:
        self.answer, self.asked = answer, list[str]()

    def fetch_rules(self, bucket: str) -> tuple[ExpirationRule, ...] | Unasked:
        self.asked.append(bucket)
        return self.answer


def test_the_replicas_own_lifecycle_counts() -> None:
    replica = Replica(Original("logs", "audit/"), "replica", "kept/audit/")
    prefixes = ("", "kept/", "kept/audit/AWSLogs/", "elsewhere/")
    rules = _Rules(tuple(ExpirationRule("r", prefix, 30) for prefix in prefixes))
    told = ReplicaRules(rules, replica).fetch_rules("logs")
    assert not isinstance(told, Unasked)
    assert [rule.prefix for rule in told] == ["audit/", "audit/", "audit/AWSLogs/"]
    assert ReplicaRules(rules, replica).fetch_rules("older") == rules.answer
    assert rules.asked == ["replica", "older"]
    refused = Unasked("s3:GetLifecycleConfiguration", "denied", denied=True)
    assert ReplicaRules(_Rules(refused), replica).fetch_rules("logs") == refused


def test_the_newest_digest_of_a_copy_may_be_rewritten_and_is_then_believed_by_nobody(
    tmp_path: Path,
) -> None:
    """The attack that `digest_unproven` is for."""
    stage = Scenario("", nothing, (), V).stage()
    attacks.edit_digest(stage.world, stage.chain.digests[-1])
    offline = Offline(
        folder=sync(stage.world, stage.trail.bucket, tmp_path / "copy"),
        original=(stage.trail.bucket, ""),
        keys_file=save_keys(stage.world, tmp_path / "keys.json"),
    )
    run = verify_offline(offline, stage.world.now)
    assert (reasons(run), run.outcome) == (["digest_unproven"], Outcome.UNDETERMINED)
    (chain,) = run.chains
    assert chain.covered[-1].end == stage.chain.digests[-2].end
    named = sum(len(digest.log_files) for digest in stage.chain.digests[:-1])
    assert run.totals.log_files.valid == named
