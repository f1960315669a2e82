"""The past of objects out of a bundle: each answer is the one that was collected.

What nobody asked for then is unreachable, never empty. Whoever verifies judges these versions again
by CloudTrail's signatures; that S3 held them, when they were written and what was put upon them is
the word of who collected the bundle, as its manifest is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Encryption, Fetched, S3Location, Unreachable, Version
from integrity.evidence.bundled import BundledFiles, below
from integrity.evidence.manifest import Kind, Line

T = TypeVar("T")

_NOT_COLLECTED = "the bundle does not hold this version: it was not collected"


class BundledVersions:
    """The versions that were collected, of files that `files` opens."""

    def __init__(self, lines: Iterable[Line], files: BundledFiles) -> None:
        self._files = files
        self._asked: dict[S3Location, str] = {}
        self._listed: dict[S3Location, dict[str, Version]] = {}
        self._fetched: dict[tuple[S3Location, str], Line] = {}
        self._described: dict[tuple[S3Location, str], Line] = {}
        for line in lines:
            self._take(line)
        self._order = sorted(self._listed)

    def _take(self, line: Line) -> None:
        mark = (line.location, line.version_id or "")
        if line.kind is Kind.VERSIONS:
            self._asked[line.location] = line.detail
        elif line.kind is Kind.VERSION and line.last_modified is not None:
            self._listed.setdefault(line.location, {})[mark[1]] = Version(
                location=line.location,
                version_id=mark[1],
                last_modified=line.last_modified,
                is_latest=line.is_latest,
                is_marker=line.is_marker,
                size=line.size,
                etag=line.etag,
                storage_class=line.storage_class,
            )
        elif line.kind is Kind.VERSION_ENCRYPTION:
            self._described[mark] = line
        elif line.kind in (Kind.VERSION_FILE, Kind.VERSION_ABSENT, Kind.VERSION_UNREADABLE):
            self._fetched[mark] = line

    def list_versions(self, bucket: str, prefix: str) -> Iterator[Version | Unreachable]:
        """The versions that a listing showed then."""
        asked = S3Location(bucket, prefix)
        for place in below(self._order, asked):
            yield from self._listed[place].values()
        detail = self._asked.get(asked, _NOT_COLLECTED)
        if detail:
            yield Unreachable(asked, detail)

    def fetch_version(
        self, location: S3Location, version_id: str, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """The version as it was collected, or why it was not."""
        line = self._fetched.get((location, version_id))
        if line is None:
            return Unreachable(location, _NOT_COLLECTED)
        return self._files.read(line, read)

    def describe_version(self, location: S3Location, version_id: str) -> Encryption | Unreachable:
        """How S3 said that it was encrypted."""
        line = self._described.get((location, version_id))
        if line is None or line.detail:
            return Unreachable(location, _NOT_COLLECTED if line is None else line.detail)
        return Encryption(line.encryption, line.kms_key_id)
