"""S3 of the lab through real clients: objects, listings, buckets, writes."""

from __future__ import annotations

import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from integrity.lab import attacks
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer
from integrity.lab.world import Chain, World
from tests.lab.conftest import signed_for

BUCKET = "trail-logs"


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_object_arrives_as_cloudtrail_put_it(world: World, chain: Chain, client: Any) -> None:
    digest = chain.digests[2]
    got = client("s3").get_object(Bucket=BUCKET, Key=digest.key)
    stored = world.objects[digest.address]
    assert got["Body"].read() == stored.body
    assert got["Metadata"] == stored.metadata
    assert got["LastModified"] == digest.end + timedelta(minutes=30)
    assert (got["ContentType"], got["ContentEncoding"]) == ("application/json", "gzip")
    assert got["ETag"] == f'"{stored.etag}"'
    assert got["ContentLength"] == len(stored.body)


def test_a_head_has_everything_but_the_body(chain: Chain, client: Any) -> None:
    s3 = client("s3")
    head = s3.head_object(Bucket=BUCKET, Key=chain.digests[2].key)
    got = s3.get_object(Bucket=BUCKET, Key=chain.digests[2].key)
    for name in ("ETag", "LastModified", "Metadata", "ContentLength", "ContentEncoding"):
        assert head[name] == got[name]


@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=0-9", slice(0, 10)), ("bytes=10-", slice(10, None)), ("bytes=-5", slice(-5, None))],
)
def test_a_range_is_that_part(
    world: World, chain: Chain, client: Any, asked: str, part: slice
) -> None:
    digest = chain.digests[2]
    got = client("s3").get_object(Bucket=BUCKET, Key=digest.key, Range=asked)
    assert got["Body"].read() == world.objects[digest.address].body[part]
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_range_beyond_the_end_is_refused(chain: Chain, client: Any) -> None:
    with pytest.raises(ClientError) as error:
        client("s3").get_object(Bucket=BUCKET, Key=chain.digests[2].key, Range="bytes=99999-")
    assert code(error) == ("InvalidRange", 416)


def test_absent_keys_and_buckets_are_told_apart(client: Any) -> None:
    s3 = client("s3")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=BUCKET, Key="absent")
    assert code(error) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as error:
        s3.list_objects_v2(Bucket="no-such-bucket")
    assert code(error) == ("NoSuchBucket", 404)
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=BUCKET, Key="absent")
    assert code(error) == ("404", 404)


def test_absence_can_be_hidden_as_from_who_may_not_list(server: LabServer, client: Any) -> None:
    server.s3.hide_absent = True
    with pytest.raises(ClientError) as error:
        client("s3").get_object(Bucket=BUCKET, Key="absent")
    assert code(error) == ("AccessDenied", 403)


def test_an_archived_object_has_a_head_and_no_body(world: World, chain: Chain, client: Any) -> None:
    attacks.archive(world, chain.digests[2].address)
    s3 = client("s3")
    head = s3.head_object(Bucket=BUCKET, Key=chain.digests[2].key)
    assert head["StorageClass"] == "GLACIER"
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=BUCKET, Key=chain.digests[2].key)
    assert code(error) == ("InvalidObjectState", 403)
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=chain.digests[2].key)["Contents"]
    assert listed[0]["StorageClass"] == "GLACIER"


def test_changes_of_the_world_show_at_once(world: World, chain: Chain, client: Any) -> None:
    s3 = client("s3")
    digest = chain.digests[2]
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=digest.key)["KeyCount"] == 1
    attacks.delete_digest(world, digest)
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=digest.key)["KeyCount"] == 0
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=BUCKET, Key=digest.key)


def test_a_bucket_says_where_and_whose_it_is(world: World, client: Any) -> None:
    world.add_bucket("far", region="eu-central-1", owner="999999999999")
    s3 = client("s3")
    head = s3.head_bucket(Bucket=BUCKET)
    assert head["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None
    assert s3.get_bucket_location(Bucket="far")["LocationConstraint"] == "eu-central-1"
    with pytest.raises(ClientError) as error:
        s3.list_objects_v2(Bucket="far", ExpectedBucketOwner="111122223333")
    assert code(error) == ("AccessDenied", 403)


def test_a_bucket_of_another_region_redirects(world: World, server: LabServer, client: Any) -> None:
    world.add_bucket("far", region="eu-central-1", owner="111122223333")
    world.objects["far", "k"] = StoredObject(b"x", world.now)
    request = urllib.request.Request(f"{server.endpoint}/far/k", headers=signed_for("us-east-1"))
    with pytest.raises(HTTPError) as error:
        urllib.request.urlopen(request)
    with error.value as answer:
        assert answer.status == 301
        assert answer.headers["x-amz-bucket-region"] == "eu-central-1"
    # botocore follows, and signs for the region that it was told.
    assert client("s3").get_object(Bucket="far", Key="k")["Body"].read() == b"x"
    server.s3.strict_regions = False
    with urllib.request.urlopen(request) as response:
        assert response.read() == b"x"


def test_a_request_without_a_signature_is_refused(server: LabServer) -> None:
    with pytest.raises(HTTPError) as error:
        urllib.request.urlopen(f"{server.endpoint}/{BUCKET}")
    with error.value as answer:
        assert answer.status == 403
        assert b"<Code>AccessDenied</Code>" in answer.read()


def test_lifecycle_rules_are_shown(world: World, client: Any) -> None:
    s3 = client("s3")
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)
    world.expire(BUCKET, days=400, prefix="AWSLogs/")
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert rules == [
        {
            "ID": "after-400",
            "Filter": {"Prefix": "AWSLogs/"},
            "Status": "Enabled",
            "Expiration": {"Days": 400},
        }
    ]
    assert "Status" not in s3.get_bucket_versioning(Bucket=BUCKET)


def test_requests_are_counted_by_operation_and_key(
    chain: Chain, server: LabServer, client: Any
) -> None:
    s3 = client("s3")
    key = chain.digests[2].key
    for _ in range(3):
        s3.get_object(Bucket=BUCKET, Key=key)
    s3.list_objects_v2(Bucket=BUCKET)
    assert server.requests.by_operation == {"GetObject": 3, "ListObjectsV2": 1}
    assert server.requests.by_key == {("GetObject", key): 3}
    server.requests.clear()
    assert server.requests.total == 0


def test_dates_are_those_of_the_objects_in_utc(world: World, client: Any) -> None:
    east = datetime(2026, 3, 1, 12, tzinfo=UTC).astimezone()
    world.objects[BUCKET, "k"] = StoredObject(b"x", east)
    s3 = client("s3")
    assert s3.head_object(Bucket=BUCKET, Key="k")["LastModified"] == east
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="k")["Contents"][0]["LastModified"] == east


def test_answers_are_dated_by_a_clock_that_can_be_wrong(
    world: World, server: LabServer, client: Any
) -> None:
    server.ahead = timedelta(hours=1)
    answer = client("sts").get_caller_identity()["ResponseMetadata"]
    told = parsedate_to_datetime(answer["HTTPHeaders"]["date"])
    assert told == (world.now + timedelta(hours=1)).replace(microsecond=0)


def test_a_bucket_may_have_a_key(world: World, chain: Chain, client: Any) -> None:
    about = world.buckets[BUCKET]
    about.kms_key_arn, about.bucket_key = "arn:aws:kms:us-east-1:111122223333:key/k", True
    got = client("s3").get_object(Bucket=BUCKET, Key=chain.digests[1].key)
    assert (got["ServerSideEncryption"], got["SSEKMSKeyId"], got["BucketKeyEnabled"]) == (
        "aws:kms",
        about.kms_key_arn,
        True,
    )
