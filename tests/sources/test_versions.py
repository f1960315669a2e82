"""Versions in buckets: listed, read, described, and what is said where that is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from integrity.aws.session import Aws
from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Encryption, Fetched, S3Location, Unreachable, Version
from integrity.lab.faults import Fault
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.versions import ObjectVersions
from integrity.verify.ports import VersionSource
from tests.lab_aws import NOW

BUCKET, KEY = "trail-logs", "a folder/a key"
PLACE = S3Location(BUCKET, KEY)


@pytest.fixture
def versions(aws: Aws, world: World) -> ObjectVersions:
    world.objects.enable_versioning(BUCKET)
    stored = StoredObject(b"first", NOW, {"signature": "abc"})
    world.objects[BUCKET, KEY] = stored
    world.objects[BUCKET, KEY] = replace(stored, body=b"second", kms_key_id="arn:key")
    del world.objects[BUCKET, KEY]
    return ObjectVersions(aws)


def ids(world: World) -> list[str]:
    return [one.version_id for one in world.objects.history[BUCKET, KEY]]


def whole(pieces: Iterable[Buffer]) -> bytes:
    return b"".join(bytes(piece) for piece in pieces)


def test_it_is_what_verification_needs(versions: ObjectVersions) -> None:
    port: VersionSource = versions
    assert port is versions


@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_versions_and_markers_are_listed_to_the_end(
    versions: ObjectVersions, world: World, lab: LabServer, page_size: int
) -> None:
    lab.s3.page_size = page_size

    found = {one.version_id: one for one in listed(versions)}

    first, second, marker = (found.pop(name) for name in ids(world))
    assert found == {}
    assert (first.location, first.size, first.last_modified) == (PLACE, 5, NOW)
    assert (first.is_latest, second.is_latest, marker.is_latest) == (False, False, True)
    assert (first.is_marker, second.is_marker, marker.is_marker) == (False, False, True)
    assert first.etag != second.etag
    assert first.storage_class == "STANDARD"


def listed(versions: ObjectVersions, prefix: str = "a folder/") -> list[Version]:
    found = list(versions.list_versions(BUCKET, prefix))
    return [one for one in found if isinstance(one, Version)]


def test_no_bucket_and_no_object_have_none(versions: ObjectVersions) -> None:
    assert list(versions.list_versions("no-such-bucket", "")) == []
    assert listed(versions, "other") == []


def test_a_version_is_read_with_its_metadata(versions: ObjectVersions, world: World) -> None:
    first, second, _ = ids(world)

    answer = versions.fetch_version(PLACE, first, whole)

    assert answer == Fetched(PLACE, b"first", {"signature": "abc"}, NOW, first, 5)
    assert versions.describe_version(PLACE, first) == Encryption("AES256", "")
    assert versions.describe_version(PLACE, second) == Encryption("aws:kms", "arn:key")


def test_a_marker_and_what_is_no_version_are_absent(versions: ObjectVersions, world: World) -> None:
    for name in (ids(world)[2], "none"):
        assert versions.fetch_version(PLACE, name, whole) == Absent(PLACE)
        assert versions.describe_version(PLACE, name) == Unreachable(PLACE, "it is gone")


@pytest.mark.parametrize("bucket", ["", "no bucket", "../x"])
def test_what_is_no_bucket_is_not_asked(versions: ObjectVersions, bucket: str) -> None:
    place = S3Location(bucket, KEY)
    said = f"{bucket!r} is not a bucket's name"

    assert list(versions.list_versions(bucket, "")) == [Unreachable(S3Location(bucket, ""), said)]
    assert versions.fetch_version(place, "v", whole) == Unreachable(place, said)


def test_who_may_not_is_told_the_permission(
    versions: ObjectVersions, world: World, lab: LabServer
) -> None:
    lab.faults += [
        Fault("deny", operation="ListObjectVersions"),
        Fault("deny", operation="GetObjectVersion"),
        Fault("deny", operation="HeadObjectVersion"),
    ]

    (refused,) = versions.list_versions(BUCKET, "a")
    assert refused == Unreachable(
        S3Location(BUCKET, "a"), "s3:ListBucketVersions on arn:aws:s3:::trail-logs is not allowed"
    )
    said = f"s3:GetObjectVersion on arn:aws:s3:::trail-logs/{KEY} is not allowed"
    assert versions.fetch_version(PLACE, ids(world)[0], whole) == Unreachable(PLACE, said)
    assert isinstance(versions.describe_version(PLACE, ids(world)[0]), Unreachable)


def test_an_owner_that_is_not_the_expected_one_is_refused(aws: Aws, world: World) -> None:
    world.objects[BUCKET, KEY] = StoredObject(b"first", NOW)
    versions = ObjectVersions(aws, expected_bucket_owner="999999999999")

    (refused,) = versions.list_versions(BUCKET, "")
    assert isinstance(refused, Unreachable)


def test_trouble_that_passes_is_waited_out(
    versions: ObjectVersions, world: World, lab: LabServer
) -> None:
    lab.faults += [
        Fault("throttle", operation="ListObjectVersions", last=1),
        Fault("cut-short", operation="GetObjectVersion", last=1, size=2),
    ]

    assert len(listed(versions)) == 3
    answer = versions.fetch_version(PLACE, ids(world)[0], whole)
    assert isinstance(answer, Fetched)
    assert answer.content == b"first"


def test_trouble_that_stays_is_no_evidence(
    versions: ObjectVersions, world: World, lab: LabServer
) -> None:
    lab.faults += [
        Fault("throttle", operation="ListObjectVersions"),
        Fault("reset", operation="GetObjectVersion"),
    ]

    (refused,) = versions.list_versions(BUCKET, "a")
    assert isinstance(refused, Unreachable)
    answer = versions.fetch_version(PLACE, ids(world)[0], whole)
    assert isinstance(answer, Unreachable)


def test_a_transfer_that_always_breaks_is_told(
    versions: ObjectVersions, world: World, lab: LabServer
) -> None:
    lab.faults.append(Fault("cut-short", operation="GetObjectVersion", size=2))

    answer = versions.fetch_version(PLACE, ids(world)[0], whole)

    assert isinstance(answer, Unreachable)
    assert answer.detail.startswith("the transfer broke every time (2 of 5 bytes came")
