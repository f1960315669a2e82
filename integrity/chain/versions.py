"""The versions of one object in order: which may be its original, and what became of that one.

CloudTrail writes an object once, so the oldest version that is left is the likeliest, whatever was
piled upon it since; which one *is* the original is for signatures and hashes to say. S3 gives
versions and delete markers apart and times by the second, so of the same second nothing is known
but which one is the latest. Pure. (AWS: API_ListObjectVersions.)
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from integrity.chain.evidence import Fate, Original
from integrity.chain.model import Encryption, S3Location, Version
from integrity.chain.times import format_instant


class Versions(Struct, frozen=True):
    """All that is left of one object's past and present, the oldest first."""

    known: tuple[Version, ...]

    @classmethod
    def of(cls, versions: Iterable[Version]) -> Versions:
        order = sorted(versions, key=lambda one: (one.last_modified, one.is_latest, one.is_marker))
        return cls(tuple(order))

    @property
    def latest(self) -> Version:
        return next((one for one in self.known if one.is_latest), self.known[-1])

    @property
    def candidates(self) -> tuple[Version, ...]:
        """What may be the original, and is not what is shown now; the likeliest first."""
        return tuple(one for one in self.known if not (one.is_marker or one.is_latest))

    @property
    def shown_past(self) -> str:
        """What shows that something lay here though nothing does now, in words, if anything does.

        A version that is shown now says nothing of the past.
        """
        past = [one for one in self.known if one.is_marker or not one.is_latest]
        if not past:
            return ""
        last = past[-1]
        what = "a delete marker" if last.is_marker else "an older version"
        return f"it was there: its key has {what} of {format_instant(last.last_modified)}"

    def is_hidden(self, version: Version) -> bool:
        """Whether something else is shown in place of a version, or nothing at all."""
        return self.latest.is_marker or self.latest.etag != version.etag

    def original(self, version: Version, encryption: Encryption) -> Original:
        """A version that was proven, with what has become of it."""
        above = [
            one
            for one in self.known
            if one is not version and one.last_modified >= version.last_modified
        ]
        marked = all(one.is_marker for one in above)
        first = min(above, key=lambda one: (one.last_modified, one.is_marker))
        return Original(
            s3_uri=version.location.uri,
            version_id=version.version_id,
            written_at=version.last_modified,
            gone_at=first.last_modified,
            fate=Fate.DELETED if first.is_marker else Fate.REPLACED,
            markers=tuple(one.version_id for one in reversed(above)) if marked else (),
            storage_class=version.storage_class,
            encryption=encryption.algorithm,
            kms_key_id=encryption.kms_key_id,
        )


def by_object(versions: Iterable[Version]) -> dict[S3Location, Versions]:
    """Versions as they were listed, each object's together."""
    gathered: dict[S3Location, list[Version]] = {}
    for version in versions:
        gathered.setdefault(version.location, []).append(version)
    return {location: Versions.of(found) for location, found in gathered.items()}
