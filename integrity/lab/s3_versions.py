"""S3's listing of versions: every version and delete marker, by key and then the newest first.

An unversioned bucket shows its objects as versions `null`.

Source: AWS: API_ListObjectVersions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC
from urllib.parse import quote

from integrity.lab.objects import Objects, StoredVersion
from integrity.lab.wire import S3_NAMESPACE, Response, xml_response, xml_text

_Listed = tuple[str, StoredVersion, bool]
"""A key, one of its versions, and whether that is the latest."""


def list_versions(
    objects: Objects, asked: Mapping[str, str], bucket: str, *, page_size: int
) -> Response:
    """The answer to ListObjectVersions. It knows no delimiter."""
    prefix = asked.get("prefix", "")
    limit = min(int(asked.get("max-keys", "1000")), page_size)
    found = list(_under(objects, bucket, prefix))
    marker = (asked.get("key-marker", ""), asked.get("version-id-marker", ""))
    first = 0
    if marker[0]:
        at = [
            number for number, (key, one, _) in enumerate(found) if (key, one.version_id) == marker
        ]
        first = at[0] + 1 if at else sum(key <= marker[0] for key, _, _ in found)
    page = found[first : first + limit]
    truncated = first + limit < len(found)
    url = asked.get("encoding-type") == "url"

    def shown(text: str) -> str:
        return xml_text(quote(text, safe="/-._~*") if url else text)

    parts = [
        f"<ListVersionsResult {S3_NAMESPACE}><Name>{bucket}</Name><Prefix>{shown(prefix)}</Prefix>",
        f"<MaxKeys>{limit}</MaxKeys><IsTruncated>{str(truncated).lower()}</IsTruncated>",
        "<EncodingType>url</EncodingType>" if url else "",
    ]
    if truncated:
        key, last, _ = page[-1]
        parts.append(f"<NextKeyMarker>{shown(key)}</NextKeyMarker>")
        parts.append(f"<NextVersionIdMarker>{last.version_id}</NextVersionIdMarker>")
    parts += [_entry(shown(key), one, is_latest=latest) for key, one, latest in page]
    return xml_response("".join([*parts, "</ListVersionsResult>"]))


def _under(objects: Objects, bucket: str, prefix: str) -> Iterator[_Listed]:
    keys = {key for where, key in objects.data if where == bucket and key.startswith(prefix)}
    keys |= {key for where, key in objects.history if where == bucket and key.startswith(prefix)}
    for key in sorted(keys):
        history = objects.history.get((bucket, key))
        if history is None:
            stored = objects.data[bucket, key]
            history = [StoredVersion("null", stored.last_modified, stored)]
        newest = len(history) - 1
        for number in range(newest, -1, -1):
            yield key, history[number], number == newest


def _entry(key: str, version: StoredVersion, *, is_latest: bool) -> str:
    common = (
        f"<Key>{key}</Key><VersionId>{version.version_id}</VersionId>"
        f"<IsLatest>{str(is_latest).lower()}</IsLatest>"
        f"<LastModified>{version.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
    )
    stored = version.stored
    if stored is None:
        return f"<DeleteMarker>{common}</DeleteMarker>"
    return (
        f"<Version>{common}<ETag>&quot;{stored.etag}&quot;</ETag><Size>{len(stored.body)}</Size>"
        f"<StorageClass>{stored.storage_class}</StorageClass></Version>"
    )
