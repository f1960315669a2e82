"""Late digests on a versioned bucket: one that lay there and was deleted is missing at once.

CloudTrail redelivers, so that an absent digest of the last hours is only late, unless something
shows that it was there: a delete marker on its key does, and so does a version beneath it. Each is
asked for by its whole key, whose versions S3 lists before any other's and the newest first, so that
nothing that a stranger plants can hide them. Where nobody may list versions, or the bucket keeps
none, it stays late. A segment's result is settled before its chain is joined, so that coverage and
counts see the same. (AWS: API_ListObjectVersions.)
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from integrity.chain.findings import Finding, Place, Reason, find
from integrity.chain.link import Entry, Standing
from integrity.chain.model import S3Location, Unreachable
from integrity.chain.versions import Versions
from integrity.record import SegmentResult
from integrity.structs import replace
from integrity.verify.ports import VersionSource
from integrity.verify.tools import Tools

MOST_ASKED = 1000
"""So many late digests of a run are asked for. Who has deleted more is found out by these."""

_MOST_VERSIONS = 100

Past = Mapping[str, str]
"""What shows that a digest was there, by its URI."""


class LateDigests:
    """Asks for the past of one run's late digests; without `versions`, nobody."""

    def __init__(self, tools: Tools, versions: VersionSource | None) -> None:
        self._tools, self._versions, self._left = tools, versions, MOST_ASKED

    def settle(self, result: SegmentResult) -> SegmentResult:
        """The segment's result, in which those that lay there before are missing."""
        late = [entry.location for entry in result.entries if entry.standing is Standing.LATE]
        past = {uri: told for uri, told in self._ask(late) if told}
        if not past:
            return result
        return replace(
            result,
            entries=tuple(_settled(entry, past) for entry in result.entries),
            findings=tuple(_told(finding, past) for finding in result.findings),
        )

    def _ask(self, late: list[S3Location]) -> list[tuple[str, str]]:
        versions = self._versions
        if versions is None or self._tools.stopping.is_set():
            return []
        asked = late[: self._left]
        self._left -= len(asked)
        told = self._tools.executor.map(lambda place: _past_of(place, versions), asked)
        return [(place.uri, past) for place, past in zip(asked, told, strict=True)]


def _past_of(place: S3Location, versions: VersionSource) -> str:
    """What shows that something lay there, in words; nothing where nothing does, or nobody says."""
    listed = list(islice(versions.list_versions(place.bucket, place.key), _MOST_VERSIONS))
    own = [one for one in listed if not isinstance(one, Unreachable) and one.location == place]
    return Versions.of(own).shown_past


def _settled(entry: Entry, past: Past) -> Entry:
    return replace(entry, standing=Standing.MISSING) if entry.location.uri in past else entry


def _told(finding: Finding, past: Past) -> Finding:
    uri = finding.s3_uri or ""
    if finding.reason is not Reason.DIGEST_LATE or uri not in past:
        return finding
    return find(
        Reason.DIGEST_MISSING,
        Place(finding.account_id, finding.region),
        finding.window,
        s3_uri=uri,
        detail="; ".join(filter(None, [finding.detail, past[uri]])),
    )
