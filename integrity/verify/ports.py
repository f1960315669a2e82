"""What verification needs from the world. Whoever can answer these questions can be verified from.

The interfaces belong here, to the room that needs them; `sources` fulfils them without importing
this module. An answer is always a value: an exception out of a port is a bug and ends the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableSequence
from typing import Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from integrity.chain.content import Buffer
from integrity.chain.estate import ExpirationRule, History, Organization, Region, Unasked
from integrity.chain.model import (
    Absent,
    Encryption,
    Fetched,
    KeysUnavailable,
    Listed,
    PublicKey,
    S3Location,
    StatusUnavailable,
    TimeWindow,
    TrailStatus,
    Unreachable,
    Version,
)
from integrity.chain.wish import Item, Wish
from integrity.verify.parallel import Stopping

T = TypeVar("T")
Reader = Callable[[Iterable[Buffer]], T]


class ObjectSource(Protocol):
    """Objects in buckets. Called from many threads at once."""

    def fetch(self, location: S3Location, read: Reader[T]) -> Fetched[T] | Absent | Unreachable:
        """The object, its bytes handed to `read` in pieces as they are stored (gzip, not inflated).

        Where the transfer breaks, `read` is called again from the first byte. It may stop early.
        A bucket that does not exist holds nothing: `Absent`.
        """

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """Every object whose key begins with `prefix`, in any order, as the pages come.

        No such bucket: nothing. Where the listing breaks off, an Unreachable is the last.
        """

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The names, without slash, directly below `folder` that have keys of their own below."""


@runtime_checkable
class SmallObjects(Protocol):
    """What a source may be able to do beside that, many times as fast."""

    def fetch_small(self, wish: Wish[Item], stopping: Stopping) -> Iterator[Item]:
        """Fetch what can be had whole, small and at once; the items that are left over.

        Left over is what has no place, what could not be had so, it is not known why, and of what
        `take` says that there is more to do. Once `stopping` is set no further item is begun, and
        not all come back.
        """


class KeySource(Protocol):
    """CloudTrail's public keys, a region at a time."""

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        """Every key that was valid at some time in `window`."""


class StatusSource(Protocol):
    """AWS's own word on a trail, out of the bucket owner's reach."""

    def fetch_status(self, region: str) -> TrailStatus | StatusUnavailable:
        """What GetTrailStatus says of the job's trail in a source region, now."""


class RegionSource(Protocol):
    """The regions of AWS, as the caller's account sees them."""

    def list_regions(self) -> tuple[Region, ...] | Unasked:
        """Every region, also those that are not enabled."""


class AccountSource(Protocol):
    """The accounts of the caller's organization."""

    def list_accounts(self) -> Organization | Unasked:
        """Every account of it, also those that are closed."""


class RetentionSource(Protocol):
    """What a bucket's lifecycle deletes. Called from many threads at once."""

    def fetch_rules(self, bucket: str) -> tuple[ExpirationRule, ...] | Unasked:
        """The enabled rules that expire objects; a bucket that has none has no rules."""


class HistorySource(Protocol):
    """CloudTrail's Event history of the caller's account: 90 days, kept by AWS."""

    def lookup_events(
        self, region: str, names: Iterable[str], window: TimeWindow
    ) -> History | Unasked:
        """Events of these names that the region recorded, as JSON."""


class VersionSource(Protocol):
    """What lay in a bucket before. Called from many threads at once."""

    def list_versions(self, bucket: str, prefix: str) -> Iterator[Version | Unreachable]:
        """Every version and delete marker of every object whose key begins with `prefix`.

        Where the listing breaks off, an Unreachable is the last.
        """

    def fetch_version(
        self, location: S3Location, version_id: str, read: Reader[T]
    ) -> Fetched[T] | Absent | Unreachable:
        """One version, as `ObjectSource.fetch` fetches the current one."""

    def describe_version(self, location: S3Location, version_id: str) -> Encryption | Unreachable:
        """How it is encrypted."""


Slowdowns = MutableSequence[int]
"""Numbers that all processes of a run see, for their sources to tell each other of SlowDown."""

OpenSources = tuple[ObjectSource, KeySource, RetentionSource | None]
"""What every process that checks segments needs."""


class Witnesses(Struct, frozen=True, kw_only=True):
    """Who can be asked for a trail's population; None: it makes no sense for this trail.

    `account_id` is the caller's: GetTrailStatus speaks of the chains of that account.
    """

    account_id: str | None = None
    statuses: StatusSource | None = None
    regions: RegionSource | None = None
    accounts: AccountSource | None = None
    history: HistorySource | None = None


class Parts(Protocol):
    """Where an interrupted verification of one trail keeps what it has, by name.

    Called from one thread. Raises AccessError where it cannot be used: then nobody could go on.
    """

    def load(self, name: str) -> bytes | None:
        """What was kept under that name."""

    def save(self, name: str, part: bytes) -> None:
        """Keep it, in place of what has the name. It is there even if the process is killed."""


class Progress(Protocol):
    """Told how far a run is, from many threads. It never fails and decides nothing."""

    def expect(self, log_files: int) -> None:
        """So many more log files are going to be read."""

    def done(self, log_files: int, stored_bytes: int) -> None:
        """So many log files were read, of so many bytes as they are stored."""

    def valid_digest(self, location: S3Location) -> None:
        """This digest file counts as valid."""

    def valid_log(self, location: S3Location) -> None:
        """This log file has the content that an authentic digest states."""


class Untold:
    """Progress that nobody is told."""

    def expect(self, log_files: int) -> None: ...

    def done(self, log_files: int, stored_bytes: int) -> None: ...

    def valid_digest(self, location: S3Location) -> None: ...

    def valid_log(self, location: S3Location) -> None: ...
