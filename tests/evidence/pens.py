"""Keys to sign with, made once: a kind each."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from integrity.evidence.signature import Algorithm, LocalSigner, sign_document

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
KINDS = tuple(Algorithm)


@cache
def private_pem(kind: Algorithm, number: int = 0, passphrase: bytes | None = None) -> bytes:
    """A private key of that kind; another number is another key."""
    del number
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind is Algorithm.ED25519:
        key = ed25519.Ed25519PrivateKey.generate()
    elif kind is Algorithm.ECDSA:
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, 2048)
    locked = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)


@cache
def pen(kind: Algorithm = Algorithm.ED25519, number: int = 0) -> LocalSigner:
    return LocalSigner(private_pem(kind, number), None, "a key")


def signed(document: bytes, kind: Algorithm = Algorithm.ED25519, number: int = 0) -> bytes:
    return sign_document(document, pen(kind, number), NOW)
