"""Listings of the lab's S3 through real clients."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integrity.lab.objects import Address, Objects, StoredObject
from integrity.lab.s3_listings import KeyIndex
from integrity.lab.server import LabServer
from integrity.lab.world import World

BUCKET = "trail-logs"


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("page_size", [1, 3, 1000])
def test_pages_of_a_listing_make_the_whole(
    world: World, server: LabServer, client: Any, operation: str, page_size: int
) -> None:
    server.s3.page_size = page_size
    pages = client("s3").get_paginator(operation).paginate(Bucket=BUCKET, Prefix="AWSLogs/1")
    listed = [one for page in pages for one in page.get("Contents", [])]
    assert [one["Key"] for one in listed] == world.objects.keys_under(BUCKET)
    for one in listed:
        stored = world.objects[BUCKET, one["Key"]]
        assert one["LastModified"] == stored.last_modified
        assert (one["Size"], one["ETag"]) == (len(stored.body), f'"{stored.etag}"')
        assert one["StorageClass"] == "STANDARD"


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_a_delimiter_folds_folders(
    world: World, server: LabServer, client: Any, operation: str, page_size: int
) -> None:
    server.s3.page_size = page_size
    for key in ("a", "a/", "a/b/c", "a/b/d", "a/e", "a0", "b/c", "é/x", "é/y"):
        world.put_marker("trail-logs", key, world.now)

    def seen(prefix: str) -> tuple[list[str], list[str]]:
        paginator = client("s3").get_paginator(operation)
        pages = list(paginator.paginate(Bucket=BUCKET, Prefix=prefix, Delimiter="/"))
        return (
            [one["Key"] for page in pages for one in page.get("Contents", [])],
            [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])],
        )

    assert seen("") == (["a", "a0"], ["AWSLogs/", "a/", "b/", "é/"])
    assert seen("a/") == (["a/", "a/e"], ["a/b/"])
    assert seen("nothing") == ([], [])


def test_while_the_keys_are_sorted_nobody_is_shown_the_old_ones() -> None:
    """Two clients may ask at once, right after a change."""
    begun, go = Event(), Event()

    class Slow(dict[Address, StoredObject]):
        def __iter__(self) -> Iterator[Address]:
            begun.set()
            assert go.wait(10)
            return super().__iter__()

    objects = Objects()
    objects.data = Slow()
    objects[BUCKET, "a"] = StoredObject(b"", datetime(2026, 3, 1, tzinfo=UTC))
    index = KeyIndex(objects)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(index.page, BUCKET, "", "", "", 10)
        assert begun.wait(10)
        second = threads.submit(index.page, BUCKET, "", "", "", 10)
        wait([second], 0.1)
        go.set()
        pages = [first.result(10), second.result(10)]
    assert [[key for key, _ in found] for found, _ in pages] == [["a"], ["a"]]


def test_a_listing_begins_after_what_was_asked(world: World, client: Any) -> None:
    keys = world.objects.keys_under(BUCKET)
    s3 = client("s3")
    for options in ({"StartAfter": keys[4]}, {"StartAfter": keys[4] + "\x01"}):
        listed = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=2, **options)
        assert [one["Key"] for one in listed["Contents"]] == keys[5:7]
        assert listed["IsTruncated"]
        assert listed["KeyCount"] == 2
    first = s3.list_objects(Bucket=BUCKET, Marker=keys[4], MaxKeys=2)
    assert [one["Key"] for one in first["Contents"]] == keys[5:7]
    none = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"]) == (0, False)


@pytest.mark.parametrize("key", ["a b+c&<>\"'%2F?x=1#", "é€😀", "a//b/../c", "tab\tend"])
def test_odd_keys_are_listed_and_fetched(world: World, client: Any, key: str) -> None:
    world.objects[BUCKET, "odd/" + key] = StoredObject(b"x", world.now)
    s3 = client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="odd/")["Contents"]
    assert [one["Key"] for one in listed] == ["odd/" + key]
    assert s3.get_object(Bucket=BUCKET, Key="odd/" + key)["Body"].read() == b"x"


def test_a_restored_object_says_so_to_who_asks(
    world: World, server: LabServer, client: Any
) -> None:
    for key, storage_class in (("a", "GLACIER"), ("b", "GLACIER"), ("c", "STANDARD")):
        world.objects[BUCKET, f"x/{key}"] = StoredObject(
            b"", world.now, storage_class=storage_class
        )
    server.s3.restored.add((BUCKET, "x/b"))

    def restored(**asked: Any) -> list[str]:
        page = client("s3").list_objects_v2(Bucket=BUCKET, Prefix="x/", **asked)
        return [one["Key"] for one in page["Contents"] if "RestoreStatus" in one]

    assert restored() == []
    assert restored(OptionalObjectAttributes=["RestoreStatus"]) == ["x/b"]
    assert client("s3").get_object(Bucket=BUCKET, Key="x/b")["StorageClass"] == "GLACIER"
    with pytest.raises(ClientError) as error:
        client("s3").get_object(Bucket=BUCKET, Key="x/a")
    assert code(error) == ("InvalidObjectState", 403)
