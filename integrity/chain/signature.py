"""From a `Digest` to an `AuthenticDigest`: CloudTrail's signature, and nothing else.

1. The key is the one whose fingerprint the digest names; the fingerprint is the MD5 of the key's
   DER, which is computed here, not believed.
2. The signed string is made of the received bytes' own values: end time and place letter by letter,
   the SHA-256 of the inflated bytes, the predecessor's signature or `null`.
3. RSASSA-PKCS1-v1_5 with SHA-256, pinned: no algorithm is taken from what is verified.

A key's validity is not looked at: CloudTrail's own published samples verify outside of it.
(AWS: CloudTrail log file validation with custom implementations.)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from integrity.chain.model import AuthenticDigest, Digest, PublicKey, Witness

_HEX = re.compile(r"[0-9a-f]+")
_PADDING, _HASH = PKCS1v15(), SHA256()


class UsableKey(Struct, frozen=True):
    """A public key whose fingerprint was computed, ready to verify with."""

    key: PublicKey
    rsa: RSAPublicKey


def usable_keys(keys: Iterable[PublicKey]) -> dict[str, UsableKey]:
    """By fingerprint, the keys that are what they say; others are left out as if never answered."""
    usable: dict[str, UsableKey] = {}
    for key in keys:
        rsa = _load(key.der)
        if rsa is not None and fingerprint_of(key.der) == key.fingerprint:
            usable.setdefault(key.fingerprint, UsableKey(key, rsa))
    return usable


def fingerprint_of(der: bytes) -> str:
    """Lower-case hex MD5 of the DER bytes exactly as ListPublicKeys returns them."""
    return hashlib.md5(der, usedforsecurity=False).hexdigest()


@lru_cache(maxsize=256)
def _load(der: bytes) -> RSAPublicKey | None:
    """PKCS#1 or SubjectPublicKeyInfo; AWS has published both."""
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def signed_string(digest: Digest) -> bytes:
    """What CloudTrail signs: four parts joined by line feeds, none at the end, UTF-8."""
    previous = digest.previous.signature if digest.previous is not None else "null"
    location = f"{digest.location.bucket}/{digest.location.key}"
    return "\n".join((digest.end_text, location, digest.sha256, previous)).encode()


def authenticate(
    digest: Digest, signature: str, key: UsableKey, witness: Witness
) -> AuthenticDigest | None:
    """The digest as an authentic one, or None: the only way to make an AuthenticDigest.

    `signature` is lower-case hex, exactly as long as the key's modulus.
    """
    if digest.fingerprint != key.key.fingerprint:
        return None
    if len(signature) != 2 * ((key.rsa.key_size + 7) // 8) or not _HEX.fullmatch(signature):
        return None
    try:
        key.rsa.verify(bytes.fromhex(signature), signed_string(digest), _PADDING, _HASH)
    except InvalidSignature:
        return None
    return AuthenticDigest(digest, signature, witness)
