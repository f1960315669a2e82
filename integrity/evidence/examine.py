"""Records, bundles and what else was signed, as they lie somewhere: whose they are, and whole.

Each file is held against its signature, each record against its name and its neighbours in the
chain, and a bundle's files against its manifest. Nothing is verified of the trail itself. One file
is in memory at a time, whatever their number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from integrity.chain.findings import Outcome, worst
from integrity.errors import UsageError
from integrity.evidence.chained import Link, Remark, check_chains, decode_link
from integrity.evidence.manifest import (
    MANIFEST,
    OBJECTS,
    PARTS,
    Kind,
    Manifest,
    decode,
    decode_lines,
    hash_of,
)
from integrity.evidence.signature import (
    MAX_SIGNATURE_FILE_BYTES,
    SUFFIX,
    UNSIGNED,
    Checked,
    Standing,
    VerifyingKey,
    check_signature,
)

MAX_DOCUMENT_BYTES = 1 << 30
# A store keeps how drills ended in a folder of their own, unsigned.
_MAY_BE_RECORD = re.compile(r"(?!(?:.*/)?drills/[^/]+$).*\.json", re.DOTALL)
_STORED = re.compile(
    r"(?:.*/)?[0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9]{8}T[0-9]{6}Z_[^/]+\.json", re.DOTALL
)

_OUTCOMES = {
    Standing.GENUINE: Outcome.VALID,
    Standing.UNPINNED: Outcome.UNDETERMINED,
    Standing.UNSIGNED: Outcome.UNDETERMINED,
    Standing.CONTRADICTED: Outcome.INVALID,
}

RecordName = Callable[[str, datetime, str], str]
"""How a store names a record: by trail ARN, start and run id. Raises UsageError."""


class Shelf(Protocol):
    """Files that lie together. Raises AccessError where they cannot be reached."""

    def names(self) -> Sequence[str]:
        """Relative names with slashes."""

    def place(self, name: str) -> str:
        """Where a person finds it."""

    def read(self, name: str, most: int) -> bytes:
        """The file, or as much of it as is more than `most`. Raises UsageError where it is gone."""


class Examined(Struct, frozen=True):
    """One file: where it lies, how it stands, the records in it."""

    place: str
    checked: Checked
    records: tuple[Link, ...] = ()

    @property
    def outcome(self) -> Outcome:
        return _OUTCOMES[self.checked.standing]


@dataclass(slots=True)
class Examination:
    """All files, and what is wrong with the chains of records."""

    files: list[Examined] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """The worst of all; nothing at all is undetermined."""
        outcomes = [one.outcome for one in self.files]
        return worst(outcomes + [remark.outcome for remark in self.remarks if outcomes])


def examine(
    shelves: Sequence[Shelf], pinned: Sequence[VerifyingKey], record_name: RecordName
) -> Examination:
    """Hold every file against its signature, and the records against each other."""
    result = Examination()
    for shelf in shelves:
        result.files += _Examiner(shelf, pinned, record_name).examine()
    links = [link for one in result.files for link in one.records]
    result.remarks = check_chains(links)
    return result


class _Examiner:
    def __init__(
        self, shelf: Shelf, pinned: Sequence[VerifyingKey], record_name: RecordName
    ) -> None:
        self._shelf, self._pinned, self._record_name = shelf, pinned, record_name
        self._names = frozenset(shelf.names())

    def examine(self) -> Iterator[Examined]:
        if {MANIFEST, OBJECTS} <= self._names:
            yield self._bundle()
            return
        for name in sorted(self._names):
            if name.endswith(SUFFIX):
                if name.removesuffix(SUFFIX) not in self._names:
                    yield self._gone(name)
            elif name + SUFFIX in self._names or _MAY_BE_RECORD.fullmatch(name):
                yield self._file(name)

    def _gone(self, name: str) -> Examined:
        why = f"it is gone, and its signature is left: {self._shelf.place(name)}"
        place = self._shelf.place(name.removesuffix(SUFFIX))
        return Examined(place, Checked(Standing.CONTRADICTED, why))

    def _signed(self, name: str, document: bytes) -> Checked:
        if name + SUFFIX not in self._names:
            return UNSIGNED
        signature = self._shelf.read(name + SUFFIX, MAX_SIGNATURE_FILE_BYTES)
        return check_signature(document, signature, self._pinned)

    def _read(self, name: str) -> bytes:
        document = self._shelf.read(name, MAX_DOCUMENT_BYTES)
        if len(document) > MAX_DOCUMENT_BYTES:
            raise UsageError(
                f"{self._shelf.place(name)} is larger than {MAX_DOCUMENT_BYTES} bytes: it is no "
                "record"
            )
        return document

    # Records

    def _file(self, name: str) -> Examined:
        document = self._read(name)
        checked, place = self._signed(name, document), self._shelf.place(name)
        if not name.endswith(".json"):
            return Examined(place, checked)
        try:
            links = tuple(self._links(name, document, checked.standing))
        except UsageError as error:
            if checked is not UNSIGNED:
                return Examined(place, checked)  # something else that somebody signed
            return Examined(place, Checked(Standing.UNSIGNED, str(error)))
        misnamed = self._misnamed(name, links)
        if misnamed:
            checked = Checked(Standing.CONTRADICTED, misnamed)
        return Examined(place, checked, links)

    def _links(self, name: str, document: bytes, standing: Standing) -> Iterator[Link]:
        """One record, or one a line. A record's hash is that of its line, without the end."""
        for line in filter(bytes.strip, document.splitlines()):
            sha256 = hashlib.sha256(line).hexdigest()
            place = self._shelf.place(name)
            yield decode_link(line, name=place, sha256=sha256, standing=standing)

    def _misnamed(self, name: str, links: Sequence[Link]) -> str:
        """A store names each record by its trail, its start and its run."""
        if not _STORED.fullmatch(name):
            return ""
        for link in links:
            try:
                expected = self._record_name(link.trail_arn, link.started_at, link.run_id)
            except UsageError as error:
                return str(error)
            if not f"/{name}".endswith(f"/{expected}"):
                return f"it holds the record that belongs to {expected}"
        return ""

    # Bundles

    def _bundle(self) -> Examined:
        document = self._read(MANIFEST)
        checked = self._signed(MANIFEST, document)
        try:
            wrong = next(self._altered(decode(document, Manifest, MANIFEST)), None)
        except UsageError as error:
            wrong = str(error)
        if wrong is not None:
            checked = Checked(Standing.CONTRADICTED, wrong)
        return Examined(self._shelf.place(MANIFEST), checked)

    def _altered(self, manifest: Manifest) -> Iterator[str]:
        """Files that are not those of the manifest, the first ones first."""
        for name in PARTS:
            if name not in self._names or hash_of(self._read(name)) != manifest.files.get(name):
                yield f"its {name} is not the file that the manifest names"
                return
        for line in decode_lines(self._read(OBJECTS).splitlines()):
            if line.kind not in (Kind.FILE, Kind.VERSION_FILE):
                continue
            gone = line.path not in self._names
            if gone or hash_of(self._read(line.path)).sha256 != line.sha256:
                yield f"its file {line.path} is {'gone' if gone else 'another one'}"
                return
