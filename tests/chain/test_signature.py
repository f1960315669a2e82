"""From a digest to an authentic one: the signed string, the key, PKCS#1 v1.5 with SHA-256."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from integrity.chain.model import AuthenticDigest, Digest, Predecessor, PublicKey, Witness
from integrity.chain.signature import (
    UsableKey,
    authenticate,
    fingerprint_of,
    signed_string,
    usable_keys,
)
from integrity.lab.keys import LabKey, pooled_key
from integrity.structs import replace
from tests.chain.specimens import at, hours, location

KEY = LabKey.made(pooled_key("a key"), at(-24))
DIGEST = Digest(
    account_id="111122223333",
    window=hours(4, 5),
    end_text="2026-03-01T05:00:00Z",
    location=location("AWSLogs/a-digest"),
    fingerprint=KEY.fingerprint,
    signature_algorithm="SHA256withRSA",
    previous=None,
    log_files=(),
    sha256="ab" * 32,
)
SEEN = Witness.METADATA
PREVIOUS = Predecessor(location("AWSLogs/the-digest-before"), "cd" * 32, "SHA-256", "ef" * 256)


def public(key: LabKey, **changes: object) -> PublicKey:
    published = PublicKey(
        "us-east-1", key.fingerprint, key.der, key.not_before, key.not_after, at(0)
    )
    return replace(published, **changes)  # type: ignore[arg-type]


def usable(key: LabKey) -> UsableKey:
    return usable_keys([public(key)])[key.fingerprint]


def test_the_signed_string_has_four_lines() -> None:
    assert signed_string(DIGEST) == (
        b"2026-03-01T05:00:00Z\ntrail-logs/AWSLogs/a-digest\n" + b"ab" * 32 + b"\nnull"
    )
    assert signed_string(replace(DIGEST, previous=PREVIOUS)).endswith(b"\n" + b"ef" * 256)


def test_the_signed_string_is_utf_8() -> None:
    abroad = replace(DIGEST, location=location("präfix/AWSLogs/a-digest"))

    assert "trail-logs/präfix/AWSLogs/a-digest".encode() in signed_string(abroad)


@pytest.mark.parametrize("witness", Witness)
def test_what_the_key_signed_is_authentic(witness: Witness) -> None:
    signature = KEY.sign(signed_string(DIGEST))

    authentic = authenticate(DIGEST, signature, usable(KEY), witness)

    assert authentic == AuthenticDigest(DIGEST, signature, witness)


@pytest.mark.parametrize(
    "changes",
    [
        {"end_text": "2026-03-01T06:00:00Z"},
        {"location": location("AWSLogs/another-digest")},
        {"location": location("AWSLogs/a-digest", bucket="other-logs")},
        {"sha256": "ba" * 32},
        {"previous": PREVIOUS},
    ],
)
def test_every_signed_part_counts(changes: dict[str, object]) -> None:
    signature = KEY.sign(signed_string(DIGEST))
    changed = replace(DIGEST, **changes)  # type: ignore[arg-type]

    assert authenticate(changed, signature, usable(KEY), Witness.METADATA) is None


def test_a_signature_by_another_key_is_none() -> None:
    other = LabKey.made(pooled_key("another key"), at(-24))

    assert authenticate(DIGEST, other.sign(signed_string(DIGEST)), usable(KEY), SEEN) is None


def test_the_key_has_to_be_the_one_that_the_digest_names() -> None:
    other = LabKey.made(pooled_key("another key"), at(-24))
    signature = other.sign(signed_string(DIGEST))

    assert authenticate(DIGEST, signature, usable(other), SEEN) is None


@pytest.mark.parametrize("how", ["upper", "blanks", "zeros", "short", "long", "no hex", "empty"])
def test_a_signature_is_lower_case_hex_as_long_as_its_key(how: str) -> None:
    signature = KEY.sign(signed_string(DIGEST))
    written = {
        "upper": signature.upper(),
        "blanks": " ".join(signature[start : start + 2] for start in range(0, 512, 2)),
        "zeros": "00" + signature,
        "short": signature[2:],
        "long": signature + "00",
        "no hex": "g" + signature[1:],
        "empty": "",
    }

    assert authenticate(DIGEST, written[how], usable(KEY), SEEN) is None


@pytest.mark.parametrize("algorithm", [hashes.MD5(), hashes.SHA1(), hashes.SHA512()])
def test_no_other_hash_is_taken_from_the_signature(algorithm: hashes.HashAlgorithm) -> None:
    signature = KEY.private.sign(signed_string(DIGEST), padding.PKCS1v15(), algorithm).hex()

    assert authenticate(DIGEST, signature, usable(KEY), SEEN) is None


def test_no_other_padding_is_taken() -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    signature = KEY.private.sign(signed_string(DIGEST), pss, hashes.SHA256()).hex()

    assert authenticate(DIGEST, signature, usable(KEY), SEEN) is None


@pytest.mark.parametrize(("bits", "spki"), [(3072, False), (2048, True), (2047, False)])
def test_keys_of_other_sizes_and_in_the_other_form_verify(bits: int, *, spki: bool) -> None:
    key = LabKey.made(pooled_key("sized", bits), at(-24), spki=spki)
    digest = replace(DIGEST, fingerprint=key.fingerprint)
    signature = key.sign(signed_string(digest))

    assert authenticate(digest, signature, usable(key), SEEN) is not None


def test_validity_is_not_looked_at() -> None:
    expired = public(KEY, not_before=at(-2000), not_after=at(-1000))
    (key,) = usable_keys([expired]).values()

    assert authenticate(DIGEST, KEY.sign(signed_string(DIGEST)), key, SEEN) is not None


def test_a_key_that_is_not_what_its_fingerprint_says_is_left_out() -> None:
    assert usable_keys([public(KEY, fingerprint="00" * 16)]) == {}


def test_of_two_keys_with_one_fingerprint_only_the_one_that_has_it_is_used() -> None:
    other = LabKey.made(pooled_key("another key"), at(-24))
    impostor = public(other, fingerprint=KEY.fingerprint)

    for keys in ([impostor, public(KEY)], [public(KEY), impostor]):
        assert usable_keys(keys)[KEY.fingerprint].key == public(KEY)


def elliptic() -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# An SPKI whose algorithm, 1.2.3.4, is nobody's.
UNKNOWN_ALGORITHM = bytes.fromhex("300d300706032a03040500030200ff")


@pytest.mark.parametrize(
    "der",
    [b"", b"\x30", b"not DER", KEY.der[:-1], elliptic(), UNKNOWN_ALGORITHM],
    ids=["empty", "begun", "text", "cut", "elliptic", "unknown"],
)
def test_what_is_no_rsa_key_is_left_out(der: bytes) -> None:
    assert usable_keys([public(KEY, der=der, fingerprint=fingerprint_of(der))]) == {}


def test_a_fingerprint_is_the_lower_case_md5_of_the_der() -> None:
    assert fingerprint_of(KEY.der) == hashlib.md5(KEY.der, usedforsecurity=False).hexdigest()
