"""A file of public keys: what `integrity keys` writes, and what `aws cloudtrail` printed once.

A person vouches for it, so it is read strictly: an entry that is not a key, or whose fingerprint is
not the MD5 of its bytes, stops the command and is named. Trust in the keys themselves comes from
who fetched them, which is why each keeps its origin. (AWS: API_ListPublicKeys.)
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from integrity.chain.model import KeysUnavailable, PublicKey, TimeWindow
from integrity.chain.names import is_region_name
from integrity.chain.times import format_instant
from integrity.errors import UsageError

SCHEMA_VERSION = 1

_FORM = (
    "expected what `integrity keys` writes, or "
    '{"REGION": output of `aws cloudtrail list-public-keys --region REGION`, ...}, '
    "or that output alone in a file named REGION.json"
)
_Time = str | int | float


class _Entry(msgspec.Struct):
    region: str
    fingerprint: str
    value: str
    not_before: _Time
    not_after: _Time
    fetched_at: _Time


class _Document(msgspec.Struct):
    schema_version: int
    keys: list[_Entry]


class _Listed(msgspec.Struct, rename="pascal"):
    fingerprint: str
    value: str
    validity_start_time: _Time
    validity_end_time: _Time


class _Answer(msgspec.Struct, rename="pascal"):
    public_key_list: list[_Listed]


def encode_keys(keys: Iterable[PublicKey]) -> bytes:
    """What `KeyFile` reads: JSON, keys sorted by region and validity, `value` the base64 of DER."""
    ordered = sorted(keys, key=lambda key: (key.region, key.not_before, key.fingerprint))
    document = _Document(
        SCHEMA_VERSION,
        [
            _Entry(
                key.region,
                key.fingerprint,
                base64.b64encode(key.der).decode(),
                format_instant(key.not_before),
                format_instant(key.not_after),
                format_instant(key.fetched_at),
            )
            for key in ordered
        ],
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


class KeyFile:
    """The keys of a file, as a source of keys. It answers for the regions that it has keys of."""

    def __init__(self, name: str, keys: Iterable[PublicKey]) -> None:
        self._name = name
        self._keys: dict[str, list[PublicKey]] = {}
        for key in keys:
            self._keys.setdefault(key.region, []).append(key)

    @classmethod
    def read(cls, path: Path) -> KeyFile:
        """The file at `path`. Raises UsageError, naming the entry, where it is no file of keys."""
        try:
            document = path.read_bytes()
            changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError as error:
            raise UsageError(f"the key file {path} cannot be read: {error.strerror}") from error
        try:
            return cls(path.name, _decode(document, path, changed))
        except (msgspec.MsgspecError, _WrongEntryError) as error:
            raise UsageError(f"{path} is not a file of public keys: {error}; {_FORM}") from error

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        """Every key of `region` in the file, whatever `window` is: there are never many."""
        del window
        if region not in self._keys:
            return KeysUnavailable(region, f"file {self._name} has no key of region {region}")
        return tuple(self._keys[region])


class _WrongEntryError(Exception):
    """An entry that is not a key; the text names it."""


def _decode(document: bytes, path: Path, changed: datetime) -> list[PublicKey]:
    content = msgspec.json.decode(document, type=dict[str, Any])
    if "keys" in content:
        own = msgspec.convert(content, _Document)
        if own.schema_version != SCHEMA_VERSION:
            raise _WrongEntryError(
                f"its schema version is {own.schema_version}, not {SCHEMA_VERSION}"
            )
        return [_key(f"keys[{at}]", entry, path.name) for at, entry in enumerate(own.keys)]
    answers = {path.stem: content} if "PublicKeyList" in content else content
    return [
        _key(f"{region}, PublicKeyList[{at}]", _entry(region, listed, changed), path.name)
        for region, answer in msgspec.convert(answers, dict[str, _Answer]).items()
        for at, listed in enumerate(answer.public_key_list)
    ]


def _entry(region: str, listed: _Listed, changed: datetime) -> _Entry:
    """A stored answer does not say when it was fetched; the file's own time does."""
    return _Entry(
        region=region,
        fingerprint=listed.fingerprint,
        value=listed.value,
        not_before=listed.validity_start_time,
        not_after=listed.validity_end_time,
        fetched_at=changed.timestamp(),
    )


def _key(where: str, entry: _Entry, name: str) -> PublicKey:
    if not is_region_name(entry.region):
        raise _WrongEntryError(f"{where}: {entry.region!r} is not a region's name")
    try:
        der = base64.b64decode(entry.value, validate=True)
    except ValueError as error:
        raise _WrongEntryError(f"{where}: its value is not base64 ({error})") from error
    md5 = hashlib.md5(der, usedforsecurity=False).hexdigest()
    if md5 != entry.fingerprint:
        raise _WrongEntryError(
            f"{where}: its fingerprint is {entry.fingerprint!r}, that of its value is {md5}"
        )
    return PublicKey(
        region=entry.region,
        fingerprint=entry.fingerprint,
        der=der,
        not_before=_instant(where, entry.not_before),
        not_after=_instant(where, entry.not_after),
        fetched_at=_instant(where, entry.fetched_at),
        origin=f"file {name}",
    )


def _instant(where: str, time: _Time) -> datetime:
    """A time as the AWS CLI and AWS's pages write it: epoch seconds, quoted or not, or ISO 8601.

    Without an offset it is UTC.
    """
    try:
        try:
            return datetime.fromtimestamp(float(time), UTC)
        except ValueError:
            parsed = datetime.fromisoformat(str(time))
    except (ValueError, OverflowError, OSError) as error:
        raise _WrongEntryError(f"{where}: {time!r} is not a time") from error
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
