"""Acts on digest files and on the metadata that carries their signature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, assert_never

from integrity.lab.attacks.logs import overwrite
from integrity.lab.keys import LabKey, pooled_key
from integrity.lab.objects import LabDigest
from integrity.lab.signing import SIGNATURE_ALGORITHM, gzipped, json_line, sign_digest
from integrity.lab.world import World

BOMB_BYTES = 1 << 27

Malformation = Literal[
    "not-gzip",
    "cut",
    "not-json",
    "not-utf-8",
    "not-an-object",
    "wrong-types",
    "missing-field",
    "duplicate-field",
    "deep",
    "bomb",
    "empty",
]
"""What is wrong with a malformed digest; "bomb" inflates to `BOMB_BYTES` blanks."""


def _set_metadata(world: World, digest: LabDigest, changes: dict[str, str | None]) -> None:
    stored = world.objects[digest.address]
    metadata = {name: text for name, text in stored.metadata.items() if name not in changes}
    metadata.update({name: text for name, text in changes.items() if text is not None})
    world.objects[digest.address] = replace(stored, metadata=metadata, last_modified=world.now)


def edit_digest(world: World, digest: LabDigest, **changes: Any) -> None:
    """The digest says something else under its old signature; by default it names no log files."""
    document = digest.document | (changes or {"logFiles": []})
    overwrite(world, digest.address, gzipped(json_line(document)))


def tamper_backfill(world: World, digest: LabDigest) -> None:
    """The backfill digest names no log files any more."""
    edit_digest(world, digest)


def untime_backfill(world: World, digest: LabDigest) -> None:
    """The backfill digest's object lost the metadata that says when it was generated."""
    _set_metadata(world, digest, {"backfill-generation-timestamp": None})


def malform_digest(world: World, digest: LabDigest, how: Malformation) -> None:
    """The digest is not what a digest must be, in the way that `how` names."""
    overwrite(world, digest.address, _malformed(digest, how))


def _malformed(digest: LabDigest, how: Malformation) -> bytes:
    document = digest.document
    match how:
        case "empty":
            return b""
        case "not-gzip":
            return digest.body_json
        case "cut":
            return gzipped(digest.body_json)[:-20]
        case "not-json":
            content = b"digest"
        case "not-utf-8":
            content = digest.body_json.replace(b"awsAccountId", b"aws\xff\xfeAccountId")
        case "not-an-object":
            content = b"[" + digest.body_json + b"]"
        case "wrong-types":
            content = json_line(document | {"logFiles": {"s3Object": 1}})
        case "missing-field":
            content = json_line({k: v for k, v in document.items() if k != "digestEndTime"})
        case "duplicate-field":
            content = digest.body_json[:-1] + b',"logFiles":[]}'
        case "deep":
            content = b'{"logFiles":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        case "bomb":
            content = b" " * BOMB_BYTES
        case _:
            assert_never(how)
    return gzipped(content)


def garble_digests(world: World, digests: Iterable[LabDigest]) -> None:
    """Every one of the digests is garbage without metadata."""
    for digest in digests:
        overwrite(world, digest.address, b"garbage")
        _set_metadata(world, digest, {"signature": None, "signature-algorithm": None})


def move_digest(world: World, digest: LabDigest, *, key: str, bucket: str | None = None) -> None:
    """The digest's object is under another key, metadata and all, and gone from its own."""
    stored = world.objects.pop(digest.address)
    world.objects[bucket or digest.bucket, key] = replace(stored, last_modified=world.now)


def replay_digest(world: World, digest: LabDigest, *, over: LabDigest) -> None:
    """The object of another digest, `over`, is replaced by a copy of this one."""
    stored = world.objects[digest.address]
    world.objects[over.address] = replace(stored, last_modified=world.now)


def append_to_digest(world: World, digest: LabDigest, *, tail: bytes = b"and more") -> None:
    """Bytes that are no gzip follow the digest's stream."""
    overwrite(world, digest.address, world.objects[digest.address].body + tail)


def second_member_on_digest(world: World, digest: LabDigest, *, content: bytes = b"{}") -> None:
    """A second gzip member follows the digest's own."""
    overwrite(world, digest.address, world.objects[digest.address].body + gzipped(content))


def unsign_digest(
    world: World,
    digest: LabDigest,
    *,
    drop: Iterable[str] = ("signature", "signature-algorithm"),
) -> None:
    """The digest's object lost its signature metadata, as after a careless copy."""
    _set_metadata(world, digest, dict.fromkeys(drop))


def wrong_signature(world: World, digest: LabDigest) -> None:
    """The metadata's signature is hex of the right length, but of another signature."""
    flipped = "0" if digest.signature[0] != "0" else "1"
    _set_metadata(world, digest, {"signature": flipped + digest.signature[1:]})


def bad_signature_hex(world: World, digest: LabDigest, *, text: str | None = None) -> None:
    """The metadata's signature is no hex at all, or whatever `text` is."""
    bad = "zz" + digest.signature[2:] if text is None else text
    _set_metadata(world, digest, {"signature": bad})


def relabel_algorithm(world: World, digest: LabDigest, *, label: str = "SHA512withRSA") -> None:
    """The metadata names another algorithm than the signed digest."""
    _set_metadata(world, digest, {"signature-algorithm": label})


def foreign_key(
    world: World, digest: LabDigest, *, own_fingerprint: bool = True, **changes: Any
) -> None:
    """The digest is rewritten and signed with the attacker's key, honestly named or not.

    By default it names no log files; with `own_fingerprint` it names the attacker's key, otherwise
    it still claims CloudTrail's.
    """
    attacker = LabKey.made(pooled_key("attacker"), digest.end)
    document = digest.document | (changes or {"logFiles": []})
    if own_fingerprint:
        document["digestPublicKeyFingerprint"] = attacker.fingerprint
    body = json_line(document)
    overwrite(world, digest.address, gzipped(body))
    signed = {
        "signature": sign_digest(document, body, attacker),
        "signature-algorithm": SIGNATURE_ALGORITHM,
    }
    _set_metadata(world, digest, {**signed})
