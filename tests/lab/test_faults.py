"""Trouble on demand, as boto3 meets it."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from integrity.lab.faults import Action, Fault
from integrity.lab.server import LabServer, serve
from integrity.lab.world import Chain, World

BUCKET = "trail-logs"


@pytest.mark.parametrize(
    ("do", "status", "code"),
    [
        ("deny", 403, "AccessDenied"),
        ("throttle", 503, "SlowDown"),
        ("error", 500, "InternalError"),
        ("archive", 403, "InvalidObjectState"),
        ("kms", 403, "AccessDenied"),
        ("expire", 400, "ExpiredToken"),
        ("skew", 403, "RequestTimeTooSkewed"),
    ],
)
def test_s3_answers_with_an_error(
    chain: Chain, server: LabServer, client: Any, do: Action, status: int, code: str
) -> None:
    server.faults.append(Fault(do, operation="GetObject"))
    with pytest.raises(ClientError) as error:
        client("s3").get_object(Bucket=BUCKET, Key=chain.digests[1].key)
    response = error.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["Error"]["Code"] == code
    assert ("customer master key" in response["Error"]["Message"]) == (do == "kms")
    client("s3").head_object(Bucket=BUCKET, Key=chain.digests[1].key)


@pytest.mark.parametrize(
    ("service", "operation", "do", "code"),
    [
        ("cloudtrail", "list_public_keys", "deny", "AccessDeniedException"),
        ("cloudtrail", "list_trails", "throttle", "ThrottlingException"),
        ("cloudtrail", "list_trails", "expire", "ExpiredTokenException"),
        ("sts", "get_caller_identity", "expire", "ExpiredToken"),
        ("organizations", "list_accounts", "deny", "AccessDeniedException"),
        ("sts", "get_caller_identity", "deny", "AccessDenied"),
        ("sts", "get_caller_identity", "error", "InternalFailure"),
        ("ec2", "describe_regions", "deny", "UnauthorizedOperation"),
        ("ec2", "describe_regions", "throttle", "RequestLimitExceeded"),
        ("sns", "list_topics", "deny", "AccessDenied"),
    ],
)
def test_every_service_answers_in_its_own_words(
    server: LabServer, client: Any, service: str, operation: str, do: Action, code: str
) -> None:
    name = operation.title().replace("_", "")
    server.faults.append(Fault(do, operation=name))
    with pytest.raises(ClientError) as error:
        getattr(client(service), operation)()
    assert error.value.response["Error"]["Code"] == code


def test_a_rule_can_end_and_clients_retry(chain: Chain, server: LabServer, client: Any) -> None:
    fault = Fault("throttle", operation="ListPublicKeys", last=2)
    server.faults.append(fault)
    with pytest.raises(ClientError, match="ThrottlingException"):
        client("cloudtrail").list_public_keys()
    client("cloudtrail", attempts=3).list_public_keys()
    assert fault.seen == 3
    server.faults[:] = [Fault("throttle", operation="GetObject", last=1)]
    s3 = client("s3", attempts=3)
    assert s3.get_object(Bucket=BUCKET, Key=chain.digests[1].key)["ContentLength"]
    assert server.requests.by_operation["GetObject"] == 2


def test_a_rule_acts_on_the_nth_request_alone(chain: Chain, server: LabServer, client: Any) -> None:
    server.faults.append(Fault("deny", key=chain.digests[1].key, first=2, last=2))
    s3 = client("s3")
    seen = []
    for _ in range(3):
        try:
            s3.head_object(Bucket=BUCKET, Key=chain.digests[1].key)
            seen.append(200)
        except ClientError as error:
            seen.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
    assert seen == [200, 403, 200]


def test_a_rule_matches_bucket_key_and_region(chain: Chain, server: LabServer, client: Any) -> None:
    server.faults.append(Fault("deny", bucket="another"))
    server.faults.append(Fault("deny", key="/CloudTrail-Digest/"))
    server.faults.append(Fault("deny", region="eu-west-1", operation="ListPublicKeys"))
    s3 = client("s3")
    s3.get_object(Bucket=BUCKET, Key=chain.log_files[0].key)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=BUCKET, Key=chain.digests[0].key)
    client("cloudtrail").list_public_keys()
    with pytest.raises(ClientError, match="AccessDenied"):
        client("cloudtrail", region="eu-west-1").list_public_keys()


def test_the_first_rule_that_acts_is_the_one(chain: Chain, server: LabServer, client: Any) -> None:
    server.faults += [Fault("throttle", last=1), Fault("deny")]
    for code in ("SlowDown", "AccessDenied"):
        with pytest.raises(ClientError, match=code):
            client("s3").get_object(Bucket=BUCKET, Key=chain.digests[0].key)


def test_a_connection_is_reset(chain: Chain, server: LabServer, client: Any) -> None:
    server.faults.append(Fault("reset", operation="GetObject", last=1))
    s3 = client("s3")
    with pytest.raises(ConnectionClosedError):
        s3.get_object(Bucket=BUCKET, Key=chain.digests[1].key)
    assert s3.get_object(Bucket=BUCKET, Key=chain.digests[1].key)["Body"].read()


def test_a_reset_is_a_reset(server: LabServer) -> None:
    server.faults.append(Fault("reset"))
    host, port = server.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_an_answer_is_late(chain: Chain, server: LabServer, client: Any) -> None:
    server.faults.append(Fault("delay", operation="GetObject", seconds=0.5))
    with pytest.raises(ReadTimeoutError):
        client("s3", read_timeout=0.1).get_object(Bucket=BUCKET, Key=chain.digests[1].key)
    got = client("s3").get_object(Bucket=BUCKET, Key=chain.digests[1].key)
    assert got["Body"].read()


def test_a_body_is_cut_and_its_length_agrees(
    world: World, chain: Chain, server: LabServer, client: Any
) -> None:
    server.faults.append(Fault("cut", operation="GetObject", size=100))
    digest = chain.digests[1]
    got = client("s3").get_object(Bucket=BUCKET, Key=digest.key)
    assert got["ContentLength"] == 100
    assert got["Body"].read() == world.objects[digest.address].body[:100]


def test_a_body_is_cut_against_its_promise(chain: Chain, server: LabServer, client: Any) -> None:
    server.faults.append(Fault("cut-short", operation="GetObject", size=100))
    got = client("s3").get_object(Bucket=BUCKET, Key=chain.digests[1].key)
    assert got["ContentLength"] > 100
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        got["Body"].read()


def test_a_body_drips(world: World, chain: Chain, server: LabServer, client: Any) -> None:
    digest = chain.digests[1]
    body = world.objects[digest.address].body
    server.faults.append(Fault("drip", operation="GetObject", size=len(body) // 4, seconds=0.3))
    slow = client("s3").get_object(Bucket=BUCKET, Key=digest.key)["Body"].read()
    assert slow == body
    impatient = client("s3", read_timeout=0.1).get_object(Bucket=BUCKET, Key=digest.key)
    with pytest.raises(ReadTimeoutError):
        impatient["Body"].read()


def test_a_listing_can_be_cut_too(server: LabServer, client: Any) -> None:
    server.faults.append(Fault("deny", operation="ListObjectsV2", first=2))
    server.s3.page_size = 3
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    with pytest.raises(ClientError, match="AccessDenied"):
        list(pages)
    assert server.requests.by_operation["ListObjectsV2"] == 2


def test_a_server_ends_with_its_connections(world: World) -> None:
    before = set(threading.enumerate())
    with serve(world) as server:
        host, port = server.endpoint.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)))
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 403"
        (handler,) = {one for one in threading.enumerate() if one not in before} - {server.thread}
    with connection:
        while connection.recv(4096):
            pass
    handler.join()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_a_rule_acts_on_every_so_many_requests() -> None:
    fault = Fault("throttle", first=3, every=4)
    acts = [fault.applies("GetObject", BUCKET, "key", "us-east-1", "") for _ in range(12)]
    assert [number for number, acted in enumerate(acts, 1) if acted] == [3, 7, 11]
    assert fault.seen == 12


def test_a_rule_counts_each_key_by_itself() -> None:
    fault = Fault("reset", last=1, per_key=True)
    acts = [fault.applies("GetObject", BUCKET, key, "us-east-1", "") for key in "aabcba"]
    assert acts == [True, False, True, True, False, False]


def test_a_rule_is_for_one_signer() -> None:
    fault = Fault("expire", access_key="AKIAOLD")
    assert fault.applies("GetObject", BUCKET, "key", "us-east-1", "AKIAOLD")
    assert not fault.applies("GetObject", BUCKET, "key", "us-east-1", "AKIANEW")


def test_a_rule_may_say_it_in_other_words(server: LabServer, client: Any) -> None:
    server.faults.append(Fault("deny", operation="ListTrails", message="with an explicit deny"))
    with pytest.raises(ClientError, match="with an explicit deny"):
        client("cloudtrail").list_trails()
