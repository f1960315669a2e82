"""A span's digests: listed, read at once, and completed by what pointers and hours ask for."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from integrity.chain.findings import Reason
from integrity.chain.limits import MIB
from integrity.chain.link import Standing
from integrity.chain.model import ChainKind, Listed, S3Location, Unreachable, Witness
from integrity.chain.names import digest_location
from integrity.lab import attacks
from integrity.lab.objects import LabDigest, StoredObject
from integrity.verify import digests
from integrity.verify.digests import DigestReader
from integrity.verify.keyring import KeyRing
from integrity.verify.listing import DigestFolders
from integrity.verify.parallel import each_small
from integrity.verify.span import DigestSpan
from tests.chain.specimens import CHAIN, at, hours
from tests.memory import MemorySource, SwiftSource
from tests.verify.stage import Flickering, Stage, chain_id, made, place_of


def reader(
    stage: Stage, executor: Executor, start: float = 0, end: float = 24, **asked: Any
) -> DigestReader:
    """Who reads the digests that end between these hours."""
    chain = chain_id(stage.chain)
    tools = stage.tools(executor)
    return DigestReader(
        chain,
        hours(start, end),
        job=stage.job(**asked),
        tools=tools,
        ring=KeyRing(chain.region, tools.keys),
        folders=DigestFolders(
            tools.objects, executor, account_id=chain.account_id, region=chain.region
        ),
    )


def read(
    stage: Stage, executor: Executor, start: float = 0, end: float = 24, **asked: Any
) -> DigestSpan:
    """The digests that end between these hours."""
    return reader(stage, executor, start, end, **asked).read()


def ends(span: DigestSpan, standing: Standing = Standing.AUTHENTIC) -> list[float]:
    """The hours at which the digests of that standing end."""
    return [
        (entry.window.end - at(0)) / timedelta(hours=1)
        for entry in span.entries
        if entry.standing is standing and entry.chain.kind is ChainKind.STANDARD
    ]


def found(span: DigestSpan) -> list[Reason]:
    return [finding.reason for finding in span.findings]


def from_to(stage: Stage, first: float, last: float) -> list[LabDigest]:
    return [digest for digest in stage.chain.digests if at(first) <= digest.end <= at(last)]


def test_a_span_has_its_digests_and_one_beyond_its_end(executor: Executor) -> None:
    stage = made(hours=40)

    span = read(stage, executor, 3, 9)

    assert ends(span) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert span.findings == []
    assert span.authentic.keys() == {entry.location for entry in span.entries}
    assert [entry.named for entry in span.entries] == [True] * 7 + [False]
    assert len(stage.source.fetched) == 8


def test_the_one_beyond_is_looked_for_in_later_folders(executor: Executor) -> None:
    stage = made(hours=60)
    attacks.delete_digests(stage.world, from_to(stage, 24, 49))

    span = read(stage, executor, 3, 23)

    assert ends(span)[-2:] == [23, 50]


def test_beyond_now_nothing_is_looked_for(executor: Executor) -> None:
    stage = made(now=at(9.6), hours=9)
    for end in (40, 50):
        place = digest_location(CHAIN, at(end))
        stage.world.objects[place.bucket, place.key] = StoredObject(b"junk", at(9))

    span = read(stage, executor, 3, 60)

    assert ends(span)[-1] == 9
    assert ends(span, Standing.BROKEN) == []
    assert span.newest == at(9)


def test_a_predecessor_that_no_listing_shows_is_asked_for(executor: Executor) -> None:
    stage = made()
    attacks.delete_digests(stage.world, from_to(stage, 7, 7))

    span = read(stage, executor)

    assert found(span) == [Reason.DIGEST_MISSING]
    assert ends(span, Standing.MISSING) == [7]
    assert [entry.named for entry in span.entries if entry.standing is Standing.MISSING] == [True]


def test_what_no_listing_shows_is_asked_for_with_patience_alone(executor: Executor) -> None:
    stage = made()
    (gone,) = from_to(stage, 7, 7)
    attacks.delete_digests(stage.world, [gone])

    read(stage, executor)

    assert [one.key for one in stage.source.fetched].count(gone.key) == 2  # as all that is wrong


@pytest.mark.parametrize("source", [MemorySource, SwiftSource])
def test_what_the_listing_shows_in_an_archive_is_not_asked_for(
    executor: Executor, source: type[MemorySource]
) -> None:
    stage = made()
    stage.source = source(stage.world)
    (put_away,) = from_to(stage, 7, 7)
    stored = stage.world.objects[put_away.address]
    stage.world.objects[put_away.address] = replace(stored, storage_class="GLACIER")

    span = read(stage, executor)

    assert found(span) == [Reason.OBJECT_UNREADABLE]
    assert ends(span, Standing.UNREADABLE) == [7]
    assert put_away.key not in {one.key for one in stage.source.fetched}


@pytest.mark.parametrize("first", [None, b"", b"torn", gzip.compress(b"{}", mtime=0), "throttled"])
def test_what_was_wrong_only_once_is_not_wrong(
    executor: Executor, first: bytes | str | None
) -> None:
    stage = made()
    stage.source = Flickering(stage.world, {"_20260301T090000Z": [first]})

    span = read(stage, executor)

    assert (found(span), ends(span)) == ([], [*range(26)])


@pytest.mark.parametrize(("source", "reads"), [(MemorySource, 2), (SwiftSource, 3)])
def test_what_is_broken_is_told_once_however_it_was_read(
    executor: Executor, source: type[MemorySource], reads: int
) -> None:
    stage = made()
    stage.source = source(stage.world)
    (broken,) = from_to(stage, 7, 7)
    attacks.malform_digest(stage.world, broken, "not-gzip")

    span = read(stage, executor)

    assert found(span) == [Reason.DIGEST_MALFORMED]
    assert ends(span, Standing.BROKEN) == [7]
    assert [one.key for one in stage.source.fetched].count(broken.key) == reads
    assert len(stage.source.fetched) == 25 + reads


def test_hours_between_two_digests_are_asked_for_by_name(executor: Executor) -> None:
    stage = made()
    attacks.delete_digests(stage.world, from_to(stage, 5, 9))

    span = read(stage, executor)

    assert ends(span, Standing.MISSING) == [5, 6, 7, 8, 9]
    assert found(span) == [Reason.DIGEST_MISSING] * 5


def test_hours_are_counted_back_from_the_digest_beyond_the_end(executor: Executor) -> None:
    """Deleted over the end of the span: the first that is named lies beyond it."""
    stage = made(hours=40)
    attacks.delete_digests(stage.world, from_to(stage, 20, 26))

    span = read(stage, executor, 0, 24)

    assert ends(span, Standing.MISSING) == [20, 21, 22, 23, 24, 26]
    told = sorted(finding.window.end for finding in span.findings)
    assert told == [at(end) for end in range(20, 25)]


def test_hours_before_the_first_digest_are_counted_from_an_older_one(executor: Executor) -> None:
    stage = made(hours=60)
    attacks.delete_digests(stage.world, from_to(stage, 20, 30))

    span = read(stage, executor, 24, 48)

    assert ends(span, Standing.MISSING) == [24, 25, 26, 27, 28, 29, 30]


def test_without_an_older_digest_only_the_named_one_is_missing(executor: Executor) -> None:
    stage = made(hours=60)
    attacks.delete_digests(stage.world, from_to(stage, 0, 30))

    span = read(stage, executor, 24, 48)

    assert ends(span, Standing.UNJUDGED) == []
    assert ends(span, Standing.MISSING) == [30]


def test_an_older_digest_in_the_folder_needs_no_search(executor: Executor) -> None:
    stage = made()
    attacks.delete_digests(stage.world, from_to(stage, 5, 9))

    span = read(stage, executor, 6, 24)

    assert ends(span, Standing.MISSING) == [6, 7, 8, 9]
    assert not any("/2026/02/" in folder for folder in stage.source.listed)


def test_a_beginning_in_the_span_looks_for_an_older_chain(executor: Executor) -> None:
    stage = made(hours=10)
    stage.world.restart_chain(stage.chain, start=at(30), hours=10)

    span = read(stage, executor, 24, 48)

    assert ends(span, Standing.UNJUDGED) == [10]
    assert ends(span)[0] == 30
    assert found(span) == []


def test_a_first_digest_that_starts_late_points_to_the_one_before(executor: Executor) -> None:
    stage = made(hours=40)
    attacks.start_after_predecessor(stage.world, stage.chain, stage.chain.digests[10])

    span = read(stage, executor, 9.2, 24)

    assert ends(span, Standing.UNJUDGED) == [9]
    assert found(span) == []


def test_a_predecessor_before_the_span_is_another_spans(executor: Executor) -> None:
    stage = made()
    attacks.delete_digests(stage.world, from_to(stage, 5, 5))

    span = read(stage, executor, 5.5, 24)

    assert (found(span), ends(span)[0]) == ([], 6)


def test_digests_of_another_trail_are_not_read(executor: Executor) -> None:
    stage = made()
    other = stage.world.add_trail(name="other")
    stage.world.run_chain(other, start=at(0.25), hours=26)

    span = read(stage, executor)

    assert ends(span) == [*range(26)]
    assert len(stage.source.fetched) == 26


# Places


def test_a_place_that_a_pointer_names_is_listed_for_the_span(executor: Executor) -> None:
    stage = made()
    stage.world.switch_bucket(stage.chain, bucket="new-logs", prefix="moved")
    stage.world.continue_chain(stage.chain, hours=6)

    span = read(stage, executor, 3, 30)

    assert ends(span) == [*range(3, 32)]
    roots = [entry.chain.root.uri for entry in span.entries]
    assert set(roots) == {"s3://trail-logs/AWSLogs", "s3://new-logs/moved/AWSLogs"}


def test_the_older_place_is_found_from_beyond_the_span(executor: Executor) -> None:
    """The whole span lies in the bucket before; nothing but the newer one leads there."""
    stage = made()
    stage.world.switch_bucket(stage.chain, bucket="new-logs")
    stage.world.continue_chain(stage.chain, hours=40)

    assert ends(read(stage, executor, 3, 9)) == [3, 4, 5, 6, 7, 8, 9, 10, 26, 27]


def test_a_predecessor_whose_key_has_no_form_that_we_know_is_asked_for(
    executor: Executor,
) -> None:
    stage = made()
    attacks.resign(
        stage.world, stage.chain, stage.chain.digests[9], previousDigestS3Object="a/new/form"
    )

    span = read(stage, executor)

    (missing,) = [entry for entry in span.entries if entry.standing is Standing.MISSING]
    assert missing.location == S3Location("trail-logs", "a/new/form")
    assert missing.window == hours(7, 8)


class Forgetful(SwiftSource):
    """A listing that shows but one object of each folder."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        yield from list(super().list_objects(bucket, prefix))[-1:]


def test_pointers_that_lead_away_from_every_listing_are_followed(executor: Executor) -> None:
    stage = made()
    stage.source = Forgetful(stage.world)

    assert ends(read(stage, executor, 0, 23)) == [*range(27)]


# Witnesses and strangers


def test_an_authentic_successor_states_what_the_metadata_lost(executor: Executor) -> None:
    stage = made()
    digests = stage.chain.digests[7:10]
    for digest in digests:
        attacks.unsign_digest(stage.world, digest)

    span = read(stage, executor)

    assert found(span) == [Reason.DIGEST_SIGNATURE_MISSING] * 3
    witnesses = [span.authentic[place_of(digest.address)].witness for digest in digests]
    assert witnesses == [Witness.SUCCESSOR] * 3
    assert ends(span) == [*range(26)]


def test_a_successor_vouches_for_no_other_content(executor: Executor) -> None:
    stage = made()
    digest = stage.chain.digests[9]
    attacks.edit_digest(stage.world, digest)

    span = read(stage, executor)

    assert ends(span, Standing.BROKEN) == [9]
    assert place_of(digest.address) not in span.authentic


def test_a_well_named_object_in_a_covered_hour_is_foreign(executor: Executor) -> None:
    stage = made()
    attacks.plant_digest(stage.world, stage.chain, trail="main", end=at(9.5))

    span = read(stage, executor)

    (finding,) = span.findings
    assert finding.reason is Reason.DIGEST_FOREIGN
    assert finding.window == hours(8.5, 9.5)
    assert ends(span, Standing.BROKEN) == []


@pytest.mark.parametrize("start", [8.6, 9, 9.4])
def test_what_covers_the_hour_of_a_stranger_may_end_before_the_span(
    executor: Executor, start: float
) -> None:
    stage = made()
    attacks.plant_digest(stage.world, stage.chain, trail="main", end=at(9.5))

    assert found(read(stage, executor, start, 24)) == [Reason.DIGEST_FOREIGN]


def test_a_well_named_object_in_an_uncovered_hour_is_not(executor: Executor) -> None:
    stage = made()
    attacks.delete_digests(stage.world, from_to(stage, 9, 9))
    attacks.plant_digest(stage.world, stage.chain, trail="main", end=at(9.5))

    span = read(stage, executor)

    assert sorted(found(span)) == [Reason.DIGEST_MALFORMED, Reason.DIGEST_MISSING]


# Backfill digests


def backfilled(stage: Stage, *hours_of: float) -> list[LabDigest]:
    return [
        stage.world.backfill(stage.chain, end=at(end), generated_at=at(60 + number))
        for number, end in enumerate(hours_of)
    ]


def of_backfill(span: DigestSpan) -> list[float]:
    return [
        (entry.window.end - at(0)) / timedelta(hours=1)
        for entry in span.entries
        if entry.chain.kind is ChainKind.BACKFILL
    ]


def test_backfill_digests_of_the_span_are_read_in_whatever_order_they_came(
    executor: Executor,
) -> None:
    stage = made(hours=60)
    backfilled(stage, 10, 8, 12)

    span = read(stage, executor)

    assert (of_backfill(span), found(span)) == ([8, 10, 12], [])


def test_a_backfill_digest_that_another_of_the_span_names_is_missing(executor: Executor) -> None:
    stage = made(hours=60)
    gone, _ = backfilled(stage, 10, 8)
    attacks.delete_backfill(stage.world, gone)

    span = read(stage, executor)

    assert found(span) == [Reason.DIGEST_MISSING]


def test_a_backfill_digest_that_is_gone_is_missing_where_it_is_named(executor: Executor) -> None:
    """Its own hours are long past, and nothing is left there that could tell."""
    stage = made(hours=60)
    gone, _ = backfilled(stage, 10, 50)
    attacks.delete_backfill(stage.world, gone)

    span = read(stage, executor, 40, 56)

    assert found(span) == [Reason.DIGEST_MISSING]
    assert of_backfill(span) == [10, 50]
    assert found(read(stage, executor)) == []


def test_a_broken_backfill_digest_is_told_where_it_lies(executor: Executor) -> None:
    stage = made(hours=60)
    broken, _ = backfilled(stage, 10, 50)
    attacks.tamper_backfill(stage.world, broken)

    assert found(read(stage, executor, 40, 56)) == []
    assert found(read(stage, executor)) == [Reason.DIGEST_SIGNATURE_INVALID]


def test_a_long_backfill_chain_does_not_keep_hours_from_being_asked_for(
    executor: Executor,
) -> None:
    stage = made(hours=60)
    backfilled(stage, *range(1, 21), 50)
    attacks.delete_digests(stage.world, from_to(stage, 48, 52))

    span = read(stage, executor, 40, 56)

    assert ends(span, Standing.MISSING) == [48, 49, 50, 51, 52]
    assert of_backfill(span) == [20, 50]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
def test_a_generation_time_out_of_all_time_breaks_a_digest_and_no_more(
    executor: Executor, text: str
) -> None:
    stage = made(hours=60)
    (late,) = backfilled(stage, 10)
    stored = stage.world.objects[late.address]
    garbled = {**stored.metadata, "backfill-generation-timestamp": text}
    stage.world.objects[late.address] = replace(stored, metadata=garbled)

    assert found(read(stage, executor)) == [Reason.DIGEST_SIGNATURE_MISSING]


# Memory


def test_a_span_weighs_what_its_digests_take_where_they_lie(executor: Executor) -> None:
    stage = made(hours=40)
    of_the_span = from_to(stage, 10, 12)

    weight = reader(stage, executor, 10, 12).weigh()

    assert len(of_the_span) == 3
    stored = [stage.world.objects[digest.address].body for digest in of_the_span]
    assert weight == sum(len(body) for body in stored)


@pytest.mark.parametrize(("in_flight_bytes", "in_flight"), [(MIB, 8), (3000, 3), (1, 1)])
def test_large_digests_are_read_few_at_a_time(
    executor: Executor, monkeypatch: pytest.MonkeyPatch, in_flight_bytes: int, in_flight: int
) -> None:
    """The stage reads with four threads, eight in flight; its digests are under a kilobyte."""
    asked: list[int] = []

    def noting(*work: Any, in_flight: int, **rest: Any) -> Any:
        asked.append(in_flight)
        return each_small(*work, in_flight=in_flight, **rest)

    monkeypatch.setattr(digests, "each_small", noting)
    monkeypatch.setattr(digests, "_IN_FLIGHT_BYTES", in_flight_bytes)

    span = read(made(hours=40), executor)

    assert len(span.authentic) == 26
    assert set(asked) == {in_flight}
