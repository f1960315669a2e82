"""The versions of one object: which may be the original, and what became of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from integrity.chain.evidence import Fate
from integrity.chain.model import Encryption, S3Location, Version
from integrity.chain.versions import Versions, by_object
from tests.chain.specimens import at

PLACE = S3Location("trail-logs", "a key")
KMS = Encryption("aws:kms", "arn:key")


def version(
    name: str, time: datetime, *, latest: bool = False, marker: bool = False, etag: str = ""
) -> Version:
    return Version(
        location=PLACE,
        version_id=name,
        last_modified=time,
        is_latest=latest,
        is_marker=marker,
        etag=etag or name,
        storage_class="" if marker else "STANDARD_IA",
    )


def test_the_oldest_is_the_likeliest_and_what_is_shown_is_none() -> None:
    found = Versions.of(
        [
            version("c", at(3), latest=True),
            version("m", at(2), marker=True),
            version("b", at(2)),
            version("a", at(1)),
        ]
    )

    assert [one.version_id for one in found.candidates] == ["a", "b"]
    assert found.latest.version_id == "c"


def test_a_bucket_without_versions_has_no_candidates() -> None:
    assert Versions.of([version("null", at(1), latest=True)]).candidates == ()


def test_what_was_deleted_is_told_with_the_markers_above_it() -> None:
    first = version("a", at(1))
    found = Versions.of(
        [
            version("n", at(3), latest=True, marker=True),
            version("m", at(2), marker=True),
            first,
        ]
    )

    original = found.original(first, KMS)

    assert (original.fate, original.gone_at, original.markers) == (Fate.DELETED, at(2), ("n", "m"))
    assert (original.written_at, original.version_id) == (at(1), "a")
    assert (original.storage_class, original.encryption) == ("STANDARD_IA", "aws:kms")
    assert original.kms_key_id == "arn:key"
    assert found.is_hidden(first)


def test_what_was_replaced_has_no_markers_to_remove() -> None:
    first = version("a", at(1))
    found = Versions.of([version("m", at(3), latest=True, marker=True), version("b", at(2)), first])

    original = found.original(first, Encryption())

    assert (original.fate, original.gone_at, original.markers) == (Fate.REPLACED, at(2), ())


def test_in_the_same_second_anything_may_lie_above() -> None:
    first = version("a", at(1))
    found = Versions.of([version("m", at(1), latest=True, marker=True), version("b", at(1)), first])

    assert found.original(first, Encryption()).markers == ()


def test_the_same_content_put_again_hides_nothing() -> None:
    first = version("a", at(1), etag="same")
    found = Versions.of([version("b", at(2), latest=True, etag="same"), first])

    assert not found.is_hidden(first)


def test_a_listing_that_names_no_latest_ends_with_the_newest() -> None:
    found = Versions.of([version("b", at(2)), version("a", at(1))])

    assert found.latest.version_id == "b"


def test_each_objects_versions_together() -> None:
    one, two = version("a", at(1)), version("b", at(2), latest=True)

    assert by_object([two, one]) == {PLACE: Versions((one, two))}


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        ([], ""),
        ([version("a", at(1), latest=True)], ""),
        ([version("m", at(2), latest=True, marker=True)], "a delete marker of 2026-03-01T02:00"),
        (
            [version("a", at(1)), version("b", at(2), latest=True)],
            "an older version of 2026-03-01T01",
        ),
        (
            [version("a", at(1)), version("m", at(3), latest=True, marker=True)],
            "a delete marker of 2026-03-01T03:00",
        ),
    ],
)
def test_a_past_is_shown_by_what_is_not_shown_itself(versions: list[Version], says: str) -> None:
    told = Versions.of(versions).shown_past
    assert says in told
    assert bool(told) == bool(says)
