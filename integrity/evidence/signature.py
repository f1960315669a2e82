"""Detached signatures over a file's bytes, and their one JSON form: `record.json.sig`.

The kind of the key decides the algorithm, and there is one for each: nothing is chosen by what is
verified. A signature proves who had the key, no more: with the public key that lies beside it,
whoever changed the file could have signed it anew. So a verdict of `genuine` needs a key that came
another way.

1. The file is the one whose SHA-256 the signature names.
2. The key beside is one that is pinned, where any is; its kind has the algorithm that is named.
3. The signature is that key's, over the file's bytes.

(RFC 8032 Ed25519; FIPS 186-5 ECDSA; RFC 8017 RSASSA-PKCS1-v1_5.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)
from msgspec import Struct

from integrity.errors import AccessError, UsageError

SCHEMA_VERSION = 1
SUFFIX = ".sig"
PASSPHRASE = "INTEGRITY_SIGN_PASSPHRASE"  # noqa: S105 - the variable's name
"""Where the passphrase of a private key is; whoever opens the key reads it."""

MAX_SIGNATURE_FILE_BYTES = 64 * 1024
_RSA_BITS = range(2048, 8193)

Public = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey
_Private = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey


class Algorithm(StrEnum):
    """How a kind of key signs."""

    ED25519 = "ed25519"
    ECDSA = "ecdsa-p256-sha256"
    RSA = "rsa-pkcs1v15-sha256"


class Signature(Struct, frozen=True, kw_only=True):
    """The detached file. `key_id` and `signed_at` are the signer's word, outside of what is signed.

    `public_key` is PEM, `sha256` the signed file's.
    """

    schema_version: int = SCHEMA_VERSION
    algorithm: Algorithm
    key_id: str
    public_key: str
    sha256: str
    signature: bytes
    signed_at: datetime


class VerifyingKey(Struct, frozen=True):
    """A public key that can verify. `id` is the SHA-256 of its SubjectPublicKeyInfo."""

    public: Public
    algorithm: Algorithm
    id: str
    pem: str


class Signer(Protocol):
    """Who has a private key, and says which public key belongs to it."""

    @property
    def key_id(self) -> str: ...

    @property
    def verifying_key(self) -> VerifyingKey: ...

    def sign(self, document: bytes) -> bytes:
        """The signature over a document. Raises AccessError where the key is out of reach."""


def sign_document(document: bytes, signer: Signer, now: datetime) -> bytes:
    """The detached file of a document. Raises as the signer does, or where it signs wrongly."""
    key, made = signer.verifying_key, signer.sign(document)
    if not _is_signed(document, made, key):
        raise AccessError(
            f"the key {signer.key_id} made a signature that is not its own: try again"
        )
    signature = Signature(
        algorithm=key.algorithm,
        key_id=signer.key_id,
        public_key=key.pem,
        sha256=hashlib.sha256(document).hexdigest(),
        signature=made,
        signed_at=now,
    )
    return msgspec.json.format(msgspec.json.encode(signature), indent=2) + b"\n"


class Standing(StrEnum):
    """What a signature makes of a file: `genuine` by a pinned key, `unpinned` by the one beside."""

    GENUINE = "genuine"
    UNPINNED = "unpinned"
    UNSIGNED = "unsigned"
    CONTRADICTED = "contradicted"


class Checked(Struct, frozen=True):
    """How a file stands, by whose key, and why."""

    standing: Standing
    detail: str
    key_id: str = ""


UNSIGNED = Checked(Standing.UNSIGNED, "no signature lies beside it")


def check_signature(
    document: bytes, signature_file: bytes, pinned: Sequence[VerifyingKey]
) -> Checked:
    """What the detached file says of a document. Without a `pinned` key nobody vouches for it."""
    try:
        signature = decode_signature(signature_file)
        beside = load_public_key(signature.public_key.encode(), "the signature's public key")
    except UsageError as error:
        return _contradicted(str(error))
    sha256 = hashlib.sha256(document).hexdigest()
    if signature.sha256 != sha256:
        return _contradicted(f"the signature is of another content: SHA-256 {signature.sha256}")
    key = next((one for one in pinned if one.id == beside.id), None)
    if pinned and key is None:
        return _contradicted(f"it is signed by another key than was given: {beside.id}")
    if signature.algorithm is not beside.algorithm:
        return _contradicted(
            f"the signature is labelled {signature.algorithm.value}, and its key signs with "
            f"{beside.algorithm.value}"
        )
    if not _is_signed(document, signature.signature, key or beside):
        return _contradicted(f"the signature is not that of its key, {beside.id}")
    if key is None:
        said = "signed by the key that lies beside it, which whoever changed it could have too"
        return Checked(Standing.UNPINNED, said, beside.id)
    return Checked(Standing.GENUINE, f"signed by {key.id}", key.id)


def _contradicted(why: str) -> Checked:
    return Checked(Standing.CONTRADICTED, why)


def _is_signed(document: bytes, signature: bytes, key: VerifyingKey) -> bool:
    public = key.public
    try:
        if isinstance(public, Ed25519PublicKey):
            public.verify(signature, document)
        elif isinstance(public, EllipticCurvePublicKey):
            public.verify(signature, document, ECDSA(SHA256()))
        else:
            public.verify(signature, document, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def decode_signature(document: bytes) -> Signature:
    """A detached file, read strictly. Raises UsageError where it is none."""
    if len(document) > MAX_SIGNATURE_FILE_BYTES:
        raise UsageError(f"the signature is larger than {MAX_SIGNATURE_FILE_BYTES} bytes")
    try:
        signature = msgspec.json.decode(document, type=Signature)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the signature is not what --sign writes ({error})") from error
    if signature.schema_version != SCHEMA_VERSION:
        raise UsageError(
            f"the signature has schema version {signature.schema_version}; this program reads "
            f"version {SCHEMA_VERSION}"
        )
    return signature


def load_public_key(pem: bytes, name: str) -> VerifyingKey:
    """A public key in PEM. Raises UsageError, naming it, where it is none that can verify."""
    try:
        return _verifying(load_pem_public_key(pem), name)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{name} is no public key in PEM ({error})") from error


def load_der_key(der: bytes, name: str) -> VerifyingKey:
    """A public key as KMS answers it."""
    try:
        return _verifying(load_der_public_key(der), name)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{name} is no public key ({error})") from error


def _verifying(public: object, name: str) -> VerifyingKey:
    if isinstance(public, Ed25519PublicKey):
        algorithm = Algorithm.ED25519
    elif isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        algorithm = Algorithm.ECDSA
    elif isinstance(public, RSAPublicKey) and public.key_size in _RSA_BITS:
        algorithm = Algorithm.RSA
    else:
        raise UsageError(
            f"{name} is of a kind that is not used here: expected Ed25519, ECDSA P-256, or RSA of "
            f"{_RSA_BITS[0]} to {_RSA_BITS[-1]} bits"
        )
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return VerifyingKey(
        public, algorithm, f"sha256:{hashlib.sha256(der).hexdigest()}", pem.decode()
    )


class LocalSigner:
    """A private key of one's own, in PEM. Its bytes and its passphrase are never shown."""

    def __init__(self, pem: bytes, passphrase: bytes | None, name: str) -> None:
        try:
            private = load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            # The reasons of the library tell of the passphrase, never what it is.
            raise UsageError(
                f"{name} is no private key in PEM that can be read ({error}); a passphrase is "
                f"taken from {PASSPHRASE}"
            ) from error
        if not isinstance(private, _Private):
            raise UsageError(f"{name} is of a kind of key that does not sign here")
        self._private = private
        self.verifying_key = _verifying(private.public_key(), name)
        self.key_id = self.verifying_key.id

    def sign(self, document: bytes) -> bytes:
        """The signature over a document."""
        private = self._private
        if isinstance(private, Ed25519PrivateKey):
            return private.sign(document)
        if isinstance(private, EllipticCurvePrivateKey):
            return private.sign(document, ECDSA(SHA256()))
        return private.sign(document, PKCS1v15(), SHA256())
