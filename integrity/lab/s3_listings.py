"""S3's listings: the keys of a bucket in order, a page at a time, with folders folded.

The keys are sorted once and kept until the objects change; what is shown of each object is read
at the moment of asking. Order is that of UTF-8, which is also the order of Python's strings.

Source: AWS: API_ListObjects, API_ListObjectsV2.
"""

from __future__ import annotations

import base64
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Container, Mapping
from datetime import UTC
from urllib.parse import quote

from integrity.lab.objects import Address, Objects, StoredObject
from integrity.lab.wire import S3_NAMESPACE, Response, s3_error, xml_response, xml_text

_LAST = "\U0010ffff"
_RESTORED = (
    "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
    "<RestoreExpiryDate>2100-01-01T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>"
)
Page = tuple[list[tuple[str, StoredObject | None]], bool]
"""Keys with their objects, and common prefixes with None; and whether more follow."""


class KeyIndex:
    """The sorted keys of every bucket."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._version = -1
        self._keys: dict[str, list[str]] = {}

    def sync(self) -> None:
        """Sort the keys anew."""
        with self._lock:
            self._sort()

    def _sort(self) -> None:
        version = self._objects.version
        keys: dict[str, list[str]] = {}
        for bucket, key in list(self._objects.data):
            keys.setdefault(bucket, []).append(key)
        for listed in keys.values():
            listed.sort()
        # In this order: whoever lists meanwhile must not take the old keys for the new ones.
        self._keys = keys
        self._version = version

    def page(self, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Page:
        """At most `limit` keys and common prefixes under `prefix` that follow `after`."""
        if self._version != self._objects.version:
            with self._lock:
                if self._version != self._objects.version:
                    self._sort()
        keys = self._keys.get(bucket, [])
        found: list[tuple[str, StoredObject | None]] = []
        at = max(bisect_left(keys, prefix), bisect_right(keys, after))
        if delimiter and after.startswith(prefix) and after.endswith(delimiter) and after != prefix:
            at = max(at, bisect_right(keys, after + _LAST))  # a common prefix, told already
        while limit and at < len(keys) and keys[at].startswith(prefix):
            if len(found) >= limit:
                return found, True
            key = keys[at]
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                common = key[: cut + len(delimiter)]
                found.append((common, None))
                at = bisect_right(keys, common + _LAST)
                continue
            at += 1
            stored = self._objects.data.get((bucket, key))
            if stored is not None:
                found.append((key, stored))
        return found, False


def listing(
    index: KeyIndex,
    asked: Mapping[str, str],
    bucket: str,
    *,
    page_size: int,
    restored: Container[Address] = (),
) -> Response:
    """The answer to ListObjects or, with `list-type=2` among what is `asked`, ListObjectsV2.

    Of the `restored` objects it says until when.
    """
    second = asked.get("list-type") == "2"
    wanted = asked.get("max-keys", "1000")
    if not wanted.isdecimal():
        return s3_error(400, "InvalidArgument", "Provided max-keys not an integer")
    limit = min(int(wanted), page_size)
    after = asked.get("start-after" if second else "marker", "")
    if second and "continuation-token" in asked:
        after = base64.urlsafe_b64decode(asked["continuation-token"]).decode()
    prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
    found, truncated = index.page(bucket, prefix, delimiter, after, limit)
    url = asked.get("encoding-type") == "url"

    def shown(text: str) -> str:
        return xml_text(quote(text, safe="/-._~*") if url else text)

    parts = [
        f"<ListBucketResult {S3_NAMESPACE}><Name>{bucket}</Name><Prefix>{shown(prefix)}</Prefix>",
        f"<MaxKeys>{limit}</MaxKeys><IsTruncated>{str(truncated).lower()}</IsTruncated>",
        f"<Delimiter>{shown(delimiter)}</Delimiter>" if delimiter else "",
        "<EncodingType>url</EncodingType>" if url else "",
    ]
    last = found[-1][0] if truncated else ""
    if second:
        token = base64.urlsafe_b64encode(last.encode()).decode()
        parts.append(f"<KeyCount>{len(found)}</KeyCount>")
        parts.append(f"<StartAfter>{shown(asked.get('start-after', ''))}</StartAfter>")
        parts.append(f"<NextContinuationToken>{token}</NextContinuationToken>" if truncated else "")
    else:
        parts.append(f"<Marker>{shown(after)}</Marker>")
        # Without a delimiter version 1 leaves it to the client to go on after the last key.
        parts.append(f"<NextMarker>{shown(last)}</NextMarker>" if last and delimiter else "")
    for key, stored in found:
        if stored is None:
            parts.append(f"<CommonPrefixes><Prefix>{shown(key)}</Prefix></CommonPrefixes>")
        else:
            more = _RESTORED if (bucket, key) in restored else ""
            parts.append(f"<Contents><Key>{shown(key)}</Key>{_listed(stored)}{more}</Contents>")
    return xml_response("".join([*parts, "</ListBucketResult>"]))


def _listed(stored: StoredObject) -> str:
    return (
        f"<LastModified>{stored.last_modified.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
        f"</LastModified><ETag>&quot;{stored.etag}&quot;</ETag><Size>{len(stored.body)}</Size>"
        f"<StorageClass>{stored.storage_class}</StorageClass>"
    )
