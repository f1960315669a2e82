"""A bundle as the sources of a verification: every answer is the one that was collected.

What nobody collected is unreachable, never absent: a bundle says nothing of it. A file whose bytes
are not those of the manifest is judged all the same, by CloudTrail's signatures, and named in
`altered`. Files are opened by whoever is handed in; nothing is written.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from integrity.chain.content import Buffer
from integrity.chain.estate import ExpirationRule, History, Organization, Region, Unasked
from integrity.chain.model import (
    Absent,
    Fetched,
    KeysUnavailable,
    Listed,
    PublicKey,
    S3Location,
    StatusUnavailable,
    TimeWindow,
    TrailStatus,
    Unreachable,
)
from integrity.evidence.manifest import Answers, Keys, Kind, Line, as_public_key

T = TypeVar("T")

FILES = "bundle"
"""What the bundle's own folder is called as a bucket."""

_NOT_COLLECTED = "the bundle does not hold it: it was not collected"


class Files(Protocol):
    """The files of the bundle's folder, by their paths as keys of the bucket `FILES`."""

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable: ...


class BundledFiles:
    """The bundle's files as they are now. `altered` holds the paths of those that changed since."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.altered: set[str] = set()

    def read(
        self, line: Line, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """The file of an answer, or why there was none or it cannot be read."""
        if line.kind in (Kind.ABSENT, Kind.VERSION_ABSENT):
            return Absent(line.location)
        if line.kind in (Kind.UNREADABLE, Kind.VERSION_UNREADABLE):
            return Unreachable(line.location, line.detail)
        answer = self._files.fetch(S3Location(FILES, line.path), lambda p: _hashed(p, read))
        if isinstance(answer, Absent):
            self.altered.add(line.path)
            return Unreachable(line.location, f"its file is gone from the bundle: {line.path}")
        if isinstance(answer, Unreachable):
            return Unreachable(line.location, f"{line.path} in the bundle: {answer.detail}")
        content, sha256 = answer.content
        modified = line.last_modified
        if sha256 != line.sha256:
            self.altered.add(line.path)
            modified = None  # it is not that object any more
        return Fetched(
            line.location, content, line.metadata, modified, line.version_id, answer.size
        )


class BundledObjects:
    """The objects that were collected."""

    def __init__(self, lines: Iterable[Line], files: BundledFiles) -> None:
        self._files = files
        self._fetched: dict[S3Location, Line] = {}
        self._listed: dict[S3Location, Line] = {}
        self._unlisted: dict[S3Location, str] = {}
        self._folders: dict[S3Location, tuple[str, ...]] = {}
        for line in lines:
            self._take(line)
        self._order = sorted(self._listed)

    def _take(self, line: Line) -> None:
        """Of several answers about one place the last one counts."""
        if line.kind is Kind.LISTED:
            self._listed[line.location] = line
        elif line.kind is Kind.UNLISTED:
            self._unlisted[line.location] = line.detail
        elif line.kind is Kind.FOLDERS:
            self._folders[line.location] = line.names
        elif line.kind in (Kind.FILE, Kind.ABSENT, Kind.UNREADABLE):
            self._fetched[line.location] = line

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """The object as it was collected, or why it was not."""
        line = self._fetched.get(location)
        if line is None:
            return Unreachable(location, _NOT_COLLECTED)
        return self._files.read(line, read)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """The objects that a listing showed then."""
        asked = S3Location(bucket, prefix)
        for place in below(self._order, asked):
            line = self._listed[place]
            if line.last_modified is not None:
                yield Listed(
                    line.location,
                    line.size,
                    line.last_modified,
                    storage_class=line.storage_class,
                    restored=line.restored,
                )
        if asked in self._unlisted:
            yield Unreachable(asked, self._unlisted[asked])

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The folders that were shown then; of what nobody asked for, those of listed objects."""
        place = S3Location(bucket, folder)
        if place in self._folders:
            return self._folders[place]
        if place in self._unlisted:
            return Unreachable(place, self._unlisted[place])
        below = (one.location.key for one in self.list_objects(bucket, folder))
        parts = (key[len(folder) :].split("/") for key in below)
        return tuple(sorted({names[0] for names in parts if len(names) > 1}))


def below(order: Sequence[S3Location], prefix: S3Location) -> Iterator[S3Location]:
    """Of places in order those of the bucket whose keys begin with the prefix."""
    for at in range(bisect_left(order, prefix), len(order)):
        place = order[at]
        if place.bucket != prefix.bucket or not place.key.startswith(prefix.key):
            return
        yield place


def _hashed(pieces: Iterable[Buffer], read: Callable[[Iterable[Buffer]], T]) -> tuple[T, str]:
    """What the reader makes of a file, and the SHA-256 of all of it."""
    sha256 = hashlib.sha256()

    def passed() -> Iterator[Buffer]:
        for piece in left:
            sha256.update(piece)
            yield piece

    left = iter(pieces)
    content = read(passed())
    for piece in left:
        sha256.update(piece)
    return content, sha256.hexdigest()


class BundledKeys:
    """The public keys that were collected."""

    def __init__(self, keys: Keys) -> None:
        self._keys: dict[str, list[PublicKey]] = {}
        for key in keys.keys:
            self._keys.setdefault(key.region, []).append(as_public_key(key))
        self._unavailable = {one.region: one for one in keys.unavailable}

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        """Every key of the region, whatever `window` is; or why there was none."""
        del window
        if region in self._keys:
            return tuple(self._keys[region])
        return self._unavailable.get(region) or KeysUnavailable(
            region, f"the bundle has no public key of {region}"
        )


class BundledWitnesses:
    """What AWS was asked beside S3, as it answered then."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._statuses: dict[str, TrailStatus | StatusUnavailable] = {
            **{status.region: status for status in answers.statuses},
            **{status.region: status for status in answers.no_statuses},
        }

    def fetch_status(self, region: str) -> TrailStatus | StatusUnavailable:
        """What GetTrailStatus said."""
        known = self._statuses.get(region)
        return known or StatusUnavailable(region, "the bundle has no answer of GetTrailStatus")

    def list_regions(self) -> tuple[Region, ...] | Unasked:
        """What DescribeRegions said."""
        if self._answers.regions is not None:
            return self._answers.regions
        return self._answers.no_regions or _unasked("ec2:DescribeRegions")

    def list_accounts(self) -> Organization | Unasked:
        """What ListAccounts said."""
        return (
            self._answers.accounts
            or self._answers.no_accounts
            or _unasked("organizations:ListAccounts")
        )

    def fetch_rules(self, bucket: str) -> tuple[ExpirationRule, ...] | Unasked:
        """What GetBucketLifecycleConfiguration said."""
        if bucket in self._answers.rules:
            return self._answers.rules[bucket]
        known = self._answers.no_rules.get(bucket)
        return known or _unasked("s3:GetLifecycleConfiguration")

    def lookup_events(
        self, region: str, names: Iterable[str], window: TimeWindow
    ) -> History | Unasked:
        """What LookupEvents said of these names, whatever `window` is."""
        del window
        held = {one.name: one for one in self._answers.history if one.region == region}
        told = [held.get(name) for name in names]
        if None in told:
            return self._answers.no_history or _unasked("cloudtrail:LookupEvents")
        found = [one for one in told if one is not None]
        events = tuple(event.encode() for one in found for event in one.events)
        return History(events, any(one.more for one in found))


def _unasked(call: str) -> Unasked:
    return Unasked(call, f"the bundle has no answer of {call}", denied=False)


def told_of_altered(altered: Iterable[str], most: int) -> list[str]:
    """A line for the record where files are not those of the manifest; `most` are named."""
    paths = sorted(altered)
    if not paths:
        return []
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return [
        f"{len(paths)} of the bundle's files are not those of its manifest (altered or damaged "
        f"since; judged by their signatures all the same): {', '.join(paths[:most])}{more}"
    ]
