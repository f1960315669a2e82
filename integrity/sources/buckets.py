"""Buckets as they are asked: each in its own region, through both clients, with fresh credentials.

A bucket is opened when it is first asked for, and again when the credentials were renewed. Where it
lies S3 tells everybody; it decides nothing about what lies in it. (AWS: API_HeadBucket.)
"""

from __future__ import annotations

import threading
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct

from integrity.aws.refusal import (
    REFUSALS,
    Call,
    Refusal,
    error_code,
    explain,
    is_expired,
    may_pass,
)
from integrity.aws.session import Aws
from integrity.chain.names import is_region_name
from integrity.sources.fast_bucket import FastBucket
from integrity.sources.fast_listing import FastListing
from integrity.sources.patience import Patience

_FALLBACK_REGION = "us-east-1"
_LONGEST_KEY_BYTES = 1024
_DENIED = frozenset({"AccessDenied", "403"})
_UNLESS_OWNED = "; S3 says the same of every bucket that is not account {owner}'s"


class Bucket(Struct, frozen=True):
    """`client` is botocore's, `fast` is libcurl's where that can be had, `listing` is for pages.

    `generation` says which credentials all were made with.
    """

    name: str
    client: Any
    fast: FastBucket | None
    listing: FastListing | None
    partition: str
    generation: int


class Buckets:
    """Every bucket that was asked for. Thread-safe."""

    def __init__(self, aws: Aws, owner: str | None, patience: Patience) -> None:
        self._aws, self._owner, self._patience = aws, owner, patience
        self.owned = {} if owner is None else {"ExpectedBucketOwner": owner}
        self._opened: dict[str, Bucket] = {}
        self._regions: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def open(self, name: str) -> Bucket:
        """The bucket, where it lies."""
        known = self._opened.get(name)
        if known is not None and known.generation == self._aws.generation:
            return known
        with self._lock:
            known = self._opened.get(name)
            if known is None or known.generation != self._aws.generation:
                self._opened[name] = self._open(name)
            return self._opened[name]

    def opened_fast(self, name: str) -> FastBucket | None:
        """As libcurl reads it, where it can and the bucket is open with today's credentials."""
        known = self._opened.get(name)
        if known is None or known.generation != self._aws.generation:
            return None
        return known.fast

    def has_renewed(self, error: Refusal, bucket: Bucket) -> bool:
        """Whether there are newer credentials than those that S3 calls expired."""
        return is_expired(error) and self._aws.renew(bucket.generation)

    def explain(self, error: Refusal, call: Call, *, unless_listed: str = "") -> str:
        """A refusal as a sentence, with what else it may mean."""
        sentence = explain(error, call)
        if error_code(error) not in _DENIED or call.permission not in sentence:
            return sentence
        owner = "" if self._owner is None else _UNLESS_OWNED.format(owner=self._owner)
        return sentence + unless_listed + owner

    def _open(self, name: str) -> Bucket:
        generation = self._aws.generation
        if name not in self._regions:
            self._regions[name] = self._region(name)
        region = self._regions[name]
        client = self._aws.client("s3", region or self._first_region)
        # Where S3 could not be asked, botocore finds the region again by S3's own redirects.
        fast, listing = self._open_fast(client, name) if region else (None, None)
        partition = self._aws.partition(client.meta.region_name)
        return Bucket(name, client, fast, listing, partition, generation)

    def _open_fast(self, client: Any, name: str) -> tuple[FastBucket | None, FastListing | None]:
        try:
            fast = FastBucket.open(self._aws, client, name, self._owner)
            return fast, FastListing.open(self._aws, client, name)
        except REFUSALS:
            return None, None  # no credentials to be had: botocore says so of each object

    @property
    def _first_region(self) -> str:
        return self._aws.region or _FALLBACK_REGION

    def _region(self, name: str) -> str | None:
        """Where the bucket lies, which S3 tells everybody. None where it gave no answer at all."""
        client = self._aws.client("s3", self._first_region)
        for is_last in self._patience.attempts():
            try:
                answer = client.head_bucket(Bucket=name, **self.owned)
            except REFUSALS as error:
                if may_pass(error) and not is_last:
                    continue
                if not isinstance(error, ClientError):
                    return None
                answer = error.response
            headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            region = str(headers.get("x-amz-bucket-region", ""))
            return region if is_region_name(region) else self._first_region
        return None


def can_be_key(key: str) -> bool:
    """Keys are 1 to 1,024 bytes of UTF-8; under any other name there can be no object."""
    try:
        return 1 <= len(key.encode()) <= _LONGEST_KEY_BYTES
    except UnicodeEncodeError:
        return False
