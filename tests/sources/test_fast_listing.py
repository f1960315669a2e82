"""Pages past most of botocore: what botocore reads, or nothing that is believed."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.lab.faults import Fault
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.fast_get import Failure
from integrity.sources.fast_listing import FastListing
from integrity.sources.s3 import S3Source
from integrity.structs import replace
from tests.authority import serving, write_authority
from tests.sources.wire import Answer, wire

BUCKET = "trail-logs"
STORED = StoredObject(b"body", datetime(2026, 3, 1, 0, 30, tzinfo=UTC))
PAGE = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
FULL_PAGE = b"""<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
<Prefix>a/</Prefix><KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>
<EncodingType>url</EncodingType><NextContinuationToken>more</NextContinuationToken>
<Contents><Key>a/b%20c%26d</Key><LastModified>2026-03-01T00:30:05.000Z</LastModified>
<ETag>&quot;0f&quot;</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>
<Contents><Key>a/&amp;</Key><LastModified>Sun, 01 Mar 2026 00:30:05 GMT</LastModified>
<ETag>&quot;1f&quot;</ETag><Size>0</Size><StorageClass>GLACIER</StorageClass><RestoreStatus>
<IsRestoreInProgress>false</IsRestoreInProgress>
<RestoreExpiryDate>2100-01-01T00:00:00.000Z</RestoreExpiryDate></RestoreStatus></Contents>
<Contents><Key/><Size>1</Size><LastModified>2026-03-01T00:30:05.000Z</LastModified></Contents>
<CommonPrefixes><Prefix>a/x/</Prefix></CommonPrefixes></ListBucketResult>"""


@pytest.fixture
def fast(aws: Aws) -> FastListing:
    return FastListing.open(aws, aws.client("s3", "us-east-1"), BUCKET)


@pytest.mark.parametrize("more", [{}, {"Delimiter": "/"}])
def test_a_page_is_what_botocore_reads(
    fast: FastListing, aws: Aws, world: World, lab: LabServer, more: dict[str, str]
) -> None:
    lab.s3.page_size = 3
    for key in ("a b", "a+%2F&<>", "b/c d+%/e", "c\u2028ü", "d\n\x7f", "e"):
        world.objects[BUCKET, f"odd/{key}"] = dataclasses.replace(STORED, storage_class="GLACIER")
    lab.s3.restored.add((BUCKET, "odd/a b"))
    asked: dict[str, Any] = {
        "Bucket": BUCKET,
        "Prefix": "odd/",
        "OptionalObjectAttributes": ["RestoreStatus"],
        **more,
    }
    for _ in range(2):
        own = same(fast, aws, asked)
        asked["ContinuationToken"] = own.get("NextContinuationToken")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (FULL_PAGE, "a/b c&d"),
        (FULL_PAGE.replace(b" xmlns", b" x"), "a/b c&d"),
        (FULL_PAGE.replace(b"<EncodingType>url</EncodingType>", b""), "a/b%20c%26d"),
    ],
)
def test_whatever_a_page_leaves_out_or_spells_otherwise_is_what_botocore_reads(
    recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch, body: bytes, key: str
) -> None:
    with answering(body, recipe, monkeypatch) as (fast, aws):
        page = same(fast, aws, {"Bucket": BUCKET, "Prefix": "a/"})

    assert [one["Key"] for one in page["Contents"]] == [key, "a/&", ""]
    assert page["NextContinuationToken"] == "more"


def same(fast: FastListing, aws: Aws, asked: dict[str, Any]) -> Any:
    """The page, which is as botocore reads it as far as anything is read of it."""
    own: Any = fast.page(asked)
    theirs = aws.client("s3", "us-east-1").list_objects_v2(**asked)
    assert own["IsTruncated"] is theirs["IsTruncated"]
    assert own.get("NextContinuationToken") == theirs.get("NextContinuationToken")
    assert own["CommonPrefixes"] == theirs.get("CommonPrefixes", [])
    for one, other in zip(own["Contents"], theirs.get("Contents", []), strict=True):
        restored = "RestoreExpiryDate" in one.pop("RestoreStatus", {})
        assert restored is ("RestoreExpiryDate" in other.pop("RestoreStatus", {}))
        assert one == other
    return own


@contextmanager
def answering(
    body: bytes, recipe: AwsRecipe, patch: pytest.MonkeyPatch, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[FastListing, Aws]]:
    """Where every answer is this one."""
    with wire(lambda _: Answer(200, body), tls) as server:
        patch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        aws = recipe.open()
        yield FastListing.open(aws, aws.client("s3", "us-east-1"), BUCKET), aws


def test_another_owners_bucket_is_not_listed(fast: FastListing, world: World) -> None:
    world.objects[BUCKET, "a"] = STORED
    asked = {"Bucket": BUCKET, "Prefix": "", "ExpectedBucketOwner": "111122223333"}
    assert not isinstance(fast.page(asked), Failure)
    assert fast.page(asked | {"ExpectedBucketOwner": "999900001111"}) is Failure.OTHER


@pytest.mark.parametrize(
    ("action", "failure"),
    [("throttle", Failure.SLOW_DOWN), ("deny", Failure.OTHER), ("reset", Failure.OTHER)],
)
def test_whatever_is_no_page_is_a_failure(
    fast: FastListing, lab: LabServer, action: Any, failure: Failure
) -> None:
    lab.faults.append(Fault(action, operation="ListObjectsV2"))
    assert fast.page({"Bucket": BUCKET, "Prefix": ""}) is failure


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no XML",
        PAGE[:-1],
        PAGE.replace(b"false", b"perhaps"),
        b"<ListBucketResult/>",
        b"<Error><IsTruncated>false</IsTruncated></Error>",
        PAGE.replace(b"<Is", b"<Contents><LastModified>?</LastModified></Contents><Is", 1),
        PAGE.replace(b"<Is", b"<EncodingType>url</EncodingType><Contents/><Is", 1),
    ],
)
def test_a_body_that_is_no_whole_page_is_not_believed(
    recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    with answering(body, recipe, monkeypatch) as (fast, _):
        assert fast.page({"Bucket": BUCKET, "Prefix": ""}) is Failure.OTHER


@pytest.mark.parametrize("is_known", [False, True])
def test_only_who_has_a_known_certificate_is_asked(
    *, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_known: bool
) -> None:
    authority = tmp_path / "authority.pem"
    write_authority(authority)
    if is_known:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    with answering(PAGE, recipe, monkeypatch, serving(authority)) as (fast, _):
        page = fast.page({"Bucket": BUCKET, "Prefix": ""})

    assert (page is not Failure.OTHER) is is_known


def test_it_goes_where_botocore_goes_and_through_the_same_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with wire(lambda _: Answer(403)) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.endpoint)
        aws = AwsRecipe(region="eu-west-1", attempts=1).open()
        fast = FastListing.open(aws, aws.client("s3"), BUCKET)
        assert fast.page({"Bucket": BUCKET, "Prefix": ""}) is Failure.OTHER
    assert [(one.method, one.path) for one in server.asked] == [
        ("CONNECT", f"{BUCKET}.s3.eu-west-1.amazonaws.com:443")
    ]


def test_one_that_is_silent_is_given_up_on(
    recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        aws = replace(recipe, read_timeout=0.2).open()
        fast = FastListing.open(aws, aws.client("s3", "us-east-1"), BUCKET)
        started = time.monotonic()
        assert fast.page({"Bucket": BUCKET, "Prefix": ""}) is Failure.OTHER
    assert time.monotonic() - started < 10


@pytest.mark.usefixtures("lab")
def test_failures_between_pages_are_forgotten(fast: FastListing) -> None:
    for _ in range(20):
        fast.note_failure()
        assert not isinstance(fast.page({"Bucket": BUCKET, "Prefix": ""}), Failure)
    assert fast.is_worth_asking


def test_what_is_turned_away_slows_the_next_requests_down(
    recipe: AwsRecipe, lab: LabServer
) -> None:
    lab.faults.append(Fault("throttle", operation="ListObjectsV2", last=8))
    halvings = [0] * 8
    aws = replace(recipe, attempts=10, first_wait=0.001).open()
    assert list(S3Source(aws, slowdowns=halvings).list_objects(BUCKET, "")) == []
    assert sum(halvings) > 0


def test_it_is_left_alone_where_only_botocore_can_list(
    aws: Aws, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.objects[BUCKET, "a"] = STORED
    pages: list[Failure] = []

    def fail(*_: object) -> Failure:
        pages.append(Failure.OTHER)
        return Failure.OTHER

    monkeypatch.setattr(FastListing, "page", fail)
    source = S3Source(aws)

    for _ in range(20):
        assert len(list(source.list_objects(BUCKET, ""))) == 1

    assert len(pages) == 16


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("throttled", [1, 2])
def test_a_page_that_was_turned_away_is_waited_for_and_botocore_asked_last(
    recipe: AwsRecipe,
    world: World,
    lab: LabServer,
    monkeypatch: pytest.MonkeyPatch,
    throttled: int,
) -> None:
    world.objects[BUCKET, "a"] = STORED
    lab.faults.append(Fault("throttle", operation="ListObjectsV2", last=throttled))
    asked: list[object] = []
    page = FastListing.page

    def noted(listing: FastListing, question: dict[str, Any]) -> Any:
        asked.append(question)
        return page(listing, question)

    monkeypatch.setattr(FastListing, "page", noted)
    source = S3Source(replace(recipe, attempts=2).open())

    assert len(list(source.list_objects(BUCKET, ""))) == 1
    assert len(asked) == 2
    assert lab.requests.by_operation["ListObjectsV2"] == throttled + 1
