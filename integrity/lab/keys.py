"""The region's signing keys, as CloudTrail rotates them.

A key is valid for thirty days and its successor begins twenty days after it did, so two keys
overlap for ten days; the newest one signs. The ring decides from a time alone which key that is.
RSA keys are slow to make and their number is all that matters, so a process makes each of them
once and every world draws the first few again. Nothing here knows a digest or a trail.

Source: AWS: API_ListPublicKeys, cloudtrail-log-file-custom-validation.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_LIFE = timedelta(days=30)
KEY_SPACING = timedelta(days=20)
# The first key of a region is a week old when the region signs for the first time.
FIRST_KEY_AGE = timedelta(days=7, hours=3, minutes=14, seconds=31)

_pool: dict[tuple[str, int], rsa.RSAPrivateKey] = {}
_pool_lock = threading.Lock()


def pooled_key(label: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The process's RSA key of that label and size; the first call takes 0.1 s or so."""
    with _pool_lock:
        if (label, bits) not in _pool:
            _pool[label, bits] = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        return _pool[label, bits]


def public_der(private: rsa.RSAPrivateKey, *, spki: bool = False) -> bytes:
    """The public half as DER: PKCS#1, which ListPublicKeys returns, or SubjectPublicKeyInfo."""
    form = PublicFormat.SubjectPublicKeyInfo if spki else PublicFormat.PKCS1
    return private.public_key().public_bytes(Encoding.DER, form)


def md5_fingerprint(der: bytes) -> str:
    """Lower-case hex MD5 of the DER: what CloudTrail calls a public key's fingerprint."""
    return hashlib.md5(der, usedforsecurity=False).hexdigest()


def rsa_signature(private: rsa.RSAPrivateKey, message: bytes) -> str:
    """Lower-case hex of the RSASSA-PKCS1-v1_5 signature with SHA-256 over `message`."""
    return private.sign(message, padding.PKCS1v15(), hashes.SHA256()).hex()


@dataclass(frozen=True, slots=True)
class LabKey:
    """One signing key with the half that ListPublicKeys shows; times are aware UTC."""

    private: rsa.RSAPrivateKey = field(repr=False)
    der: bytes = field(repr=False)
    fingerprint: str
    not_before: datetime
    not_after: datetime

    @classmethod
    def made(
        cls, private: rsa.RSAPrivateKey, not_before: datetime, *, spki: bool = False
    ) -> LabKey:
        """The key that `private` is from `not_before` on, for thirty days."""
        der = public_der(private, spki=spki)
        return cls(private, der, md5_fingerprint(der), not_before, not_before + KEY_LIFE)

    def __deepcopy__(self, memo: object) -> LabKey:
        return self  # nothing in it changes

    def sign(self, message: bytes) -> str:
        """Lower-case hex signature of `message`."""
        return rsa_signature(self.private, message)


class KeyRing:
    """One region's keys. `draw` makes an RSA key of so many bits that no other ring has.

    `bits` and `spki` say how the keys made from now on are: how long, and in which DER form.
    """

    def __init__(self, draw: Callable[[int], rsa.RSAPrivateKey]) -> None:
        self.bits = 2048
        self.spki = False
        self._draw = draw
        self._anchors: list[datetime] = []
        self._keys: dict[datetime, LabKey] = {}

    def __iter__(self) -> Iterator[LabKey]:
        return iter([self._keys[start] for start in sorted(self._keys)])

    def signer(self, at: datetime) -> LabKey:
        """The newest key that is valid at `at`; made where nothing was signed then before."""
        if not self._anchors:
            self._anchors.append((at - FIRST_KEY_AGE).replace(microsecond=0))
        anchor = self._anchors[max(0, bisect_right(self._anchors, at) - 1)]
        return self._key_from(anchor + (at - anchor) // KEY_SPACING * KEY_SPACING)

    def rotate(self, at: datetime) -> LabKey:
        """Begin a new key at `at`: what is signed from then on is signed by it."""
        if self._anchors and at > self._anchors[0]:
            self.signer(at)  # the key before the rotation is public too, used or not
        if at not in self._anchors:
            self._anchors.append(at)
            self._anchors.sort()
        return self._key_from(at)

    def _key_from(self, start: datetime) -> LabKey:
        if start not in self._keys:
            self._keys[start] = LabKey.made(self._draw(self.bits), start, spki=self.spki)
        return self._keys[start]
