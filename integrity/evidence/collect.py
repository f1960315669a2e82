"""Collects a bundle while a verification reads: every answer is written down before it is judged.

So what is judged is what is kept, and the bundle holds what the same verification will ask for
again. It writes into its own folder alone, an object to a file beside its place and then to its
name; `manifest.json` comes last and makes it a bundle. What was interrupted goes on: files that
are whole are not fetched again. It judges nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.chain.trouble import archived, is_archived
from integrity.errors import UsageError
from integrity.evidence.manifest import (
    ANSWERS,
    BEGINNING,
    KEYS,
    MANIFEST,
    OBJECTS,
    PARTS,
    RECORD,
    Answers,
    Beginning,
    FileHash,
    Keys,
    Kind,
    Line,
    Manifest,
    decode,
    decode_lines,
    encode,
    encode_line,
)
from integrity.record import Run
from integrity.record import encode as encode_record

T = TypeVar("T")

MAX_STORED_BYTES = 1024**3
"""More than this is no file of CloudTrail's, and is not kept."""

_PIECE_BYTES = 256 * 1024
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,180}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


class Objects(Protocol):
    """The source that is really asked."""

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable: ...

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]: ...

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable: ...


class Collection:
    """The folder of a bundle that is being made. Open it with `begin`; close it in any case."""

    def __init__(self, folder: Path, beginning: Beginning, lines: dict[S3Location, Line]) -> None:
        self.folder, self.beginning = folder, beginning
        self._known = lines
        self._taken = {line.path.casefold(): place for place, line in lines.items()}
        self._lock = threading.Lock()
        with _translated(folder):
            self._lines: BinaryIO = (folder / OBJECTS).open("ab")

    def close(self) -> None:
        """Let go of the folder. What was collected stays."""
        self._lines.close()

    def write(self, line: Line) -> None:
        """One more answer."""
        with self._lock, _translated(self.folder):
            self._lines.write(encode_line(line))

    def recall(self, location: S3Location) -> Line | None:
        """What an interrupted collection has of an object, if its file is whole; asked once."""
        with self._lock:
            line = self._known.pop(location, None)
        if line is None:
            return None
        try:
            with (self.folder / line.path).open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == line.sha256
        except OSError:
            return None
        return line if whole else None

    def place(self, location: S3Location) -> str:
        """Where the file of an object goes: a readable path, where every system can have it."""
        names = [location.bucket, *location.key.split("/")]
        plain = all(_SAFE.fullmatch(n) and not _RESERVED.fullmatch(n) for n in names)
        path = "/".join(["objects", *names])
        with self._lock:
            free = self._taken.setdefault(path.casefold(), location) == location
        if plain and free and not any(name.endswith(".") for name in names):
            return path
        return f"objects/other/{hashlib.sha256(location.uri.encode()).hexdigest()}"

    def finish(self, run: Run, keys: Keys, answers: Answers) -> None:
        """Make it a bundle."""
        with _translated(self.folder):
            self._lines.flush()
            os.fsync(self._lines.fileno())
            self.close()
            for name, document in (
                (KEYS, encode(keys)),
                (ANSWERS, encode(answers)),
                (RECORD, encode_record(run) + b"\n"),
            ):
                _write(self.folder / name, document)
            said = self.beginning
            manifest = Manifest(
                tool=said.tool,
                trail=said.trail,
                neighbours=said.neighbours,
                asked=said.asked,
                collected_at=run.run.judged_at,
                files={name: hash_file(self.folder / name) for name in PARTS},
            )
            _write(self.folder / MANIFEST, encode(manifest))
            (self.folder / BEGINNING).unlink()


def begin(folder: Path, beginning: Beginning) -> Collection:
    """Begin a bundle, or go on with one that was interrupted. Raises UsageError for any other.

    Of an interrupted one the window is kept: an hour later "the last day" is still the same day.
    """
    with _translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        there = sorted(path.name for path in folder.iterdir())
        if MANIFEST in there:
            raise UsageError(
                f"{str(folder)!r} holds a bundle already, which is not written over: choose "
                "another --out"
            )
        if BEGINNING in there:
            return _go_on(folder, beginning)
        if there:
            raise UsageError(
                f"{str(folder)!r} is not empty, and what is in it is no bundle: choose another "
                "--out"
            )
        _write(folder / BEGINNING, encode(beginning))
    return Collection(folder, beginning, {})


def interrupted(folder: Path) -> Beginning | None:
    """What was begun in a folder and not finished."""
    try:
        return decode((folder / BEGINNING).read_bytes(), Beginning, BEGINNING)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{str(folder)!r} cannot be read: {error.strerror or error}") from error


def _go_on(folder: Path, beginning: Beginning) -> Collection:
    known = interrupted(folder)
    if known != beginning:
        raise UsageError(
            f"{str(folder)!r} holds the beginning of another bundle (another trail, time, "
            "selection or version of integrity): choose another --out, or ask for the same again"
        )
    path = folder / OBJECTS
    lines: dict[S3Location, Line] = {}
    if path.exists():
        whole = path.read_bytes()
        whole = whole[: whole.rfind(b"\n") + 1]  # a line that was cut short
        for line in decode_lines(whole.splitlines()):
            if line.kind is Kind.FILE:
                lines[line.location] = line
        _write(path, b"".join(encode_line(line) for line in lines.values()))
    return Collection(folder, beginning, lines)


class CollectedObjects:
    """A source of objects whose answers are written down. Asked from many threads."""

    def __init__(self, objects: Objects, collection: Collection) -> None:
        self._objects, self._collection = objects, collection

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        """The object, read from the file that it was written to."""
        known = self._collection.recall(location)
        if known is None:
            answer = self._collect(location)
            if not isinstance(answer, Line):
                return answer
            known = answer
        with _translated(self._collection.folder), self._open(known) as file:
            content = read(iter(lambda: file.read(_PIECE_BYTES), b""))
        return Fetched(
            location, content, known.metadata, known.last_modified, known.version_id, known.size
        )

    def _open(self, line: Line) -> BinaryIO:
        return (self._collection.folder / line.path).open("rb")

    def _collect(self, location: S3Location) -> Line | Absent | Unreachable:
        path = self._collection.place(location)
        target = self._collection.folder / path
        with _translated(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{secrets.token_hex(8)}.part")
            try:
                answer = self._objects.fetch(location, lambda pieces: _spool(pieces, part))
                if isinstance(answer, Fetched) and answer.content:
                    part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        if isinstance(answer, Fetched) and not answer.content:
            answer = Unreachable(location, f"more than {MAX_STORED_BYTES} bytes: not collected")
        if isinstance(answer, Absent):
            self._collection.write(_line(Kind.ABSENT, location))
            return answer
        if isinstance(answer, Unreachable):
            self._collection.write(_line(Kind.UNREADABLE, location, answer.detail))
            return answer
        line = replace(
            _line(Kind.FILE, location),
            path=path,
            sha256=answer.content,
            size=answer.size,
            metadata=dict(answer.metadata),
            version_id=answer.version_id,
            last_modified=answer.last_modified,
        )
        self._collection.write(line)
        return line

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed | Unreachable]:
        """The listing. Of digest folders it is kept whole; of log folders that there are any."""
        is_first = True
        for listed in self._objects.list_objects(bucket, prefix):
            self._note(listed, prefix, keep=is_first or "/CloudTrail-Digest/" in f"/{prefix}")
            is_first = False
            yield listed

    def _note(self, listed: Listed | Unreachable, prefix: str, *, keep: bool) -> None:
        place = listed.location
        if isinstance(listed, Unreachable):
            asked = S3Location(place.bucket, prefix)
            self._collection.write(_line(Kind.UNLISTED, asked, listed.detail))
            return
        if is_archived(listed):  # nobody will ask for it
            detail = archived(listed.storage_class)
            self._collection.write(_line(Kind.UNREADABLE, place, detail))
        if keep:
            line = replace(
                _line(Kind.LISTED, place),
                size=listed.size,
                last_modified=listed.last_modified,
                storage_class=listed.storage_class,
                restored=listed.restored,
            )
            self._collection.write(line)

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...] | Unreachable:
        """The folders, kept as they were told."""
        answer = self._objects.list_folders(bucket, folder)
        place = S3Location(bucket, folder)
        if isinstance(answer, Unreachable):
            self._collection.write(_line(Kind.UNLISTED, place, answer.detail))
        else:
            self._collection.write(replace(_line(Kind.FOLDERS, place), names=answer))
        return answer


def _line(kind: Kind, place: S3Location, detail: str = "") -> Line:
    return Line(kind=kind, bucket=place.bucket, key=place.key, detail=detail)


def _spool(pieces: Iterable[Buffer], part: Path) -> str:
    """Write an object down as it comes; its SHA-256, or nothing where it is too large to be kept.

    A transfer that broke begins anew.
    """
    sha256, size = hashlib.sha256(), 0
    with part.open("wb") as file:
        for piece in pieces:
            size += len(piece)
            if size > MAX_STORED_BYTES:
                return ""
            sha256.update(piece)
            file.write(piece)
    return sha256.hexdigest()


def hash_file(path: Path) -> FileHash:
    """What the manifest says of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return FileHash(digest.hexdigest(), file.tell())


def _write(path: Path, document: bytes) -> None:
    """At one stroke: nobody ever reads half of it."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with part.open("xb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"the bundle cannot be written at {str(path)!r}: {error.strerror or error}; choose "
            "another --out, or make room and ask for the same again"
        ) from error
