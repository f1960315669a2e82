"""Versions of the lab's objects, as clients of S3 meet them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integrity.lab.server import LabServer
from integrity.lab.world import Chain, World

BUCKET = "trail-logs"
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/a"


def listed(s3: Any, key: str, **asked: Any) -> list[tuple[str, bool, bool]]:
    """Of a key, oldest first: version id, whether it is the latest, whether it is a marker."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=key, **asked)
    found = [
        (one["LastModified"], one["IsLatest"], one["VersionId"], kind == "DeleteMarkers")
        for page in pages
        for kind in ("Versions", "DeleteMarkers")
        for one in page.get(kind, ())
    ]
    return [(name, latest, marker) for _, latest, name, marker in sorted(found)]


def test_a_bucket_without_versions_shows_what_is_there(
    server: LabServer, chain: Chain, client: Any
) -> None:
    s3, key = client("s3"), chain.log_files[0].key

    assert "Status" not in s3.get_bucket_versioning(Bucket=BUCKET)
    assert listed(s3, key) == [("null", True, False)]
    assert s3.get_object(Bucket=BUCKET, Key=key, VersionId="null")["Body"].read()
    assert "VersionId" not in s3.get_object(Bucket=BUCKET, Key=key)
    assert server.requests.by_operation["ListObjectVersions"] == 1


def test_what_is_written_and_deleted_is_kept(world: World, chain: Chain, client: Any) -> None:
    world.objects.enable_versioning(BUCKET)
    s3, log = client("s3"), chain.log_files[0]
    first = world.objects[log.address]
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"

    world.now += timedelta(minutes=1)
    s3.put_object(Bucket=BUCKET, Key=log.key, Body=b"forged")
    world.now += timedelta(minutes=1)
    s3.delete_object(Bucket=BUCKET, Key=log.key)

    (null, _, _), (second, _, _), (marker, latest, is_marker) = listed(s3, log.key)
    assert (null, latest, is_marker) == ("null", True, True)
    assert s3.get_object(Bucket=BUCKET, Key=log.key, VersionId=null)["Body"].read() == first.body
    assert s3.get_object(Bucket=BUCKET, Key=log.key, VersionId=second)["Body"].read() == b"forged"
    for version, code in ((marker, "MethodNotAllowed"), ("none", "NoSuchVersion")):
        with pytest.raises(ClientError) as refused:
            s3.get_object(Bucket=BUCKET, Key=log.key, VersionId=version)
        assert refused.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError) as gone:
        s3.get_object(Bucket=BUCKET, Key=log.key)
    headers = gone.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true"

    s3.delete_object(Bucket=BUCKET, Key=log.key, VersionId=marker)
    assert s3.get_object(Bucket=BUCKET, Key=log.key)["VersionId"] == second
    s3.delete_object(Bucket=BUCKET, Key=log.key, VersionId=second)
    s3.delete_object(Bucket=BUCKET, Key=log.key, VersionId=null)
    assert listed(s3, log.key) == []
    assert log.address not in world.objects


def test_a_copy_of_a_version_has_its_metadata_and_the_key_that_was_asked_for(
    world: World, chain: Chain, client: Any
) -> None:
    world.objects.enable_versioning(BUCKET)
    s3, digest = client("s3"), chain.digests[3]
    metadata = world.objects[digest.address].metadata
    s3.put_object(Bucket=BUCKET, Key=digest.key, Body=b"forged")

    s3.copy_object(
        Bucket=BUCKET,
        Key=digest.key,
        CopySource=f"{BUCKET}/{digest.key}?versionId=null",
        MetadataDirective="COPY",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=KMS_KEY,
        StorageClass="STANDARD_IA",
    )

    answer = s3.head_object(Bucket=BUCKET, Key=digest.key)
    assert answer["Metadata"] == dict(metadata)
    assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms", KMS_KEY)
    assert answer["StorageClass"] == "STANDARD_IA"
    assert len(listed(s3, digest.key)) == 3
    with pytest.raises(ClientError):
        s3.copy_object(
            Bucket=BUCKET, Key=digest.key, CopySource=f"{BUCKET}/{digest.key}?versionId=none"
        )


def test_a_listing_goes_on_page_by_page(
    server: LabServer, world: World, chain: Chain, client: Any
) -> None:
    world.objects.enable_versioning(BUCKET)
    log = chain.log_files[0]
    for number in range(5):
        world.objects[log.address] = replace(world.objects[log.address], body=b"%d" % number)
    whole = listed(client("s3"), log.key)
    server.s3.page_size = 2

    assert listed(client("s3"), log.key) == whole
    assert len(whole) == 6


def test_a_copy_of_the_world_has_a_history_of_its_own(world: World, chain: Chain) -> None:
    world.objects.enable_versioning(BUCKET)
    log, other = chain.log_files[0], world.copy()
    other.now += timedelta(days=1)

    del other.objects[log.address]

    assert other.objects.history[log.address][-1].at == other.now
    assert log.address in world.objects
    assert len(world.objects.history[log.address]) == 1
