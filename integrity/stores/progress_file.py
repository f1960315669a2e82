"""What an interrupted verification has so far, in one SQLite file that is gone when it is done.

Whoever may write the file may make a verdict up, so it is its owner's alone. One process at a time
has it open. What the parts are is `verify.resume`'s; here they are bytes, by trail and name.
(https://www.sqlite.org: PRAGMA locking_mode, application_id, trusted_schema.)
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from integrity.errors import AccessError, IntegrityError, UsageError

_OURS = 0x494E5450  # "INTP"
_MAX_PART_BYTES = 256 * 1024 * 1024
_SCHEMA = (
    "CREATE TABLE parts (trail_arn TEXT NOT NULL, name TEXT NOT NULL, part BLOB NOT NULL,"
    " PRIMARY KEY (trail_arn, name)) WITHOUT ROWID",
    f"PRAGMA application_id = {_OURS}",
)


class ProgressFile:
    """The parts of every trail of one command. Close it in any case."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _make(path)
        with _translated(path):
            self._connection = sqlite3.connect(path, timeout=1, isolation_level=None)
        try:
            with _translated(path):
                self._settle()
        except IntegrityError:
            self._connection.close()
            raise

    def _settle(self) -> None:
        connection = self._connection
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_PART_BYTES)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        # What is written is there when the process is killed; when the machine is, the last may go.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN EXCLUSIVE")
        [owner] = connection.execute("PRAGMA application_id").fetchone()
        [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (owner, tables) == (0, 0):
            for statement in _SCHEMA:
                connection.execute(statement)
        elif owner != _OURS:
            raise UsageError(
                f"{str(self._path)!r} is another program's database: name another file to --resume"
            )
        connection.execute("COMMIT")

    def of(self, trail_arn: str) -> TrailParts:
        """The parts of one trail."""
        return TrailParts(self, trail_arn)

    def is_begun(self, trail_arn: str) -> bool:
        """Whether anything is kept of a trail."""
        with _translated(self._path):
            asked = "SELECT count(*) FROM (SELECT 1 FROM parts WHERE trail_arn = ? LIMIT 1)"
            [number] = self._connection.execute(asked, (trail_arn,)).fetchone()
        return bool(number)

    def load(self, trail_arn: str, name: str) -> bytes | None:
        """What was kept under that name."""
        with _translated(self._path):
            found = self._connection.execute(
                "SELECT part FROM parts WHERE trail_arn = ? AND name = ?", (trail_arn, name)
            ).fetchone()
        return None if found is None or not isinstance(found[0], bytes) else found[0]

    def save(self, trail_arn: str, name: str, part: bytes) -> None:
        """Keep it."""
        with _translated(self._path):
            self._connection.execute(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", (trail_arn, name, part)
            )

    def forget(self, trail_arn: str) -> None:
        """This trail's verification is done."""
        with _translated(self._path):
            self._connection.execute("DELETE FROM parts WHERE trail_arn = ?", (trail_arn,))

    def close(self) -> None:
        """Let go of the file; one that holds nothing more is removed."""
        with _translated(self._path):
            try:
                [left] = self._connection.execute(
                    "SELECT count(*) FROM (SELECT 1 FROM parts LIMIT 1)"
                ).fetchone()
            finally:
                self._connection.close()
        if not left:
            self._path.unlink(missing_ok=True)


class TrailParts(Struct, frozen=True):
    """The parts of one trail."""

    file: ProgressFile
    trail_arn: str

    def load(self, name: str) -> bytes | None:
        return self.file.load(self.trail_arn, name)

    def save(self, name: str, part: bytes) -> None:
        self.file.save(self.trail_arn, name, part)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise UsageError(
                f"{str(path)!r} is not what an interrupted verification left ({error}): name "
                "another file to --resume"
            ) from error
        busy = name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
        why = "another verification has it open: wait for it, or name another file"
        raise AccessError(
            f"{str(path)!r}, where --resume keeps what was verified, could not be used: "
            f"{why if busy else error}"
        ) from error


def _make(path: Path) -> None:
    """An empty file that only its owner may read. Raises UsageError for one that others may write.

    On Windows a file has its folder's permissions, which are not looked at.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            found = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(
            f"{str(path)!r} cannot be used: {error.strerror or error}; name another file to "
            "--resume, in a folder that is there"
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{str(path)!r} is no ordinary file: name another one to --resume")
    own = os.name == "nt" or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)
    if not own:
        raise UsageError(
            f"{str(path)!r} can be written by others, who could make a verdict up: name a file of "
            "your own to --resume"
        )
