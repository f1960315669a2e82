"""A digest's document, its bytes, the string that is signed and the metadata that carries it.

Written from CloudTrail's description alone: no module that verifies shares a line with it.

Source: AWS: cloudtrail-log-file-validation-digest-file-structure,
cloudtrail-log-file-custom-validation.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrity.lab.keys import LabKey
from integrity.lab.naming import iso, iso_milliseconds
from integrity.lab.objects import LabDigest, LabLog

SIGNATURE_ALGORITHM = "SHA256withRSA"
HASH_ALGORITHM = "SHA-256"
Document = dict[str, Any]


def sha256_hex(body: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(body).hexdigest()


def gzipped(body: bytes) -> bytes:
    """One gzip member, the same bytes every time."""
    return gzip.compress(body, 6, mtime=0)


def json_line(document: Mapping[str, Any], *, escape_slashes: bool = False) -> bytes:
    """One line without spaces; slashes as `\\/` on demand (both forms exist in the field)."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return (text.replace("/", "\\/") if escape_slashes else text).encode()


def log_entry(log: LabLog) -> Document:
    """A log file as a digest's `logFiles` names it."""
    return {
        "s3Bucket": log.bucket,
        "s3Object": log.key,
        "hashValue": log.sha256,
        "hashAlgorithm": HASH_ALGORITHM,
        "newestEventTime": iso(log.newest),
        "oldestEventTime": iso(log.oldest),
    }


def digest_document(
    *,
    account_id: str,
    start: datetime,
    end: datetime,
    bucket: str,
    key: str,
    fingerprint: str,
    previous: LabDigest | None,
    logs: Sequence[LabLog],
) -> Document:
    """The document in CloudTrail's own order of keys; a chain's first digest has no `previous`."""
    return {
        "awsAccountId": account_id,
        "digestStartTime": iso(start),
        "digestEndTime": iso(end),
        "digestS3Bucket": bucket,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": fingerprint,
        "digestSignatureAlgorithm": SIGNATURE_ALGORITHM,
        "newestEventTime": iso(max(log.newest for log in logs)) if logs else None,
        "oldestEventTime": iso(min(log.oldest for log in logs)) if logs else None,
        "previousDigestS3Bucket": previous.bucket if previous else None,
        "previousDigestS3Object": previous.key if previous else None,
        "previousDigestHashValue": sha256_hex(previous.body_json) if previous else None,
        "previousDigestHashAlgorithm": HASH_ALGORITHM if previous else None,
        "previousDigestSignature": previous.signature if previous else None,
        "logFiles": [log_entry(log) for log in logs],
    }


def string_to_sign(document: Mapping[str, Any], body: bytes) -> bytes:
    """End time, place, hash of the uncompressed `body` and the predecessor's signature, by lines.

    A field that the document lacks is signed as the four letters `null`.
    """
    previous = document.get("previousDigestSignature")
    lines = (
        str(document.get("digestEndTime", "null")),
        f"{document.get('digestS3Bucket', 'null')}/{document.get('digestS3Object', 'null')}",
        sha256_hex(body),
        "null" if previous is None else str(previous),
    )
    return "\n".join(lines).encode()


def sign_digest(document: Mapping[str, Any], body: bytes, key: LabKey) -> str:
    """The lower-case hex signature of the digest whose uncompressed bytes are `body`."""
    return key.sign(string_to_sign(document, body))


def digest_metadata(
    signature: str,
    *,
    algorithm: str = SIGNATURE_ALGORITHM,
    generated_at: datetime | None = None,
) -> dict[str, str]:
    """The user metadata of a digest's object; `generated_at` for a backfill digest only."""
    metadata = {"signature": signature, "signature-algorithm": algorithm}
    if generated_at is not None:
        metadata["backfill-generation-timestamp"] = iso_milliseconds(generated_at)
    return metadata
