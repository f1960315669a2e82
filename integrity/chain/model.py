"""The frozen nouns that everything else speaks in, and the types that carry trust.

A stranger's bytes are `Fetched`; decoded they are a `Digest`, well-formed and believed by nobody;
only `signature.authenticate` makes an `AuthenticDigest`. `Absent` is evidence, `Unreachable` is
not: they stay apart all the way to the alarm. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T", covariant=True)
U = TypeVar("U")


class ChainKind(StrEnum):
    """A trail's hourly chain, or the separate one for logs that came too late for it."""

    STANDARD = "standard"
    BACKFILL = "backfill"


class S3Location(Struct, frozen=True, gc=False, order=True):
    """One object: the bucket's name and the key, as S3 knows them (never percent-encoded)."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key: the name of the file."""
        return self.key.rpartition("/")[2]


class TimeWindow(Struct, frozen=True, gc=False, order=True):
    """From `start` to `end`, aware UTC times, `start` not later than `end`."""

    start: datetime
    end: datetime

    def overlaps(self, other: TimeWindow) -> bool:
        """Whether the two share more than an instant."""
        return self.start < other.end and other.start < self.end

    def holds(self, time: datetime) -> bool:
        """Whether `time` lies inside, both ends included, as CloudTrail counts delivery times."""
        return self.start <= time <= self.end


class Root(Struct, frozen=True, gc=False, order=True):
    """Where the accounts' folders of a trail lie: `s3://bucket/[prefix/]AWSLogs/[organization/]`.

    The layouts before and after a move to an organization trail are two roots.
    """

    bucket: str
    prefix: str = ""
    organization_id: str = ""

    @property
    def folder(self) -> str:
        """The key prefix under which the account folders lie, ending in a slash."""
        prefix = f"{self.prefix}/" if self.prefix else ""
        organization = f"{self.organization_id}/" if self.organization_id else ""
        return f"{prefix}AWSLogs/{organization}"

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.folder}".rstrip("/")


class ChainId(Struct, frozen=True, gc=False, order=True):
    """One chain of digests. `region` is the source region, whose key signs it."""

    root: Root
    account_id: str
    region: str
    trail_name: str
    home_region: str
    kind: ChainKind = ChainKind.STANDARD


class Trail(Struct, frozen=True):
    """A trail as `GetTrail` describes it, or as the command line claims it to be.

    `looked_up` is False where nobody asked AWS (`--trail-arn` with `--s3-bucket`). An organization
    trail has an empty `organization_id` where nobody could tell it: the bucket's folders name it.
    """

    arn: str
    name: str
    account_id: str
    home_region: str
    bucket: str
    prefix: str = ""
    organization_id: str = ""
    multi_region: bool = True
    validation: bool = True
    looked_up: bool = True
    is_organization: bool = False

    @property
    def root(self) -> Root:
        return Root(self.bucket, self.prefix, self.organization_id)


class TrailStatus(Struct, frozen=True):
    """What `GetTrailStatus` says of a trail in one source region.

    `asked_at` is before any listing.
    """

    region: str
    asked_at: datetime
    is_logging: bool
    latest_digest_delivery: datetime | None = None
    latest_digest_error: str = ""
    started: datetime | None = None
    stopped: datetime | None = None


class StatusUnavailable(Struct, frozen=True):
    """Nobody told a trail's status in a region; `detail` says why and what would help.

    `not_found` is True where CloudTrail said that the caller's account sees no such trail there,
    `denied` where a permission is missing.
    """

    region: str
    detail: str
    not_found: bool = False
    denied: bool = False


class PublicKey(Struct, frozen=True, gc=False):
    """One answer of `ListPublicKeys`: PKCS#1 or SubjectPublicKeyInfo in DER, and its validity.

    Validity is information: CloudTrail's own samples verify outside of it, and it is never judged.
    `origin` says who answered: `ListPublicKeys`, or the file or profile that stood in for it.
    """

    region: str
    fingerprint: str
    der: bytes
    not_before: datetime
    not_after: datetime
    fetched_at: datetime
    origin: str = "ListPublicKeys"

    @property
    def is_from_file(self) -> bool:
        """Whether a file said it: then it proves nothing about keys that are not in the file."""
        return self.origin.startswith("file ")


class KeysUnavailable(Struct, frozen=True):
    """Nobody answered for a region's public keys; `detail` says why and what would help."""

    region: str
    detail: str


class LogFileRef(Struct, frozen=True, gc=False):
    """A log file as a digest names it: where it is and what its inflated bytes hash to."""

    location: S3Location
    sha256: str
    algorithm: str


class Predecessor(Struct, frozen=True, gc=False):
    """What a digest says of the one before it: place, hash of its content, signature (hex)."""

    location: S3Location
    sha256: str
    algorithm: str
    signature: str


class Digest(Struct, frozen=True, gc=False):
    """A well-formed digest file, believed by nobody.

    `end_text` is the end time letter by letter, as it is signed. `sha256` is of the inflated bytes
    as they were received. `previous` is None at the start of a chain.
    """

    account_id: str
    window: TimeWindow
    end_text: str
    location: S3Location
    fingerprint: str
    signature_algorithm: str
    previous: Predecessor | None
    log_files: Collection[LogFileRef]
    sha256: str


class Witness(StrEnum):
    """Who stated the signature that a digest was authenticated with."""

    METADATA = "metadata"
    SUCCESSOR = "successor"


class AuthenticDigest(Struct, frozen=True, gc=False):
    """A digest that CloudTrail signed. Only `signature.authenticate` makes one."""

    digest: Digest
    signature: str
    witness: Witness


class VerifiedEvent(Struct, frozen=True):
    """One event as JSON, out of a log file with the content that `digest` signs as `sha256`."""

    event: bytes
    log: S3Location
    sha256: str
    digest: S3Location


class Listed(Struct, frozen=True, gc=False):
    """One object of a listing. `storage_class` is empty where the listing did not say.

    `restored`: a copy of what is archived can be read for a while.
    """

    location: S3Location
    size: int
    last_modified: datetime
    etag: str = ""
    storage_class: str = ""
    restored: bool = False


class Version(Struct, frozen=True, kw_only=True):
    """One version of an object, or a delete marker: so it is then shown as absent.

    A bucket that never had versions has the current object alone, as version `null`.
    """

    location: S3Location
    version_id: str
    last_modified: datetime
    is_latest: bool
    is_marker: bool = False
    size: int = 0
    etag: str = ""
    storage_class: str = ""


class Encryption(Struct, frozen=True):
    """`algorithm` is S3's word (`AES256`, `aws:kms`), `kms_key_id` the key's ARN, if it has one."""

    algorithm: str = ""
    kms_key_id: str = ""


class Fetched(Struct, Generic[T], frozen=True):
    """An object that was read to its end: `content` is what the reader made of its bytes.

    `metadata` holds the user metadata with lower-case names, without `x-amz-meta-`.
    """

    location: S3Location
    content: T
    metadata: Mapping[str, str] = field(default_factory=dict)
    last_modified: datetime | None = None
    version_id: str | None = None
    size: int = 0

    def read_as(self, content: U) -> Fetched[U]:
        """The same object, of which a reader has made something."""
        return Fetched(
            self.location, content, self.metadata, self.last_modified, self.version_id, self.size
        )


class Absent(Struct, frozen=True):
    """S3 said, to somebody who may list, that the object (or its bucket) is not there."""

    location: S3Location


class Unreachable(Struct, frozen=True):
    """No answer that says anything about the object: denied, throttled, archived, cut short.

    `detail` says which, and which permission or action would help.
    """

    location: S3Location
    detail: str
