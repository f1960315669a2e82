"""The folder of a bundle that is being made: its lines, its files, and its manifest at the end.

It writes into its own folder alone, an object to a file beside its place and then to its name;
`manifest.json` comes last and makes it a bundle. What was interrupted goes on: files that are whole
are kept. Who asks, and what for, is not its business, and it judges nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Fetched, S3Location, Unreachable
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
from integrity.structs import replace

T = TypeVar("T")
Reader = Callable[[Iterable[Buffer]], T]
Fetch = Callable[[Reader[str]], Fetched[str] | Absent | Unreachable]

MAX_STORED_BYTES = 1024**3
"""More than this is no file of CloudTrail's, and is not kept."""

_PIECE_BYTES = 256 * 1024
_REFUSED = {
    Kind.FILE: (Kind.ABSENT, Kind.UNREADABLE),
    Kind.VERSION_FILE: (Kind.VERSION_ABSENT, Kind.VERSION_UNREADABLE),
}
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,180}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


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

    def place(self, location: S3Location, *, below: str = "objects") -> str:
        """Where the file of an object goes: a readable path, where every system can have it."""
        names = [location.bucket, *location.key.split("/")]
        plain = all(_SAFE.fullmatch(n) and not _RESERVED.fullmatch(n) for n in names)
        path = "/".join([below, *names])
        with self._lock:
            free = self._taken.setdefault(path.casefold(), location) == location
        if plain and free and not any(name.endswith(".") for name in names):
            return path
        return f"{below}/other/{hashlib.sha256(location.uri.encode()).hexdigest()}"

    def collect(self, asked: Line, fetch: Fetch) -> Line | Absent | Unreachable:
        """Fetch what becomes the file of `asked`, and write down what was answered."""
        answer = self._keep(asked.path, fetch)
        if isinstance(answer, Fetched):
            line = replace(
                asked,
                sha256=answer.content,
                size=answer.size,
                metadata=dict(answer.metadata),
                version_id=asked.version_id or answer.version_id,
                last_modified=answer.last_modified,
            )
            self.write(line)
            return line
        absent, unreadable = _REFUSED[asked.kind]
        if isinstance(answer, Absent):
            self.write(replace(asked, kind=absent, path=""))
        else:
            self.write(replace(asked, kind=unreadable, path="", detail=answer.detail))
        return answer

    def _keep(self, path: str, fetch: Fetch) -> Fetched[str] | Absent | Unreachable:
        """The content of the answer is its SHA-256."""
        target = self.folder / path
        with _translated(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{secrets.token_hex(8)}.part")
            try:
                answer = fetch(lambda pieces: _spool(pieces, part))
                if isinstance(answer, Fetched) and answer.content:
                    part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        if isinstance(answer, Fetched) and not answer.content:
            more = f"more than {MAX_STORED_BYTES} bytes: not collected"
            return Unreachable(answer.location, more)
        return answer

    def read(self, line: Line, read: Reader[T]) -> Fetched[T]:
        """What a reader makes of a file that was kept."""
        with _translated(self.folder), (self.folder / line.path).open("rb") as file:
            content = read(iter(lambda: file.read(_PIECE_BYTES), b""))
        return Fetched(
            line.location, content, line.metadata, line.last_modified, line.version_id, line.size
        )

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
