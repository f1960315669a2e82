"""One digest file's bytes to a judgement, in a fixed order; the first reason found is the one.

1. malformed: one whole gzip member holding a digest document (`content`, `decode`)
2. moved: the place it was signed for is the place it was read from
3. claims: its end time and account are those of its name
4. algorithm and key: signed with one we know, by a key that CloudTrail answers for
5. signature: the one in the object's metadata, or the one that its authentic successor states; in
   a copy that lost its metadata, the one that any successor states, if it fits

Links to other digests come later (`link`). Nothing here fetches: keys are looked up by whoever
calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import MAXYEAR, datetime, timedelta

from msgspec import Struct

from integrity.chain.content import Buffer, Content, Flaw, ReadContent, read_member
from integrity.chain.decode import HASH_ALGORITHM, SIGNATURE_ALGORITHM, Malformed, decode_digest
from integrity.chain.desk import Desk
from integrity.chain.findings import Finding, Place, Reason, find
from integrity.chain.model import (
    AuthenticDigest,
    ChainKind,
    Digest,
    Fetched,
    KeysUnavailable,
    TimeWindow,
    Witness,
)
from integrity.chain.names import DigestName
from integrity.chain.signature import UsableKey, authenticate
from integrity.chain.times import HOUR, format_instant

SIGNATURE = "signature"
SIGNATURE_LABEL = "signature-algorithm"
GENERATED = "backfill-generation-timestamp"

_FIRST_YEAR = 2013
"""CloudTrail began in November 2013."""


class Opened(Struct, frozen=True):
    """A digest file, opened: how it inflated, and what it holds (None where it has a flaw)."""

    content: Content
    document: Digest | Malformed | None


def open_digest(
    chunks: Iterable[Buffer],
    *,
    max_bytes: int,
    desk: Desk,
    read_content: ReadContent = read_member,
) -> Opened:
    """Step 1: inflate and decode a digest file. Memory is bounded by its inflated size, once."""
    try:
        content = read_content(chunks, max_bytes=max_bytes, sink=desk.add)
        if content.flaw is not None:
            return Opened(content, None)
        with desk.read() as body:
            return Opened(content, decode_digest(body, content.sha256))
    finally:
        desk.clear()


class NoKey(Struct, frozen=True):
    """ListPublicKeys answered for the time of signing, and knows no such fingerprint."""


KeyAnswer = UsableKey | NoKey | KeysUnavailable


def hour_of(name: DigestName) -> TimeWindow:
    """The hour that a digest's name stands for: digests are written for an hour each."""
    return TimeWindow(name.end - HOUR, name.end)


def judge_form(name: DigestName, fetched: Fetched[Opened], *, trail_owner: str) -> Digest | Finding:
    """Steps 1 to 3: a digest that is well-formed, in its place, and says what its name says."""
    content, digest = fetched.content.content, fetched.content.document
    if content.flaw is Flaw.TOO_LARGE:
        return _found(Reason.LIMIT_EXCEEDED, name, fetched, detail="inflated size")
    if digest is None:
        detail = content.detail or str(content.flaw)
        return _found(Reason.DIGEST_MALFORMED, name, fetched, detail=detail)
    if isinstance(digest, Malformed):
        return _found(Reason.DIGEST_MALFORMED, name, fetched, detail=digest.detail)
    if digest.location != fetched.location:
        return _found(
            Reason.DIGEST_MOVED,
            name,
            fetched,
            expected=digest.location.uri,
            actual=fetched.location.uri,
        )
    if digest.window.end != name.end:
        return _found(
            Reason.DIGEST_CLAIM_MISMATCH,
            name,
            fetched,
            expected=format_instant(name.end),
            actual=format_instant(digest.window.end),
            detail="digestEndTime",
        )
    if digest.account_id not in (name.chain.account_id, trail_owner):
        return _found(
            Reason.DIGEST_CLAIM_MISMATCH,
            name,
            fetched,
            expected=name.chain.account_id,
            actual=digest.account_id,
            detail="awsAccountId",
        )
    return digest


def judge_algorithm(name: DigestName, fetched: Fetched[Opened], digest: Digest) -> Finding | None:
    """Step 4, its first half. An unknown algorithm fails closed, and only if the label agrees."""
    if digest.signature_algorithm == SIGNATURE_ALGORITHM:
        return None
    label = fetched.metadata.get(SIGNATURE_LABEL)
    if label is not None and label != digest.signature_algorithm:
        return _mislabelled(name, fetched, digest, label)
    return _found(
        Reason.ALGORITHM_UNSUPPORTED,
        name,
        fetched,
        expected=SIGNATURE_ALGORITHM,
        actual=digest.signature_algorithm,
        detail="digestSignatureAlgorithm",
    )


def judge_predecessor_algorithm(
    name: DigestName, fetched: Fetched[Opened], digest: Digest
) -> Finding | None:
    """Of an authentic digest: whether we know how it hashed its predecessor.

    The link is not judged else.
    """
    if digest.previous is None or digest.previous.algorithm == HASH_ALGORITHM:
        return None
    return _found(
        Reason.ALGORITHM_UNSUPPORTED,
        name,
        fetched,
        expected=HASH_ALGORITHM,
        actual=digest.previous.algorithm,
        detail="previousDigestHashAlgorithm",
    )


def judge_signature(
    name: DigestName, fetched: Fetched[Opened], digest: Digest, key: KeyAnswer
) -> AuthenticDigest | Finding:
    """Steps 4 and 5 by the object's own metadata."""
    if isinstance(key, KeysUnavailable):
        return _found(Reason.KEYS_UNAVAILABLE, name, fetched, detail=key.detail)
    if isinstance(key, NoKey):
        region, fingerprint = name.chain.region, digest.fingerprint
        detail = f"public key not found in region {region} for fingerprint {fingerprint}"
        return _found(Reason.DIGEST_KEY_UNKNOWN, name, fetched, detail=detail)
    absent = [field for field in _required_metadata(name) if not fetched.metadata.get(field)]
    if absent:
        detail = f"no x-amz-meta-{absent[0]}"
        return _found(Reason.DIGEST_SIGNATURE_MISSING, name, fetched, detail=detail)
    if name.chain.kind is ChainKind.BACKFILL and generated_at(fetched.metadata) is None:
        detail = f"x-amz-meta-{GENERATED} is not a time"
        return _found(Reason.DIGEST_SIGNATURE_MISSING, name, fetched, detail=detail)
    label = fetched.metadata[SIGNATURE_LABEL]
    if label != digest.signature_algorithm:
        return _mislabelled(name, fetched, digest, label)
    signature = fetched.metadata[SIGNATURE]
    authentic = authenticate(digest, signature, key, Witness.METADATA)
    if authentic is None:
        return _found(Reason.DIGEST_SIGNATURE_INVALID, name, fetched)
    return authentic


def judge_copy(name: DigestName, fetched: Fetched[Opened], finding: Finding) -> Finding:
    """Step 5 in a copy: one that lost all its metadata on the way is not what somebody stripped.

    It is unproven, until its successor says more.
    """
    lost = SIGNATURE not in fetched.metadata and SIGNATURE_LABEL not in fetched.metadata
    if finding.reason is not Reason.DIGEST_SIGNATURE_MISSING or not lost:
        return finding
    detail = f"a copy without x-amz-meta-{SIGNATURE}, and no successor states one that fits"
    return _found(Reason.DIGEST_UNPROVEN, name, fetched, detail=detail)


def judge_by_successor(digest: Digest, stated: str, key: KeyAnswer) -> AuthenticDigest | None:
    """Step 5 by the second witness: the signature that a successor states."""
    if not isinstance(key, UsableKey):
        return None
    return authenticate(digest, stated, key, Witness.SUCCESSOR)


def signing_time(name: DigestName, metadata: Mapping[str, str]) -> datetime:
    """When the digest was signed: its end, and for a backfill digest when it was generated."""
    generated = generated_at(metadata) if name.chain.kind is ChainKind.BACKFILL else None
    return generated or name.end


def generated_at(metadata: Mapping[str, str]) -> datetime | None:
    """A backfill digest's generation time, e.g. `2025-05-20T00:00:00.000Z`. It is not signed.

    None where it is no time in UTC, or none at which anybody can have signed a digest.
    """
    try:
        time = datetime.fromisoformat(metadata.get(GENERATED, ""))
    except ValueError:
        return None
    if time.utcoffset() != timedelta(0) or not _FIRST_YEAR <= time.year < MAXYEAR:
        return None
    return time


def _required_metadata(name: DigestName) -> tuple[str, ...]:
    if name.chain.kind is ChainKind.BACKFILL:
        return (SIGNATURE, SIGNATURE_LABEL, GENERATED)
    return (SIGNATURE, SIGNATURE_LABEL)


def _mislabelled(name: DigestName, fetched: Fetched[Opened], digest: Digest, label: str) -> Finding:
    return _found(
        Reason.DIGEST_SIGNATURE_INVALID,
        name,
        fetched,
        expected=digest.signature_algorithm,
        actual=label,
        detail=f"x-amz-meta-{SIGNATURE_LABEL} names another algorithm than the document",
    )


def _found(
    reason: Reason,
    name: DigestName,
    fetched: Fetched[Opened],
    *,
    expected: str | None = None,
    actual: str | None = None,
    detail: str = "",
) -> Finding:
    return find(
        reason,
        Place(name.chain.account_id, name.chain.region),
        hour_of(name),
        s3_uri=fetched.location.uri,
        version_id=fetched.version_id,
        last_modified=fetched.last_modified,
        expected=expected,
        actual=actual,
        detail=detail,
    )
