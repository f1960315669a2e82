"""A third witness: it reads a world's buckets and checks chains with plain `cryptography`.

It shares no code with the lab that signs nor with the package that verifies.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from integrity.lab.objects import Address, LabDigest, StoredObject
from integrity.lab.world import World


def whole_member(body: bytes) -> bytes:
    """The content of a body that is exactly one gzip member."""
    stream = zlib.decompressobj(31)
    content = stream.decompress(body)
    assert stream.eof
    assert stream.unused_data == b""
    return content


def check_digest(world: World, digest: LabDigest) -> dict[str, Any]:
    """The document of a digest in its place, after its signature and its log files agreed."""
    stored = world.objects[digest.address]
    content = whole_member(stored.body)
    document: dict[str, Any] = json.loads(content)
    assert (document["digestS3Bucket"], document["digestS3Object"]) == digest.address
    ders = {
        hashlib.md5(key.der, usedforsecurity=False).hexdigest(): key.der
        for key in world.public_keys(digest.region)
    }
    key = load_der_public_key(ders[document["digestPublicKeyFingerprint"]])
    assert isinstance(key, RSAPublicKey)
    previous = document["previousDigestSignature"]
    lines = [
        document["digestEndTime"],
        document["digestS3Bucket"] + "/" + document["digestS3Object"],
        hashlib.sha256(content).hexdigest(),
        "null" if previous is None else previous,
    ]
    signature = bytes.fromhex(stored.metadata["signature"])
    key.verify(signature, "\n".join(lines).encode(), PKCS1v15(), SHA256())
    for entry in document["logFiles"]:
        body = world.objects[entry["s3Bucket"], entry["s3Object"]].body
        assert hashlib.sha256(whole_member(body)).hexdigest() == entry["hashValue"]
    return document


def check_links(world: World, digests: Iterable[LabDigest]) -> int:
    """How many links of these digests lead to a digest of the world, after each agreed."""
    links = 0
    for digest in digests:
        document = check_digest(world, digest)
        address = document["previousDigestS3Bucket"], document["previousDigestS3Object"]
        if address not in world.objects:
            continue
        links += 1
        before = world.objects[address]
        content = whole_member(before.body)
        assert document["previousDigestHashValue"] == hashlib.sha256(content).hexdigest()
        assert document["previousDigestHashAlgorithm"] == "SHA-256"
        assert document["previousDigestSignature"] == before.metadata["signature"]
        if digest.generated_at is None:
            assert document["digestStartTime"] >= json.loads(content)["digestEndTime"]
    return links


def changed(before: dict[Address, StoredObject], world: World) -> set[Address]:
    """The addresses whose object came, went or is another than before."""
    both = {*before, *world.objects}
    return {at for at in both if before.get(at) != world.objects.get(at)}


def inflated(body: bytes, *, members: int) -> bytes:
    """What a careless reader gets from so many members: no end, no checksum looked at."""
    content = b""
    for _ in range(members):
        stream = zlib.decompressobj(-15)
        content += stream.decompress(body[10:])
        body = stream.unused_data[8:]
    return content
