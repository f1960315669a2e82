"""What lies in the lab's buckets, and what the lab remembers of having put it there.

`StoredObject` is an S3 object as a reader meets it. `LabDigest` and `LabLog` are the lab's own
notes of what CloudTrail delivered: attacks change the objects and never the notes, so a test can
always say what was there.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import UserDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

Address = tuple[str, str]
"""(bucket, key)."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of a bucket. `body` is as stored, compressed; `last_modified` is aware UTC."""

    body: bytes = field(repr=False)
    last_modified: datetime
    metadata: MappingProxyType[str, str] | dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    content_encoding: str | None = "gzip"
    storage_class: str = "STANDARD"
    kms_key_id: str | None = None

    def __deepcopy__(self, memo: object) -> StoredObject:
        return self  # nothing in it changes

    @property
    def etag(self) -> str:
        """MD5 of the body in hex, without the quotes."""
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()

    @property
    def content(self) -> bytes:
        """The inflated body; raises gzip.BadGzipFile, EOFError or zlib.error on a broken one."""
        return gzip.decompress(self.body)


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of an object; without `stored` it is a delete marker."""

    version_id: str
    at: datetime
    stored: StoredObject | None = field(repr=False)

    def __deepcopy__(self, memo: object) -> StoredVersion:
        return self  # nothing in it changes


class Objects(UserDict[Address, StoredObject]):
    """The objects by (bucket, key). `version` grows with every change, for who keeps an index.

    Of the buckets in `versioned` every change is kept in `history`, the oldest first, and what is
    deleted gets a delete marker of the time `now`.
    """

    def __init__(self) -> None:
        self.version = 0
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.versioned: set[str] = set()
        self.history: dict[Address, list[StoredVersion]] = {}
        super().__init__()

    def __setitem__(self, address: Address, stored: StoredObject) -> None:
        self.version += 1
        self.data[address] = stored
        self._keep(address, stored.last_modified, stored)

    def __delitem__(self, address: Address) -> None:
        self.version += 1
        del self.data[address]
        self._keep(address, self.now, None)

    def _keep(self, address: Address, at: datetime, stored: StoredObject | None) -> None:
        if address[0] in self.versioned:
            history = self.history.setdefault(address, [])
            text = f"{address}/{len(history)}/{self.version}"
            version_id = hashlib.sha256(text.encode()).hexdigest()[:32]
            history.append(StoredVersion(version_id, at, stored))

    def enable_versioning(self, bucket: str) -> None:
        """From now on nothing is lost. What is there already is the version `null`."""
        self.versioned.add(bucket)
        for address, stored in self.data.items():
            if address[0] == bucket and address not in self.history:
                self.history[address] = [StoredVersion("null", stored.last_modified, stored)]

    def version_of(self, address: Address, version_id: str) -> StoredVersion | None:
        """One version of an object; of an unversioned one there is `null` alone."""
        history = self.history.get(address)
        if history is None and address in self.data:
            stored = self.data[address]
            history = [StoredVersion("null", stored.last_modified, stored)]
        return next((one for one in history or () if one.version_id == version_id), None)

    def delete_version(self, address: Address, version_id: str) -> None:
        """Destroy a version or remove a delete marker; what is left on top is shown again."""
        left = [one for one in self.history.get(address, []) if one.version_id != version_id]
        self.history[address] = left
        self.version += 1
        self.data.pop(address, None)
        if left and left[-1].stored is not None:
            self.data[address] = left[-1].stored

    def keys_under(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys of `bucket` that begin with `prefix`, sorted."""
        return sorted(k for b, k in self.data if b == bucket and k.startswith(prefix))


@dataclass(frozen=True, slots=True)
class LabLog:
    """A log file as it was delivered; `sha256` is that of the inflated bytes, in hex."""

    bucket: str
    key: str
    sha256: str
    newest: datetime
    oldest: datetime
    last_modified: datetime

    def __deepcopy__(self, memo: object) -> LabLog:
        return self  # nothing in it changes

    @property
    def address(self) -> Address:
        """(bucket, key)."""
        return self.bucket, self.key


@dataclass(frozen=True, slots=True)
class LabDigest:
    """A digest as it was delivered; `body_json` is inflated, `signature` lower-case hex."""

    bucket: str
    key: str
    account_id: str
    region: str
    start: datetime
    end: datetime
    body_json: bytes = field(repr=False)
    signature: str = field(repr=False)
    fingerprint: str
    log_files: tuple[LabLog, ...] = field(repr=False)
    last_modified: datetime
    starting: bool = False
    generated_at: datetime | None = None

    def __deepcopy__(self, memo: object) -> LabDigest:
        return self  # nothing in it changes

    @property
    def address(self) -> Address:
        """(bucket, key)."""
        return self.bucket, self.key

    @property
    def document(self) -> dict[str, Any]:
        """The parsed document, a new one at every call."""
        document: dict[str, Any] = json.loads(self.body_json)
        return document
