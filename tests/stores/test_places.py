"""A configured place, and the store that it means."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.errors import UsageError
from integrity.stores.dynamodb import DynamoDbStore
from integrity.stores.places import (
    named_bucket,
    named_table,
    open_record_store,
    open_state_store,
)
from integrity.stores.records_folder import FolderRecords
from integrity.stores.records_s3 import S3Records
from integrity.stores.sqlite import SqliteStore


def no_aws() -> Aws:
    raise AssertionError("nobody needs AWS here")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    return monkeypatch


def open_aws() -> Aws:
    return AwsRecipe(region="eu-central-1").open()


def meta(store: Any) -> Any:
    return getattr(store, "_client", None) or store._table._client


def test_a_path_is_a_file_of_sqlite(tmp_path: Path) -> None:
    store = open_state_store(str(tmp_path / "state.db"), no_aws)
    assert isinstance(store, SqliteStore)
    store.close()
    assert (tmp_path / "state.db").exists()


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("place", "region"),
    [
        ("dynamodb://integrity-state", "eu-central-1"),
        ("arn:aws:dynamodb:us-west-2:111122223333:table/integrity-state", "us-west-2"),
    ],
)
def test_a_table_is_dynamodbs(place: str, region: str) -> None:
    store = open_state_store(place, open_aws)
    assert isinstance(store, DynamoDbStore)
    assert store._table.name == "integrity-state"
    assert meta(store).meta.region_name == region
    assert meta(store).meta.config.retries == {"mode": "standard", "total_max_attempts": 8}


def test_a_drive_is_no_scheme() -> None:
    with pytest.raises(UsageError, match="lies nowhere: make"):
        open_record_store("c:/gone/records", no_aws)


def test_a_folder_is_a_folder(tmp_path: Path) -> None:
    assert isinstance(open_record_store(str(tmp_path), no_aws), FolderRecords)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("prefix", ["", "/", "/integrity/records"])
def test_a_bucket_is_s3s(prefix: str) -> None:
    store = open_record_store(f"s3://records{prefix}", open_aws)
    assert isinstance(store, S3Records)
    assert meta(store).meta.config.retries["total_max_attempts"] == 8


@pytest.mark.parametrize(
    "place", ["", "dynamodb://", "dynamodb://a b", "s3://b", "arn:aws:s3:::b", "postgres://x/y"]
)
def test_a_place_of_no_state_is_named(place: str) -> None:
    with pytest.raises(UsageError, match="is no place of a store: expected a path, or dynamodb"):
        open_state_store(place, no_aws)


@pytest.mark.parametrize("place", ["", "s3://", "s3://A_B/x", "dynamodb://table", "https://x/y"])
def test_a_place_of_no_records_is_named(place: str) -> None:
    with pytest.raises(UsageError, match="is no place of a store: expected a path, or s3://"):
        open_record_store(place, no_aws)


def test_without_a_region_it_is_asked_for(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_REGION", raising=False)
    with pytest.raises(UsageError, match="no region was given"):
        open_state_store("dynamodb://integrity", AwsRecipe().open)


def test_an_endpoint_that_is_none_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", "no url")
    with pytest.raises(UsageError, match="check AWS_ENDPOINT_URL"):
        open_state_store("dynamodb://integrity", open_aws)


def test_files_need_no_aws(tmp_path: Path) -> None:
    program = (
        "import sys; from integrity.stores.places import *; "
        "open_state_store(sys.argv[1] + '/s.db', None); open_record_store(sys.argv[1], None); "
        "print(sorted({'boto3', 'botocore', 'pycurl'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_what_a_place_names_is_told_without_opening_it() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/state"
    assert named_table("dynamodb://state") == ("state", None)
    assert named_table(arn) == ("state", "eu-west-1")
    assert named_table("/var/lib/state.sqlite") is None
    assert named_bucket("s3://records/of/main") == ("records", "of/main")
    assert named_bucket("s3://records") == ("records", "")
    assert named_bucket("/var/lib/records") is None
