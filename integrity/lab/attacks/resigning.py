"""Digests that CloudTrail itself would have signed, but oddly: re-made with the region's real key.

Nobody but AWS can do this. It is how checks are proven that no attacker's act reaches: a link that
contradicts itself under good signatures, another account inside, an algorithm nobody knows. The
notes of the chain follow, because this *is* what was delivered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from integrity.lab.chains import Chain
from integrity.lab.naming import iso
from integrity.lab.objects import Address, LabDigest
from integrity.lab.signing import (
    SIGNATURE_ALGORITHM,
    gzipped,
    json_line,
    sha256_hex,
    sign_digest,
)
from integrity.lab.world import World


def resign(
    world: World,
    chain: Chain,
    digest: LabDigest,
    *,
    drop: Iterable[str] = (),
    label: str = SIGNATURE_ALGORITHM,
    relink: bool = True,
    **changes: Any,
) -> LabDigest:
    """CloudTrail signed the digest with `changes` to its fields and without those in `drop`.

    `label` is the algorithm in the metadata. With `relink` the digests after it are signed anew
    too, so that their links fit; without it the next one contradicts this one. Returns the digest
    as it is now.
    """
    if digest not in (*chain.digests, *chain.backfills):
        raise ValueError(f"the chain does not note this digest, or notes it otherwise: {digest}")
    followers = _by_predecessor(chain) if relink else {}
    signed = _signed(world, chain, digest, digest.document | changes, drop=drop, label=label)
    former, current = digest, signed
    while follower := followers.get(former.address):
        links = {
            "previousDigestHashValue": sha256_hex(current.body_json),
            "previousDigestSignature": current.signature,
        }
        kept = world.objects[follower.address].metadata["signature-algorithm"]
        former = follower
        current = _signed(world, chain, follower, follower.document | links, label=kept)
    return signed


def _by_predecessor(chain: Chain) -> dict[Address, LabDigest]:
    """The chain's digests by the address of the one that each names before it."""
    followers: dict[Address, LabDigest] = {}
    for one in (*chain.digests, *chain.backfills):
        named = one.document
        bucket, key = named.get("previousDigestS3Bucket"), named.get("previousDigestS3Object")
        if bucket and key:
            followers[bucket, key] = one
    return followers


def _signed(
    world: World,
    chain: Chain,
    digest: LabDigest,
    document: dict[str, Any],
    *,
    drop: Iterable[str] = (),
    label: str,
) -> LabDigest:
    for name in drop:
        document.pop(name, None)
    keys = world.public_keys(digest.region)
    signer = next(key for key in keys if key.fingerprint == digest.fingerprint)
    body = json_line(document, escape_slashes=chain.traffic.escape_slashes)
    signature = sign_digest(document, body, signer)
    signed = replace(digest, body_json=body, signature=signature)
    stored = world.objects[digest.address]
    metadata = {**stored.metadata, "signature": signature, "signature-algorithm": label}
    world.objects[digest.address] = replace(stored, body=gzipped(body), metadata=metadata)
    for notes in (chain.digests, chain.backfills):
        if digest in notes:
            notes[notes.index(digest)] = signed
    if chain.tip == digest:
        chain.tip = signed
    return signed


def wrong_previous_hash(world: World, chain: Chain, digest: LabDigest) -> LabDigest:
    """The signed digest states another hash of its predecessor than the predecessor has."""
    return resign(world, chain, digest, previousDigestHashValue=sha256_hex(b"another"))


def wrong_previous_signature(world: World, chain: Chain, digest: LabDigest) -> LabDigest:
    """The signed digest states another signature of its predecessor than the predecessor has."""
    return resign(world, chain, digest, previousDigestSignature="ab" * 256)


def wrong_account(
    world: World, chain: Chain, digest: LabDigest, *, account_id: str = "999999999999"
) -> LabDigest:
    """The signed digest says that it is of another account than its key."""
    return resign(world, chain, digest, awsAccountId=account_id)


def unknown_hash_algorithm(
    world: World, chain: Chain, digest: LabDigest, *, algorithm: str = "SHA3-256"
) -> LabDigest:
    """The signed digest hashes its first log file with an algorithm that nobody knows."""
    logs = digest.document["logFiles"]
    logs[0]["hashAlgorithm"] = algorithm
    return resign(world, chain, digest, logFiles=logs)


def unknown_signature_algorithm(
    world: World,
    chain: Chain,
    digest: LabDigest,
    *,
    algorithm: str = "SHA512withRSA",
    label: str | None = None,
) -> LabDigest:
    """The signed digest names an algorithm nobody knows; its metadata agrees unless `label`."""
    return resign(
        world, chain, digest, label=label or algorithm, digestSignatureAlgorithm=algorithm
    )


def log_named_twice(
    world: World, chain: Chain, digest: LabDigest, *, same_hash: bool = True
) -> LabDigest:
    """The signed digest names its first log file twice, with one hash or with two."""
    logs = digest.document["logFiles"]
    again = dict(logs[0])
    if not same_hash:
        again["hashValue"] = sha256_hex(b"another")
    return resign(world, chain, digest, logFiles=[*logs, again])


def name_also(world: World, chain: Chain, digest: LabDigest, address: Address) -> LabDigest:
    """The signed digest names one more object of the world, an Insight file say."""
    entry = {
        **digest.document["logFiles"][0],
        "s3Bucket": address[0],
        "s3Object": address[1],
        "hashValue": sha256_hex(world.objects[address].content),
    }
    return resign(world, chain, digest, logFiles=[*digest.document["logFiles"], entry])


def start_after_predecessor(
    world: World, chain: Chain, digest: LabDigest, *, later: timedelta = timedelta(minutes=20)
) -> LabDigest:
    """The signed digest begins `later` than its predecessor ended."""
    start: datetime = digest.start + later
    return resign(world, chain, digest, digestStartTime=iso(start))


def without_log_files(world: World, chain: Chain, digest: LabDigest) -> LabDigest:
    """The signed digest has no field `logFiles` at all."""
    return resign(world, chain, digest, drop=("logFiles",))
