"""The core beside what CloudTrail really wrote."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from integrity.chain.decode import decode_digest
from integrity.chain.model import Digest, PublicKey
from integrity.chain.names import digest_location, parse_digest, parse_log
from integrity.chain.signature import UsableKey, fingerprint_of, usable_keys
from integrity.chain.times import HOUR
from tests.vectors import DOCUMENTS, KEYS, ORPHANED_SIGNATURES, SIGNATURES, Document, Key, Signature

TIME = datetime(2026, 3, 1, tzinfo=UTC)


def by_origin(vector: Key | Signature | Document) -> str:
    return vector.origin.rpartition("/")[2].split(",")[0]


def usable() -> dict[str, UsableKey]:
    return usable_keys(
        PublicKey("us-east-1", key.fingerprint, key.der, TIME, TIME, TIME) for key in KEYS
    )


def opens(signature: Signature, key: UsableKey, sha256: str) -> bool:
    try:
        key.rsa.verify(
            bytes.fromhex(signature.signature),
            bytes.fromhex(sha256),
            PKCS1v15(),
            Prehashed(SHA256()),
        )
    except InvalidSignature:
        return False
    return True


def test_there_are_vectors_of_each_kind() -> None:
    assert {key.form for key in KEYS} == {"PKCS#1", "SubjectPublicKeyInfo"}
    assert (len(KEYS), len(SIGNATURES), len(DOCUMENTS)) == (5, 3, 4)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.fingerprint)
def test_a_fingerprint_is_the_md5_of_the_der(key: Key) -> None:
    assert fingerprint_of(key.der) == key.fingerprint


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.fingerprint)
def test_keys_load_in_both_forms(key: Key) -> None:
    rsa = usable()[key.fingerprint].rsa

    assert (rsa.key_size, rsa.public_numbers().e) == (2048, 65537)
    assert (len(key.der), key.form) in {(270, "PKCS#1"), (294, "SubjectPublicKeyInfo")}


@pytest.mark.parametrize("signature", SIGNATURES, ids=by_origin)
def test_real_signatures_are_pkcs1_v15_with_sha256(signature: Signature) -> None:
    keys = usable()

    opened_by = [
        fingerprint
        for fingerprint, key in keys.items()
        if opens(signature, key, signature.sha256_of_signed_string)
    ]

    assert opened_by == [signature.fingerprint]
    other = hashlib.sha256(b"another string").hexdigest()
    assert not opens(signature, keys[signature.fingerprint], other)


@pytest.mark.parametrize("signature", ORPHANED_SIGNATURES, ids=lambda text: text[:8])
def test_sample_signatures_of_unpublished_keys_do_not_open(signature: str) -> None:
    for key in usable().values():
        numbers = key.rsa.public_numbers()
        opened = pow(int(signature, 16), numbers.e, numbers.n).to_bytes(256, "big")
        assert not opened.startswith(b"\x00\x01\xff\xff")


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_origin)
def test_real_documents_decode(document: Document) -> None:
    fields = json.loads(document.body)

    digest = decode_digest(document.body, "a hash")

    assert isinstance(digest, Digest)
    assert digest.end_text == fields["digestEndTime"]
    assert (digest.location.bucket, digest.location.key) == (
        fields["digestS3Bucket"],
        fields["digestS3Object"],
    )
    assert len(digest.log_files) == document.log_files
    assert [ref.sha256 for ref in digest.log_files] == [
        log["hashValue"] for log in fields["logFiles"]
    ]
    assert (digest.previous is None) is document.starting
    assert digest.window.end - digest.window.start == HOUR


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_origin)
def test_real_keys_parse_and_rebuild(document: Document) -> None:
    digest = decode_digest(document.body, "a hash")
    assert isinstance(digest, Digest)

    name = parse_digest(digest.location)

    assert name is not None
    assert (name.chain.account_id, name.end) == (digest.account_id, digest.window.end)
    assert digest_location(name.chain, name.end) == digest.location
    if digest.previous is not None:
        assert digest.previous.location == digest_location(name.chain, digest.window.start)
    for ref in digest.log_files:
        log = parse_log(ref.location)
        assert log is not None
        assert (log.root, log.account_id, log.region) == (
            name.chain.root,
            name.chain.account_id,
            name.chain.region,
        )


def test_a_successor_states_its_predecessors_signature_letter_by_letter() -> None:
    """The capture of a trail's first two digests, and the signature in the first one's metadata."""
    (successor,) = [one for one in DOCUMENTS if "successor" in one.origin]
    (metadata,) = [one for one in SIGNATURES if "metadata" in one.origin]

    digest = decode_digest(successor.body, "a hash")

    assert isinstance(digest, Digest)
    assert digest.previous is not None
    assert digest.previous.signature == metadata.signature
