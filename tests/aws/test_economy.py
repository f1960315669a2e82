"""A session that takes less pains: it reads the same, and knows of EC2 what is asked of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
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
