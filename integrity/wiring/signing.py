"""Opens the keys that sign and verify evidence, and the places where it lies."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from integrity.chain.model import Absent, S3Location, Unreachable
from integrity.errors import AccessError, UsageError

if TYPE_CHECKING:
    from integrity.aws.session import Aws
    from integrity.evidence.examine import Examination, Shelf
    from integrity.evidence.signature import Signer, VerifyingKey
    from integrity.sources.s3 import S3Source

KMS = "kms:"
"""What stands before the name of a key of KMS; everything else is a file."""

_KMS_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:(?:key|alias)/.+")
_MAX_KEY_BYTES = 64 * 1024


def open_signer(key: str, environ: Mapping[str, str], open_aws: Callable[[], Aws]) -> Signer:
    """The key that `--sign` names: `kms:KEY`, or a file in PEM.

    Raises UsageError where it is none, AccessError where KMS does not answer.
    """
    if key.startswith(KMS):
        from integrity.evidence.kms import KmsSigner

        name = key.removeprefix(KMS)
        return KmsSigner(open_kms(name, open_aws), name)
    from integrity.evidence.signature import PASSPHRASE, LocalSigner

    passphrase = environ.get(PASSPHRASE)
    return LocalSigner(_read_key(key), passphrase.encode() if passphrase else None, repr(key))


def open_keys(keys: Iterable[str], open_aws: Callable[[], Aws]) -> list[VerifyingKey]:
    """The public keys that `--key` names: `kms:KEY`, or a file in PEM."""
    from integrity.evidence.signature import load_public_key

    opened = []
    for key in keys:
        if key.startswith(KMS):
            from integrity.evidence.kms import fetch_kms_key

            name = key.removeprefix(KMS)
            opened.append(fetch_kms_key(open_kms(name, open_aws), name)[1])
        else:
            opened.append(load_public_key(_read_key(key), repr(key)))
    return opened


def examine_evidence(
    places: Sequence[str], keys: Sequence[str], open_aws: Callable[[], Aws]
) -> Examination:
    """Records, folders and `s3://` places, held against their signatures and each other."""
    from integrity.evidence.examine import examine
    from integrity.stores.record_names import record_name

    pinned = open_keys(keys, open_aws)
    return examine([_open_shelf(place, open_aws) for place in places], pinned, record_name)


def open_kms(key: str, open_aws: Callable[[], Aws]) -> Any:
    """KMS in the region of the key's ARN, or of the command."""
    match = _KMS_ARN.fullmatch(key)
    return open_aws().client("kms", match["region"] if match else None)


def _read_key(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            pem = file.read(_MAX_KEY_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"the key {path!r} cannot be read: {error.strerror or error}; expected a file in PEM, "
            "or kms:KEY"
        ) from error
    if len(pem) > _MAX_KEY_BYTES:
        raise UsageError(f"{path!r} is no key: it is larger than {_MAX_KEY_BYTES} bytes")
    return pem


def _open_shelf(place: str, open_aws: Callable[[], Aws]) -> Shelf:
    if place.startswith("s3://"):
        from integrity.sources.s3 import S3Source

        bucket, _, prefix = place.removeprefix("s3://").partition("/")
        if prefix and not prefix.endswith((".json", "/")):
            prefix += "/"
        return _Bucket(S3Source(open_aws()), bucket, prefix)
    path = Path(place)
    if path.is_dir():
        return _Folder(path)
    if not path.is_file():
        raise UsageError(f"{place!r} is not there: expected a record, a folder or s3://BUCKET/…")
    return _Folder(path.parent, only=path.name)


class _Folder(Struct, frozen=True):
    """A folder with all below, or one file in it with its signature. Links are not followed."""

    folder: Path
    only: str | None = None

    def names(self) -> Sequence[str]:
        if self.only is not None:
            return [n for n in (self.only, f"{self.only}.sig") if (self.folder / n).is_file()]
        return [
            (Path(above) / name).relative_to(self.folder).as_posix()
            for above, _, files in os.walk(self.folder, onerror=_refuse)
            for name in files
            if not name.startswith(".") and not (Path(above) / name).is_symlink()
        ]

    def place(self, name: str) -> str:
        return str(self.folder / name)

    def read(self, name: str, most: int) -> bytes:
        try:
            with (self.folder / name).open("rb") as file:
                return file.read(most + 1)
        except OSError as error:
            raise AccessError(f"{self.place(name)!r} cannot be read: {error.strerror}") from error


def _refuse(error: OSError) -> None:
    raise AccessError(f"{error.filename!r} cannot be read: {error.strerror}") from error


class _Bucket(Struct, frozen=True):
    """What lies below a prefix of a bucket."""

    objects: S3Source
    bucket: str
    prefix: str

    def names(self) -> Sequence[str]:
        found = []
        for listed in self.objects.list_objects(self.bucket, self.prefix):
            if isinstance(listed, Unreachable):
                raise AccessError(f"{self.place('')} cannot be listed: {listed.detail}")
            found.append(listed.location.key.removeprefix(self._folder))
        return found

    @property
    def _folder(self) -> str:
        return self.prefix[: self.prefix.rfind("/") + 1]

    def place(self, name: str) -> str:
        return f"s3://{self.bucket}/{self._folder}{name}"

    def read(self, name: str, most: int) -> bytes:
        location = S3Location(self.bucket, self._folder + name)
        answer = self.objects.fetch(location, lambda pieces: _bounded(pieces, most))
        if isinstance(answer, Absent):
            raise AccessError(f"{location.uri} is gone since it was listed")
        if isinstance(answer, Unreachable):
            raise AccessError(f"{location.uri} cannot be read: {answer.detail}")
        return answer.content


def _bounded(pieces: Iterable[bytes | bytearray | memoryview], most: int) -> bytes:
    content = bytearray()
    for piece in pieces:
        content += memoryview(piece)[: most + 1 - len(content)]
    return bytes(content)
