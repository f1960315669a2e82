"""One gate from an object's bytes to a `Digest`: strict, typed, under limits.

What passes is well-formed and believed by nobody. Every field that a judgement needs has to be
there with its type; unknown fields are skipped (without being built in memory), so that CloudTrail
may add some. Nothing here looks at signatures, places or time.
(AWS: CloudTrail digest file structure.)
"""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec
from msgspec import Struct

from integrity.chain.model import Digest, LogFileRef, Predecessor, S3Location, TimeWindow
from integrity.chain.packed import PackedLogFiles
from integrity.chain.times import parse_instant

SIGNATURE_ALGORITHM = "SHA256withRSA"
HASH_ALGORITHM = "SHA-256"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_FEW = 16


class Malformed(Struct, frozen=True):
    """The bytes are no digest. `detail` names the field, what was expected and what stood there."""

    detail: str


class _FieldError(ValueError):
    """A field's value has not the form that its algorithm gives it."""


class _LogFile(msgspec.Struct, frozen=True, gc=False):
    s3Bucket: str  # noqa: N815 - CloudTrail's own field names, here and below
    s3Object: str  # noqa: N815
    hashValue: str  # noqa: N815
    hashAlgorithm: str  # noqa: N815


class _Document(msgspec.Struct):
    awsAccountId: str  # noqa: N815
    digestStartTime: str  # noqa: N815
    digestEndTime: str  # noqa: N815
    digestS3Bucket: str  # noqa: N815
    digestS3Object: str  # noqa: N815
    digestPublicKeyFingerprint: str  # noqa: N815
    digestSignatureAlgorithm: str  # noqa: N815
    previousDigestS3Bucket: str | None  # noqa: N815
    previousDigestS3Object: str | None  # noqa: N815
    previousDigestHashValue: str | None  # noqa: N815
    previousDigestHashAlgorithm: str | None  # noqa: N815
    previousDigestSignature: str | None  # noqa: N815
    logFiles: list[_LogFile]  # noqa: N815
    newestEventTime: str | None = None  # noqa: N815
    oldestEventTime: str | None = None  # noqa: N815


_DECODER = msgspec.json.Decoder(_Document, strict=True)


def decode_digest(body: bytes | memoryview, sha256: str) -> Digest | Malformed:
    """A digest from its inflated bytes and their SHA-256. Never raises for what the bytes may hold.

    Values are held to a form only under the algorithm that defines it: a document of another one is
    well-formed, and judged `algorithm_unsupported` later.
    """
    try:
        document = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Malformed(f"not a digest document: {error}")
    except RecursionError:
        return Malformed("not a digest document: nested too deep")
    start, end = parse_instant(document.digestStartTime), parse_instant(document.digestEndTime)
    if start is None or end is None or start > end:
        return Malformed("digestStartTime, digestEndTime: expected 2026-03-01T00:00:00Z, in order")
    try:
        return Digest(
            account_id=document.awsAccountId,
            window=TimeWindow(start, end),
            end_text=document.digestEndTime,
            location=S3Location(document.digestS3Bucket, document.digestS3Object),
            fingerprint=document.digestPublicKeyFingerprint,
            signature_algorithm=document.digestSignatureAlgorithm,
            previous=_previous(document),
            log_files=_log_files(document),
            sha256=sha256,
        )
    except _FieldError as error:
        return Malformed(str(error))


def _previous(document: _Document) -> Predecessor | None:
    """The five fields go together: all null at the start of a chain, else all there."""
    bucket, key = document.previousDigestS3Bucket, document.previousDigestS3Object
    sha256, algorithm = document.previousDigestHashValue, document.previousDigestHashAlgorithm
    signature = document.previousDigestSignature
    if (
        bucket is None
        and key is None
        and sha256 is None
        and algorithm is None
        and signature is None
    ):
        return None
    if bucket is None or key is None or sha256 is None or algorithm is None or signature is None:
        raise _FieldError("previousDigest…: expected all five fields, or null in all five")
    if algorithm == HASH_ALGORITHM and _SHA256.fullmatch(sha256) is None:
        raise _FieldError("previousDigestHashValue: expected 64 lower-case hex digits")
    if document.digestSignatureAlgorithm == SIGNATURE_ALGORITHM and not _HEX.fullmatch(signature):
        raise _FieldError("previousDigestSignature: expected lower-case hex")
    return Predecessor(S3Location(bucket, key), sha256, algorithm, signature)


def _log_files(document: _Document) -> Collection[LogFileRef]:
    """A log file that is named twice with one hash is one log file. Few are not worth packing."""
    for log in document.logFiles:
        if log.hashAlgorithm == HASH_ALGORITHM and _SHA256.fullmatch(log.hashValue) is None:
            raise _FieldError("logFiles: hashValue: expected 64 lower-case hex digits")
    refs = (
        LogFileRef(S3Location(log.s3Bucket, log.s3Object), log.hashValue, log.hashAlgorithm)
        for log in dict.fromkeys(document.logFiles)
    )
    return tuple(refs) if len(document.logFiles) <= _FEW else PackedLogFiles(refs)
