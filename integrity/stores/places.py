"""Which store a configured place means, and the way to it. What it is made of is the store's own.

State lies in a file, or in DynamoDB: `dynamodb://TABLE` in the region of the command, or
the ARN of a table. Records lie in a folder, or below `s3://BUCKET/PREFIX`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrity.errors import UsageError
from integrity.stores.retention import USUAL, Retention

if TYPE_CHECKING:
    from integrity.aws.session import Aws
    from integrity.stores.dynamodb import DynamoDbStore
    from integrity.stores.records_folder import FolderRecords
    from integrity.stores.records_s3 import S3Records
    from integrity.stores.sqlite import SqliteStore

_TABLE = r"(?P<table>[A-Za-z0-9_.-]{3,255})"
_TABLE_URL = re.compile(rf"dynamodb://{_TABLE}")
_TABLE_ARN = re.compile(
    rf"arn:aws[a-z-]*:dynamodb:(?P<region>[a-z0-9-]+):[0-9]{{12}}:table/{_TABLE}", re.ASCII
)
_BUCKET_URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?")
# A single letter before the colon is a drive of Windows.
_ANY_SCHEME = re.compile(r"[a-z0-9+]{2,}:/|arn:")


def named_table(place: str) -> tuple[str, str | None] | None:
    """The table that a place of state names, and the region where it says one; None for a file."""
    table = _TABLE_URL.fullmatch(place) or _TABLE_ARN.fullmatch(place)
    return table and (table["table"], table.groupdict().get("region"))


def named_bucket(place: str) -> tuple[str, str] | None:
    """The bucket that a place of records names, and the folder in it; None for a folder of disk."""
    bucket = _BUCKET_URL.fullmatch(place)
    return bucket and (bucket["bucket"], bucket["prefix"] or "")


def open_state_store(
    place: str, open_aws: Callable[[], Aws], *, retention: Retention = USUAL
) -> SqliteStore | DynamoDbStore:
    """The store at `place`. `open_aws` is called only where AWS is needed.

    Raises UsageError for a place that is none, and as the store and `open_aws` do.
    """
    table = named_table(place)
    if table is not None:
        from integrity.stores.dynamodb import DynamoDbStore

        name, region = table
        return DynamoDbStore(name, _client(open_aws(), "dynamodb", region), retention=retention)
    from integrity.stores.sqlite import SqliteStore

    return SqliteStore(_path(place, "dynamodb://TABLE, a table's ARN"), retention=retention)


def open_record_store(
    place: str,
    open_aws: Callable[[], Aws],
    *,
    kms_key_id: str | None = None,
    expected_bucket_owner: str | None = None,
) -> FolderRecords | S3Records:
    """The records at `place`; the last two count for a bucket. Raises as `open_state_store`."""
    named = named_bucket(place)
    if named is not None:
        from integrity.stores.records_s3 import S3Records

        bucket, prefix = named
        return S3Records(
            bucket,
            _client(open_aws(), "s3", None),
            prefix=prefix,
            kms_key_id=kms_key_id,
            expected_bucket_owner=expected_bucket_owner,
        )
    from integrity.stores.records_folder import FolderRecords

    return FolderRecords(_path(place, "s3://BUCKET/PREFIX"))


def _path(place: str, others: str) -> Path:
    if not place or _ANY_SCHEME.match(place):
        raise UsageError(f"{place!r} is no place of a store: expected a path, or {others}")
    return Path(place)


def _client(aws: Aws, service: str, region: str | None) -> Any:
    """A client that asks again by itself, unlike that of the sources for S3."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    where = region or aws.region
    if where is None:
        raise UsageError("no region was given: add --region, for instance --region us-east-1")
    config = Config(
        connect_timeout=aws.recipe.connect_timeout,
        read_timeout=aws.recipe.read_timeout,
        retries={"mode": "standard", "total_max_attempts": aws.recipe.attempts},
    )
    try:
        return aws.session.create_client(service, region_name=where, config=config)
    except (ValueError, BotoCoreError) as error:
        raise UsageError(
            f"no client for {service} in {where} can be made ({error}): check AWS_ENDPOINT_URL, "
            "the profile's endpoints and the region"
        ) from error
