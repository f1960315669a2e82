"""Writing to the lab's S3, and what it leaves to moto."""

from __future__ import annotations

import urllib.request
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from integrity.lab.server import LabServer, serve
from integrity.lab.world import Chain, World
from tests.lab.conftest import signed_for

BUCKET = "trail-logs"


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_client_can_write_delete_and_copy(world: World, chain: Chain, client: Any) -> None:
    s3 = client("s3")
    one, other = chain.log_files[:2]
    s3.put_object(Bucket=BUCKET, Key=one.key, Body=b"new", Metadata={"a": "b"})
    stored = world.objects[one.address]
    assert (stored.body, stored.metadata, stored.last_modified) == (b"new", {"a": "b"}, world.now)
    s3.copy_object(Bucket=BUCKET, Key=other.key, CopySource={"Bucket": BUCKET, "Key": one.key})
    assert world.objects[other.address].body == b"new"
    assert world.objects[other.address].metadata == {"a": "b"}
    s3.delete_object(Bucket=BUCKET, Key=one.key)
    assert one.address not in world.objects
    left = [log for log in chain.log_files[2:4] if log.address in world.objects]
    answer = s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": log.key} for log in left]}
    )
    assert [gone["Key"] for gone in answer["Deleted"]] == [log.key for log in left]
    assert not {log.address for log in left} & set(world.objects)


def test_a_copy_can_replace_metadata_and_needs_its_source(
    world: World, chain: Chain, client: Any
) -> None:
    s3 = client("s3")
    digest = chain.digests[1]
    s3.copy_object(
        Bucket=BUCKET,
        Key="copy",
        CopySource={"Bucket": BUCKET, "Key": digest.key},
        MetadataDirective="REPLACE",
        Metadata={"signature": "none"},
    )
    copied = world.objects[BUCKET, "copy"]
    assert copied.body == world.objects[digest.address].body
    assert copied.metadata == {"signature": "none"}
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.copy_object(Bucket=BUCKET, Key="k", CopySource={"Bucket": BUCKET, "Key": "absent"})


def test_what_the_lab_cannot_do_is_said(client: Any) -> None:
    with pytest.raises(ClientError) as error:
        client("s3").get_bucket_policy(Bucket=BUCKET)
    assert code(error) == ("NotImplemented", 501)


def test_buckets_are_listed(client: Any) -> None:
    assert [b["Name"] for b in client("s3").list_buckets()["Buckets"]] == [BUCKET]


def test_other_buckets_are_motos(server: LabServer, client: Any) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="mine")
    s3.put_object(Bucket="mine", Key="k", Body=b"x" * 100_000)
    assert s3.get_object(Bucket="mine", Key="k")["Body"].read() == b"x" * 100_000
    assert server.requests.by_key["PutObject", "k"] == 1


def test_every_server_begins_with_an_empty_moto(world: World, client: Any) -> None:
    client("s3").create_bucket(Bucket="mine")
    with serve(world) as other:
        status = urllib.request.Request(f"{other.endpoint}/mine", headers=signed_for("us-east-1"))
        urllib.request.urlopen(f"{other.endpoint}/moto-api/data.json").close()
        with pytest.raises(HTTPError, match="404") as error:
            urllib.request.urlopen(status)
        error.value.close()


def test_a_presigned_address_is_signed(world: World, chain: Chain, server: LabServer) -> None:
    scope = "AKIALABX111122223333%2F20260301%2Fus-east-1%2Fs3%2Faws4_request"
    address = f"{server.endpoint}/{BUCKET}/{chain.digests[1].key}?X-Amz-Credential={scope}"
    with urllib.request.urlopen(address) as response:
        assert response.read() == world.objects[chain.digests[1].address].body


def test_a_body_may_come_in_signed_chunks(world: World, server: LabServer) -> None:
    request = urllib.request.Request(
        f"{server.endpoint}/{BUCKET}/k",
        data=b"3;chunk-signature=00\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n",
        headers={
            **signed_for("us-east-1"),
            "Content-Encoding": "aws-chunked,gzip",
            "x-amz-decoded-content-length": "5",
        },
        method="PUT",
    )
    urllib.request.urlopen(request).close()
    stored = world.objects[BUCKET, "k"]
    assert (stored.body, stored.content_encoding) == (b"abcde", "gzip")
