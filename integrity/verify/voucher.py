"""An authentic digest that names a log file, as a witness: its key, its place, its neighbours.

Nouns, and how they are read off digests that were judged already; nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from integrity.chain.findings import Finding, Outcome
from integrity.chain.link import Entry, Standing, check_links
from integrity.chain.model import ChainId, ChainKind, LogFileRef, PublicKey, S3Location, TimeWindow
from integrity.verify.span import DigestSpan


class Word(StrEnum):
    """What can be said of the file in one word."""

    DELIVERED = "delivered"
    CONTRADICTED = "contradicted"
    UNDETERMINED = "undetermined"
    UNREFERENCED = "unreferenced"
    UNATTESTED = "unattested"
    PENDING = "pending"
    ABSENT = "absent"


class Neighbour(Struct, frozen=True, kw_only=True):
    """The digest before or after one: how it stands, and whether the two agree on their link."""

    s3_uri: str
    standing: Standing
    is_linked: bool


class Voucher(Struct, frozen=True, kw_only=True):
    """An authentic digest that names the file. `witness` stated its signature."""

    s3_uri: str
    trail_name: str
    home_region: str
    kind: ChainKind
    window: TimeWindow
    sha256: str
    fingerprint: str
    key_origin: str
    witness: str
    log_sha256: str
    previous: Neighbour | None
    following: Neighbour | None


class Vouched(Struct, frozen=True, kw_only=True):
    """The answer. `findings` are about the file, or about the digests that could name it."""

    s3_uri: str
    word: Word
    outcome: Outcome
    detail: str
    last_modified: datetime | None
    vouchers: tuple[Voucher, ...] = ()
    findings: tuple[Finding, ...] = ()
    digests_read: int = 0


def voucher(
    span: DigestSpan, place: S3Location, ref: LogFileRef, keys: Iterable[PublicKey]
) -> Voucher:
    """The authentic digest at `place`, which names a file by `ref`; one of the `keys` signed it."""
    signed = span.authentic[place]
    digest, chain = signed.digest, chain_of(span, place)
    origins = [key.origin for key in keys if key.fingerprint == digest.fingerprint]
    before, after = _neighbours(span, place)
    return Voucher(
        s3_uri=place.uri,
        trail_name=chain.trail_name,
        home_region=chain.home_region,
        kind=chain.kind,
        window=digest.window,
        sha256=digest.sha256,
        fingerprint=digest.fingerprint,
        key_origin=origins[0],
        witness=signed.witness.value,
        log_sha256=ref.sha256,
        previous=before,
        following=after,
    )


def chain_of(span: DigestSpan, place: S3Location) -> ChainId:
    """The chain of a digest."""
    return next(entry.chain for entry in span.entries if entry.location == place)


def _neighbours(span: DigestSpan, place: S3Location) -> tuple[Neighbour | None, Neighbour | None]:
    """The digest that one names as its predecessor, and the one that names it."""
    entries = {entry.location: entry for entry in span.entries}
    broken = {finding.s3_uri for finding in check_links(span.entries)}
    entry = entries[place]
    before = None
    if entry.previous is not None:
        earlier = entries.get(entry.previous.location)
        standing = Standing.UNJUDGED if earlier is None else earlier.standing
        linked = standing is Standing.AUTHENTIC and place.uri not in broken
        before = Neighbour(s3_uri=entry.previous.location.uri, standing=standing, is_linked=linked)
    after = next((one for one in span.entries if _names(one, place)), None)
    if after is None:
        return before, None
    linked = after.location.uri not in broken
    return before, Neighbour(s3_uri=after.location.uri, standing=after.standing, is_linked=linked)


def _names(entry: Entry, place: S3Location) -> bool:
    return entry.is_authentic and entry.previous is not None and entry.previous.location == place
