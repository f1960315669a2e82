"""Detached signatures: what they prove, and each way in which one can be made to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from integrity.errors import UsageError
from integrity.evidence.signature import (
    MAX_SIGNATURE_FILE_BYTES,
    Algorithm,
    LocalSigner,
    Standing,
    check_signature,
    decode_signature,
    load_der_key,
    load_public_key,
)
from tests.evidence.pens import KINDS, NOW, pen, private_pem, signed

DOCUMENT = b'{"outcome":"valid"}\n'

every_kind = pytest.mark.parametrize("kind", KINDS)


def changed(file: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(file) | fields).encode()


@every_kind
def test_what_a_pinned_key_signed_is_genuine(kind: Algorithm) -> None:
    key = pen(kind).verifying_key
    other = pen(kind, 1).verifying_key
    checked = check_signature(DOCUMENT, signed(DOCUMENT, kind), [other, key])
    assert (checked.standing, checked.key_id) == (Standing.GENUINE, key.id)


@every_kind
def test_without_a_pinned_key_nobody_vouches(kind: Algorithm) -> None:
    checked = check_signature(DOCUMENT, signed(DOCUMENT, kind), [])
    assert checked.standing is Standing.UNPINNED
    assert "whoever changed it could have too" in checked.detail


@every_kind
def test_one_changed_byte_is_a_contradiction(kind: Algorithm) -> None:
    signature, key = signed(DOCUMENT, kind), pen(kind).verifying_key
    for place in range(len(DOCUMENT)):
        edited = DOCUMENT[:place] + bytes([DOCUMENT[place] ^ 1]) + DOCUMENT[place + 1 :]
        assert check_signature(edited, signature, [key]).standing is Standing.CONTRADICTED


@every_kind
def test_the_hash_alone_made_to_fit_does_not_help(kind: Algorithm) -> None:
    edited = DOCUMENT.replace(b"valid", b"VALID")
    forged = changed(signed(DOCUMENT, kind), sha256=hashlib.sha256(edited).hexdigest())
    checked = check_signature(edited, forged, [])
    assert checked.standing is Standing.CONTRADICTED
    assert "not that of its key" in checked.detail


@every_kind
def test_the_signature_of_another_record_is_a_contradiction(kind: Algorithm) -> None:
    checked = check_signature(DOCUMENT, signed(b"another", kind), [pen(kind).verifying_key])
    assert "of another content" in checked.detail


@every_kind
def test_whoever_signs_anew_with_a_key_of_their_own_is_seen_by_the_pinned_one(
    kind: Algorithm,
) -> None:
    forged = signed(DOCUMENT, kind, 1)
    assert check_signature(DOCUMENT, forged, []).standing is Standing.UNPINNED
    checked = check_signature(DOCUMENT, forged, [pen(kind).verifying_key])
    assert checked.standing is Standing.CONTRADICTED
    assert "another key than was given" in checked.detail


@every_kind
def test_a_strangers_signature_under_the_pinned_key_is_a_contradiction(kind: Algorithm) -> None:
    key = pen(kind).verifying_key
    forged = changed(signed(DOCUMENT, kind, 1), public_key=key.pem, key_id=key.id)
    assert "not that of its key" in check_signature(DOCUMENT, forged, [key]).detail


@every_kind
@pytest.mark.parametrize("label", KINDS)
def test_another_label_is_a_contradiction(kind: Algorithm, label: Algorithm) -> None:
    if kind is label:
        return
    forged = changed(signed(DOCUMENT, kind), algorithm=label.value)
    checked = check_signature(DOCUMENT, forged, [pen(kind).verifying_key])
    assert f"labelled {label.value}" in checked.detail


@pytest.mark.parametrize(
    ("forged", "said"),
    [
        (b"", "not what --sign writes"),
        (b"[" * 100_000, "larger than"),
        (b"[" * 60_000, "not what --sign writes"),
        (b"\xff\xfe", "not what --sign writes"),
        (b" " * (MAX_SIGNATURE_FILE_BYTES + 1), "larger than"),
        (changed(signed(DOCUMENT), algorithm="none"), "not what --sign writes"),
        (changed(signed(DOCUMENT), schema_version=2), "schema version 2"),
        (changed(signed(DOCUMENT), signature="not base64!"), "not what --sign writes"),
        (changed(signed(DOCUMENT), public_key="no key"), "no public key in PEM"),
        (changed(signed(DOCUMENT), public_key="\ud800".encode("utf-8", "replace").decode()), "PEM"),
        (changed(signed(DOCUMENT), signature=base64.b64encode(b"x").decode()), "not that of its"),
    ],
    ids=[str(number) for number in range(11)],  # keys are new each time
)
def test_a_hostile_file_is_a_contradiction(forged: bytes, said: str) -> None:
    for pinned in ([], [pen().verifying_key]):
        checked = check_signature(DOCUMENT, forged, pinned)
        assert checked.standing is Standing.CONTRADICTED
        assert said in checked.detail


def test_the_file_says_who_signed_what_and_when() -> None:
    signature = decode_signature(signed(DOCUMENT))
    assert signature.signed_at == NOW
    assert signature.key_id == pen().verifying_key.id
    assert signature.sha256 == hashlib.sha256(DOCUMENT).hexdigest()
    assert load_public_key(signature.public_key.encode(), "it").id == pen().verifying_key.id


# Keys


def test_a_passphrase_opens_a_private_key_and_is_never_told() -> None:
    pem = private_pem(Algorithm.ECDSA, passphrase=b"correct horse")
    assert LocalSigner(pem, b"correct horse", "k").sign(DOCUMENT)
    for wrong in (None, b"battery staple"):
        with pytest.raises(UsageError, match="INTEGRITY_SIGN_PASSPHRASE") as raised:
            LocalSigner(pem, wrong, "'key.pem'")
        assert "staple" not in str(raised.value)


def test_what_is_no_private_key_is_refused() -> None:
    for pem in (b"", b"no key", pen().verifying_key.pem.encode()):
        with pytest.raises(UsageError, match=r"'key\.pem' is no private key"):
            LocalSigner(pem, None, "'key.pem'")
    with pytest.raises(UsageError, match="no private key"):
        LocalSigner(private_pem(Algorithm.RSA), b"superfluous", "'key.pem'")


PKCS8 = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "pem",
    [
        x25519.X25519PrivateKey.generate().private_bytes(*PKCS8),
        ec.generate_private_key(ec.SECP384R1()).private_bytes(*PKCS8),
        rsa.generate_private_key(65537, 1024).private_bytes(*PKCS8),
    ],
    ids=["x25519", "p-384", "rsa-1024"],
)
def test_other_kinds_of_keys_do_not_sign(pem: bytes) -> None:
    with pytest.raises(UsageError, match="of a kind"):
        LocalSigner(pem, None, "a key")


def test_other_kinds_of_keys_do_not_verify() -> None:
    weak = rsa.generate_private_key(65537, 1024).public_key()
    with pytest.raises(UsageError, match="expected Ed25519, ECDSA P-256, or RSA of 2048"):
        load_public_key(weak.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "it")
    with pytest.raises(UsageError, match="it is no public key"):
        load_der_key(b"no key", "it")


# Somebody else's verification


@every_kind
def test_openssl_verifies_it_too(kind: Algorithm, tmp_path: Path) -> None:
    """The lines of docs/evidence.md."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl here")
    document, key, raw = tmp_path / "record.json", tmp_path / "key.pem", tmp_path / "raw"
    document.write_bytes(DOCUMENT)
    said = json.loads(signed(DOCUMENT, kind))
    key.write_text(said["public_key"])
    raw.write_bytes(base64.b64decode(said["signature"]))
    digested: list[str | Path] = [
        openssl,
        "dgst",
        "-sha256",
        "-verify",
        key,
        "-signature",
        raw,
        document,
    ]
    plain: list[str | Path] = [
        openssl,
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        key,
        "-rawin",
        "-in",
        document,
    ]
    command = [*plain, "-sigfile", raw] if kind is Algorithm.ED25519 else digested

    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    document.write_bytes(DOCUMENT + b" ")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_key_beside_is_plain_pem() -> None:
    said = json.loads(signed(DOCUMENT))
    assert load_pem_public_key(said["public_key"].encode()) is not None
