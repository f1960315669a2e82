"""The SQLite file itself: made, opened, told apart from others, and its refusals put into words.

What lies in the tables is `sqlite`'s. A file of a newer program is refused, never guessed at.
(https://www.sqlite.org: Write-Ahead Logging; PRAGMA application_id, user_version; Result Codes.)
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integrity.errors import AccessError, UsageError
from integrity.stores.sqlite_sightings import SCHEMA as SIGHTINGS

SCHEMA_VERSION = 1
BUSY_SECONDS = 30.0
_OURS = 0x494E5447  # "INTG"

_SCHEMA = (
    "CREATE TABLE trails (trail_arn TEXT PRIMARY KEY, version INTEGER NOT NULL,"
    " checkpoint BLOB NOT NULL)",
    "CREATE TABLE incidents (trail_arn TEXT NOT NULL, id TEXT NOT NULL, first_seen INTEGER NOT"
    " NULL, resolved INTEGER, document BLOB NOT NULL, PRIMARY KEY (trail_arn, id))",
    "CREATE TABLE letters (id TEXT PRIMARY KEY, created INTEGER NOT NULL, due INTEGER NOT NULL,"
    " dead INTEGER NOT NULL, leased INTEGER NOT NULL DEFAULT 0, sent INTEGER, document BLOB)",
    "CREATE INDEX letters_unsent ON letters (created, id) WHERE sent IS NULL",
    "CREATE TABLE runs (trail_arn TEXT NOT NULL, started INTEGER NOT NULL, run_id TEXT NOT NULL,"
    " document BLOB NOT NULL, PRIMARY KEY (trail_arn, started, run_id)) WITHOUT ROWID",
    f"PRAGMA application_id = {_OURS}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)

# What later versions of this program have added. It is no new schema version: a program that does
# not know of it does its own work beside it.
_ADDED = (
    "CREATE TABLE IF NOT EXISTS months (trail_arn TEXT NOT NULL, account_id TEXT NOT NULL, region"
    " TEXT NOT NULL, month TEXT NOT NULL, document BLOB NOT NULL,"
    " PRIMARY KEY (trail_arn, account_id, region, month))",
    SIGHTINGS,
)
_ADDED_TABLES = frozenset({"months", "sightings"})

# By the beginning of SQLite's own name of the error.
_WORDS = (
    ("SQLITE_BUSY", "another process has held it for {busy:.0f} s: try again when that is over"),
    ("SQLITE_LOCKED", "another process has held it for {busy:.0f} s: try again when that is over"),
    ("SQLITE_READONLY", "it cannot be written: allow it, and its folder, to this user"),
    ("SQLITE_PERM", "it may not be opened: allow it, and its folder, to this user"),
    ("SQLITE_CANTOPEN", "it cannot be opened: allow it, and its folder, to this user"),
    ("SQLITE_FULL", "the disk is full: make room"),
    ("SQLITE_IOERR", "the disk failed ({error}): look at the volume that it lies on"),
    (
        "SQLITE_CORRUPT",
        "it is damaged ({error}): restore it from a backup, or move it away and let the next tick "
        "begin anew (it will say that its state was lost)",
    ),
    ("SQLITE_NOTADB", "it is no SQLite database: name another file, or move this one away"),
)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Every error of SQLite inside becomes an AccessError that names the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        # Errors of the module itself (a closed connection) have no code of SQLite's.
        name = getattr(error, "sqlite_errorname", "")
        words = next((words for start, words in _WORDS if name.startswith(start)), "{error}")
        why = words.format(error=error, busy=BUSY_SECONDS)
        raise AccessError(f"the state file {path} could not be used: {why}") from error


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to the file at `path`, which is made where it is missing.

    For any thread, one at a time. Raises UsageError where the folder is missing or the file is not
    of this program or of a newer one, AccessError where it cannot be used.
    """
    _make(path)
    with translated(path):
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _settle(connection, path)
        except (sqlite3.Error, UsageError):
            connection.close()
            raise
    return connection


def _make(path: Path) -> None:
    """An empty file that only its owner may read; SQLite gives its companions the same mode."""
    if not path.parent.is_dir():
        raise UsageError(f"the state file {path} has no folder: make {path.parent} first")
    if path.is_dir():
        raise UsageError(f"the state file {path} is a folder: name a file, {path / 'state.db'}")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))
    except OSError as error:
        raise AccessError(
            f"the state file {path} could not be used ({error.strerror}): allow it, and its "
            "folder, to this user, or name a file on a volume that can be written"
        ) from error


def _settle(connection: sqlite3.Connection, path: Path) -> None:
    """The schema, made by the first process that comes; and how the connection writes."""
    with connection:
        connection.execute("BEGIN")  # another process may be making it: of one moment, all of it
        is_ours = _is_ours(connection, path)
    if not is_ours:
        _use_wal(connection)
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if not _is_ours(connection, path):
                for statement in _SCHEMA:
                    connection.execute(statement)
    _add(connection)
    connection.execute("PRAGMA synchronous = FULL")


def _add(connection: sqlite3.Connection) -> None:
    """The tables that a file of an earlier program lacks."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    if not {name for (name,) in tables} >= _ADDED_TABLES:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in _ADDED:
                connection.execute(statement)


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """False for a file that nobody has written to. Raises UsageError for somebody else's."""
    [owner] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (owner, version, tables) == (0, 0, 0):
        return False
    if owner != _OURS:
        raise UsageError(f"{path} is another program's database: name another file")
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"the state file {path} has schema version {version}; this program knows version "
            f"{SCHEMA_VERSION}: use the version of integrity that wrote it, or a newer one"
        )
    return True


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers then do not wait for writers. Where the volume cannot, SQLite's own default stays.

    SQLite does not wait for the lock that this takes, so it is waited for here.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
            if not busy or time.monotonic() > until:
                raise
            time.sleep(0.02)
