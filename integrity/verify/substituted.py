"""A bucket as it may have been: older versions of some objects in place of what is shown now.

Whoever verifies from it judges these versions as he judges everything. Other log files are left
unread: it is only asked which versions are good. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable, Version
from integrity.chain.names import parse_log
from integrity.verify.ports import ObjectSource, Reader, VersionSource

T = TypeVar("T")


@dataclass(slots=True)
class SubstitutedObjects:
    """The objects, with the `chosen` versions among them. `refused` says why one was not read."""

    objects: ObjectSource
    versions: VersionSource
    chosen: Mapping[S3Location, Version]
    refused: list[str] = field(default_factory=list)

    def fetch(self, location: S3Location, read: Reader[T]) -> Fetched[T] | Absent | Unreachable:
        """The chosen version, or what is there now."""
        version = self.chosen.get(location)
        if version is not None:
            answer = self.versions.fetch_version(location, version.version_id, read)
            if isinstance(answer, Unreachable):
                self.refused.append(answer.detail)
            return answer
        if parse_log(location) is not None:
            return Unreachable(location, "it has no older version that is looked at")
        return self.objects.fetch(location, read)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """What is listed, and of the chosen versions what a listing would have shown."""
        for listed in self.objects.list_objects(bucket, prefix):
            if listed.location not in self.chosen:
                yield listed
        for location, version in self.chosen.items():
            if location.bucket == bucket and location.key.startswith(prefix):
                yield Listed(
                    location,
                    version.size,
                    version.last_modified,
                    version.etag,
                    version.storage_class,
                )

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The folders as they are."""
        return self.objects.list_folders(bucket, folder)
