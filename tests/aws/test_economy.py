"""A session that takes less pains: it reads the same, and knows of EC2 what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.utils import parse_timestamp

from integrity.aws.economy import economize, read_time

TOLD = [
    "2026-03-01T00:30:05.000Z",
    "2026-03-01T00:30:05Z",
    "2026-03-01T02:30:05+02:00",
    "Sun, 01 Mar 2026 00:30:05 GMT",
    "1772325005",
    1772325005,
    1772325005.0,
]


@pytest.mark.parametrize("told", TOLD)
def test_times_are_what_botocore_reads(told: Any) -> None:
    assert read_time(told) == datetime(2026, 3, 1, 0, 30, 5, tzinfo=UTC)
    assert parse_timestamp(told) == read_time(told)


@pytest.mark.parametrize("told", ["2026-03-01", "20260301T003005", "2026-03-01T00:30:05"])
def test_times_without_a_zone_are_botocores_to_read(told: str) -> None:
    assert read_time(told) == parse_timestamp(told)


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        read_time("yesterday")


def test_the_one_operation_of_ec2_is_described_as_botocore_describes_it() -> None:
    usual, light = botocore.session.Session(), botocore.session.Session()
    economize(light)
    whole, part = usual.get_service_model("ec2"), light.get_service_model("ec2")
    assert part.operation_names == ["DescribeRegions"]
    assert {**whole.metadata} == {**part.metadata}
    theirs: Any
    ours: Any
    theirs, ours = (model.operation_model("DescribeRegions") for model in (whole, part))
    assert ours.http == theirs.http
    assert ours.input_shape.members["AllRegions"].type_name == "boolean"
    asked = theirs.input_shape.members["AllRegions"]
    assert ours.input_shape.members["AllRegions"].serialization == asked.serialization
    answered = [model.output_shape.members["Regions"] for model in (theirs, ours)]
    assert answered[0].serialization == answered[1].serialization
    for name in ("RegionName", "OptInStatus"):
        one, other = (regions.member.members[name] for regions in answered)
        assert (one.type_name, one.serialization) == (other.type_name, other.serialization)


def test_models_of_a_persons_own_are_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DATA_PATH", "/somewhere/of/mine")
    session = botocore.session.Session()
    economize(session)
    paths = session.get_component("data_loader").search_paths
    assert paths[0] == "/somewhere/of/mine"
    assert paths == botocore.session.Session().get_component("data_loader").search_paths


PAGE = b"""<?xml version="1.0" encoding="UTF-8"?>
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


def light_session() -> botocore.session.Session:
    session = botocore.session.Session()
    economize(session)
    return session


class Wire:
    """A body as it comes over the wire."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self) -> Iterator[bytes]:
        yield self.body


def listed(session: botocore.session.Session, body: bytes) -> Any:
    """What a client makes of an answer to ListObjectsV2, without asking anybody."""
    client: Any = session.create_client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer = AWSResponse("https://s3/b", 200, HTTPHeaders(), Wire(body))
    client.meta.events.register("before-send.s3.ListObjectsV2", lambda **_: answer)
    page = client.list_objects_v2(Bucket="b")
    return {name: said for name, said in page.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize("body", [PAGE, PAGE.replace(b" xmlns", b" x")])
def test_a_page_of_objects_is_what_botocore_reads(body: bytes) -> None:
    usual, light = listed(botocore.session.Session(), body), listed(light_session(), body)

    assert [one.pop("RestoreStatus", {}).keys() for one in usual["Contents"]] == [
        one.pop("RestoreStatus", {}).keys() for one in light["Contents"]
    ]
    assert light == usual


@pytest.mark.parametrize(
    "body",
    [
        PAGE.replace(b"</Contents>", b"", 1),
        PAGE[:-1],
        b"<Error><Code>SlowDown</Code><Message>m</Message></Error>",
    ],
)
def test_what_is_no_page_is_botocores_to_refuse(body: bytes) -> None:
    with pytest.raises(ClientError) as usual:
        listed(botocore.session.Session(), body)
    with pytest.raises(ClientError) as light:
        listed(light_session(), body)

    assert str(light.value) == str(usual.value)
