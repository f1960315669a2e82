"""Every implementation of a store, behind one way to open it: again and again, as processes do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from integrity.service.ports import RecordStore, StateStore
from integrity.stores.dynamodb import DynamoDbStore
from integrity.stores.records_folder import FolderRecords
from integrity.stores.records_s3 import S3Records
from integrity.stores.sqlite import SqliteStore
from tests.memory_store import MemoryRecords, MemoryStore

TABLE = "integrity"
REGION = "us-east-1"

# One for all tests: it reads the services' models once. Made after moto, which is in every client.
SESSION = boto3.session.Session()
ONE_AT_A_TIME = threading.RLock()

OpenStore = Callable[[], StateStore]


def client(service: str) -> Any:
    """Each request is one step for all threads, as AWS promises and moto alone does not."""
    make: Any = SESSION.client
    made = make(service, region_name=REGION, aws_access_key_id="id", aws_secret_access_key="secret")
    ask = made._make_api_call

    def ask_alone(*request: Any) -> Any:
        with ONE_AT_A_TIME:
            return ask(*request)

    made._make_api_call = ask_alone
    return made


def make_table(name: str = TABLE) -> None:
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def table(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue("aws")
    make_table()
    return TABLE


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the same store again at each call, as another process would."""
    opened: list[StateStore] = []
    memory = MemoryStore()
    if request.param == "dynamodb":
        request.getfixturevalue("table")

    def open_one() -> StateStore:
        store: StateStore = memory
        if request.param == "sqlite":
            store = SqliteStore(tmp_path / "state.db")
        if request.param == "dynamodb":
            store = DynamoDbStore(TABLE, client("dynamodb"))
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> StateStore:
    return open_store()


@pytest.fixture(params=["memory", "folder", "s3"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> RecordStore:
    if request.param == "memory":
        return MemoryRecords()
    if request.param == "folder":
        return FolderRecords(tmp_path)
    request.getfixturevalue("aws")
    s3 = client("s3")
    s3.create_bucket(Bucket="records")
    return S3Records("records", s3, prefix="integrity/")
