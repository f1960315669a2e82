"""What a bundle is made of, and its JSON forms, both ways.

`manifest.json` says what was asked for and has the SHA-256 of each file beside it; `objects.jsonl`
has a line for each answer about an object, with the SHA-256 of its file. A manifest is no proof:
whoever alters a file can alter it too. It tells damage from tampering; what is believed is
CloudTrail's signatures, with the public keys of `keys.json`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from integrity.chain.estate import ExpirationRule, Organization, Region, Unasked
from integrity.chain.model import (
    KeysUnavailable,
    PublicKey,
    S3Location,
    StatusUnavailable,
    Trail,
    TrailStatus,
)
from integrity.errors import UsageError
from integrity.record import Tool

SCHEMA_VERSION = 1

MANIFEST, BEGINNING = "manifest.json", "collecting.json"
OBJECTS, KEYS, ANSWERS, RECORD = "objects.jsonl", "keys.json", "answers.json", "record.json"
PARTS = (OBJECTS, KEYS, ANSWERS, RECORD)
"""What lies beside the manifest, which has a hash of each."""

T = TypeVar("T")


class Asked(Struct, frozen=True, kw_only=True):
    """What was collected: everything that decides what a verification of it reads and says."""

    start: datetime
    end: datetime
    account_ids: tuple[str, ...] | None
    source_regions: tuple[str, ...] | None
    ignored: tuple[str, ...]
    grace: timedelta
    redelivery_grace: timedelta
    allow_gaps: bool
    log_files: bool


class Beginning(Struct, frozen=True, kw_only=True):
    """What a bundle is going to be of. A collection that was interrupted goes on with the same."""

    schema_version: int = SCHEMA_VERSION
    tool: Tool
    trail: Trail
    neighbours: tuple[Trail, ...]
    asked: Asked


class FileHash(Struct, frozen=True):
    """A file as it was written."""

    sha256: str
    size: int


class Manifest(Struct, frozen=True, kw_only=True):
    """A bundle that is whole. `collected_at` is the time that its record was judged at."""

    schema_version: int = SCHEMA_VERSION
    tool: Tool
    trail: Trail
    neighbours: tuple[Trail, ...]
    asked: Asked
    collected_at: datetime
    files: dict[str, FileHash]


class Kind(StrEnum):
    """What an answer was: about an object, a folder, or what lay there before.

    `version` is a version or delete marker that was listed, `version_file` one that was read;
    `versions` are all below a prefix, `version_encryption` how one is stored.
    """

    FILE = "file"
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    LISTED = "listed"
    UNLISTED = "unlisted"
    FOLDERS = "folders"
    VERSIONS = "versions"
    VERSION = "version"
    VERSION_FILE = "version_file"
    VERSION_ABSENT = "version_absent"
    VERSION_UNREADABLE = "version_unreadable"
    VERSION_ENCRYPTION = "version_encryption"


class Line(Struct, frozen=True, kw_only=True):
    """One answer. `path` is where a file lies in the bundle; of a folder, `key` is its prefix.

    What is about a version names it in `version_id`, and `detail` says why it was not answered.
    """

    kind: Kind
    bucket: str
    key: str
    path: str = ""
    sha256: str = ""
    size: int = 0
    metadata: dict[str, str] = field(default_factory=dict)
    version_id: str | None = None
    last_modified: datetime | None = None
    storage_class: str = ""
    restored: bool = False
    detail: str = ""
    names: tuple[str, ...] = ()
    is_latest: bool = False
    is_marker: bool = False
    etag: str = ""
    encryption: str = ""
    kms_key_id: str = ""

    @property
    def location(self) -> S3Location:
        return S3Location(self.bucket, self.key)


class Key(Struct, frozen=True, kw_only=True):
    """A public key as `integrity keys` writes it, and who answered for it."""

    region: str
    fingerprint: str
    value: str
    not_before: datetime
    not_after: datetime
    fetched_at: datetime
    origin: str


class Keys(Struct, frozen=True, kw_only=True):
    """The file of public keys; `unavailable` are the regions that did not answer."""

    schema_version: int = SCHEMA_VERSION
    keys: tuple[Key, ...]
    unavailable: tuple[KeysUnavailable, ...] = ()


class HeldEvents(Struct, frozen=True, kw_only=True):
    """Events of one name, as the Event history of a region told them; `more`: there were others."""

    region: str
    name: str
    events: tuple[str, ...]
    more: bool = False


class Answers(Struct, frozen=True, kw_only=True):
    """What AWS said beside S3: GetTrail, GetTrailStatus by region, the population's witnesses, and
    the Event history.

    None stands for what was not asked. `has_versions` says that older versions were asked for.
    """

    trail: Trail
    account_id: str | None = None
    caller_arn: str | None = None
    statuses: tuple[TrailStatus, ...] = ()
    no_statuses: tuple[StatusUnavailable, ...] = ()
    has_statuses: bool = False
    regions: tuple[Region, ...] | None = None
    no_regions: Unasked | None = None
    accounts: Organization | None = None
    no_accounts: Unasked | None = None
    rules: dict[str, tuple[ExpirationRule, ...]] = field(default_factory=dict)
    no_rules: dict[str, Unasked] = field(default_factory=dict)
    history: tuple[HeldEvents, ...] = ()
    no_history: Unasked | None = None
    has_history: bool = False
    has_versions: bool = False


def encode(document: object) -> bytes:
    """For people and machines: indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def encode_line(line: Line) -> bytes:
    """One line of JSON, without what says nothing."""
    said = {name: value for name, value in msgspec.to_builtins(line).items() if value}
    return msgspec.json.encode(said) + b"\n"


def decode(document: bytes, form: type[T], name: str) -> T:
    """A part of a bundle, read strictly. Raises UsageError, naming it, where it is none."""
    try:
        version = msgspec.json.decode(document, type=_Versioned).schema_version
        if version not in (SCHEMA_VERSION, None):
            raise UsageError(
                f"the bundle's {name} has schema version {version}; this program reads version "
                f"{SCHEMA_VERSION}: use the version of integrity that made it, or a newer one"
            )
        return msgspec.json.decode(document, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"the bundle's {name} is not what `integrity bundle` writes ({error}): ask for the "
            "bundle again"
        ) from error


class _Versioned(msgspec.Struct):
    schema_version: int | None = None


def decode_lines(lines: Iterable[bytes]) -> Iterator[Line]:
    """The lines of `objects.jsonl`. Raises UsageError where one is none."""
    decoder = msgspec.json.Decoder(Line)
    for number, line in enumerate(lines, 1):
        try:
            yield decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError(
                f"line {number} of the bundle's {OBJECTS} is not what `integrity bundle` writes "
                f"({error}): ask for the bundle again"
            ) from error


def hash_of(document: bytes) -> FileHash:
    """What the manifest says of a file."""
    return FileHash(hashlib.sha256(document).hexdigest(), len(document))


def as_key(key: PublicKey) -> Key:
    """A public key, to be written."""
    return Key(
        region=key.region,
        fingerprint=key.fingerprint,
        value=base64.b64encode(key.der).decode(),
        not_before=key.not_before,
        not_after=key.not_after,
        fetched_at=key.fetched_at,
        origin=key.origin,
    )


def as_public_key(key: Key) -> PublicKey:
    """A public key that was read. Raises UsageError where its value is not base64."""
    try:
        der = base64.b64decode(key.value, validate=True)
    except ValueError as error:
        raise UsageError(
            f"the bundle's {KEYS} has a key {key.fingerprint!r} that is not base64 ({error}): ask "
            "for the bundle again"
        ) from error
    return PublicKey(
        key.region,
        key.fingerprint,
        der,
        key.not_before,
        key.not_after,
        key.fetched_at,
        key.origin,
    )
