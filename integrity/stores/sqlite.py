"""State in one SQLite file beside the program: the default, for one machine.

One commit is one transaction. Several processes may use the file at once, on the same machine and
not over a network file system; a writer waits up to half a minute for another. It decides nothing:
what is due, open or over stands in the values that it is given.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from integrity.chain.seal import SealedMonth
from integrity.state import (
    Checkpoint,
    Commit,
    ConflictError,
    Incident,
    Letter,
    RunSummary,
    TrailState,
)
from integrity.stores import sqlite_file
from integrity.stores.documents import decode, encode, foreign, microseconds
from integrity.stores.retention import USUAL, Retention
from integrity.stores.sqlite_sightings import SqliteSightings


class SqliteStore:
    """The file at `path`, made where it is missing. For several threads and processes.

    Raises UsageError where the folder is missing or the file is somebody else's or of a newer
    program, AccessError where it cannot be used; every method may raise AccessError.
    """

    def __init__(self, path: Path, *, retention: Retention = USUAL) -> None:
        self._path = path
        self._place = f"the state file {path}"
        self._retention = retention
        self._lock = threading.Lock()
        self._connection = sqlite_file.connect(path)
        self.sightings = SqliteSightings(self._transaction, self._place, retention.sightings)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def load(self, trail_arn: str) -> TrailState:
        """What is kept of a trail; of one that nobody has heard of, version 0 and nothing."""
        with self._transaction("BEGIN") as connection:
            trail = connection.execute(
                "SELECT version, checkpoint FROM trails WHERE trail_arn = ?", (trail_arn,)
            ).fetchone()
            incidents = connection.execute(
                "SELECT document FROM incidents WHERE trail_arn = ? AND resolved IS NULL"
                " ORDER BY first_seen, id",
                (trail_arn,),
            ).fetchall()
        if trail is None:
            return TrailState(version=0, checkpoint=None, incidents=())
        version, checkpoint = trail
        if not isinstance(version, int):
            raise foreign(self._place, "a version that is no number")
        return TrailState(
            version=version,
            checkpoint=decode(Checkpoint, checkpoint, self._place),
            incidents=tuple(decode(Incident, row[0], self._place) for row in incidents),
        )

    def commit(self, commit: Commit) -> None:
        """One transaction. Raises ConflictError where the version is not the one that is kept."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            kept = connection.execute(
                "SELECT version FROM trails WHERE trail_arn = ?", (commit.trail_arn,)
            ).fetchone()
            version = kept[0] if kept else 0
            if version != commit.version:
                raise ConflictError(
                    f"{self._place} has version {version} of {commit.trail_arn}, and this tick "
                    f"began with version {commit.version}: another one was faster"
                )
            _write(connection, commit)
            if commit.run is not None:
                _prune(connection, commit.trail_arn, commit.run.finished_at, self._retention)

    def keep_letters(self, letters: Sequence[Letter]) -> None:
        """One transaction. What is there already, sent or not, is left as it is."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            _write_letters(connection, letters)

    def claim_letters(
        self,
        now: datetime,
        *,
        lease: timedelta,
        limit: int,
        destinations: Collection[str] | None = None,
    ) -> Sequence[Letter]:
        """Letters that are due, oldest first, leased to this caller until `now` + `lease`."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            rows = connection.execute(
                "SELECT document FROM letters WHERE sent IS NULL AND dead = 0 AND due <= ?"
                " AND leased <= ? ORDER BY created, id",
                (microseconds(now), microseconds(now)),
            )
            due = (decode(Letter, document, self._place) for (document,) in rows)
            own = (one for one in due if destinations is None or one.destination in destinations)
            letters = list(islice(own, limit))
            connection.executemany(
                "UPDATE letters SET leased = ? WHERE id = ?",
                [(microseconds(now + lease), letter.id) for letter in letters],
            )
        return letters

    def mark_sent(self, letter_id: str, now: datetime) -> None:
        """Its content is forgotten at once, its id after `Retention.sent`."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(
                "UPDATE letters SET sent = ?, document = NULL WHERE id = ? AND sent IS NULL",
                (microseconds(now), letter_id),
            )

    def mark_failed(self, letter: Letter) -> None:
        """Its lease ends. One that has arrived in the meantime stays so."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(
                "UPDATE letters SET due = ?, dead = ?, leased = 0, document = ?"
                " WHERE id = ? AND sent IS NULL",
                (microseconds(letter.due), letter.dead, encode(letter), letter.id),
            )

    def unsent_letters(self) -> Sequence[Letter]:
        """All letters that have not arrived, dead ones included, oldest first."""
        with self._transaction("BEGIN") as connection:
            rows = connection.execute(
                "SELECT document FROM letters WHERE sent IS NULL ORDER BY created, id"
            ).fetchall()
        return [decode(Letter, row[0], self._place) for row in rows]

    def list_incidents(self, trail_arn: str, *, since: datetime) -> Sequence[Incident]:
        """Open incidents, and those resolved at `since` or later, oldest first."""
        with self._transaction("BEGIN") as connection:
            rows = connection.execute(
                "SELECT document FROM incidents WHERE trail_arn = ?"
                " AND (resolved IS NULL OR resolved >= ?) ORDER BY first_seen, id",
                (trail_arn, microseconds(since)),
            ).fetchall()
        return [decode(Incident, row[0], self._place) for row in rows]

    def load_months(self, trail_arn: str) -> Sequence[SealedMonth]:
        """The months of the trail's watched past, by account, region and month."""
        with self._transaction("BEGIN") as connection:
            rows = connection.execute(
                "SELECT document FROM months WHERE trail_arn = ?"
                " ORDER BY account_id, region, month",
                (trail_arn,),
            ).fetchall()
        return [decode(SealedMonth, row[0], self._place) for row in rows]

    def list_runs(self, trail_arn: str, *, limit: int) -> Sequence[RunSummary]:
        """The newest ticks, newest first."""
        with self._transaction("BEGIN") as connection:
            rows = connection.execute(
                "SELECT document FROM runs WHERE trail_arn = ?"
                " ORDER BY started DESC, run_id DESC LIMIT ?",
                (trail_arn, limit),
            ).fetchall()
        return [decode(RunSummary, row[0], self._place) for row in rows]

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        """All of it or, where anything is raised inside, nothing."""
        with self._lock, sqlite_file.translated(self._path), self._connection as connection:
            connection.execute(begin)
            yield connection


def _write(connection: sqlite3.Connection, commit: Commit) -> None:
    connection.execute(
        "INSERT INTO trails (trail_arn, version, checkpoint) VALUES (?, ?, ?) ON CONFLICT"
        " (trail_arn) DO UPDATE SET version = excluded.version, checkpoint = excluded.checkpoint",
        (commit.trail_arn, commit.version + 1, encode(commit.checkpoint)),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO incidents (trail_arn, id, first_seen, resolved, document)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (
                commit.trail_arn,
                incident.id,
                microseconds(incident.first_seen),
                None if incident.resolved is None else microseconds(incident.resolved),
                encode(incident),
            )
            for incident in commit.incidents
        ],
    )
    _write_letters(connection, commit.letters)
    _write_months(connection, commit)
    if commit.run is None:
        return
    connection.execute(
        "INSERT OR REPLACE INTO runs (trail_arn, started, run_id, document) VALUES (?, ?, ?, ?)",
        (
            commit.trail_arn,
            microseconds(commit.run.started_at),
            commit.run.run_id,
            encode(commit.run),
        ),
    )


def _write_months(connection: sqlite3.Connection, commit: Commit) -> None:
    """Those that changed; one without a day is taken out."""
    for month in commit.months:
        key = (commit.trail_arn, month.account_id, month.region, f"{month.month:%Y-%m}")
        if month.days:
            connection.execute(
                "INSERT OR REPLACE INTO months (trail_arn, account_id, region, month, document)"
                " VALUES (?, ?, ?, ?, ?)",
                (*key, encode(month)),
            )
        else:
            connection.execute(
                "DELETE FROM months WHERE trail_arn = ? AND account_id = ? AND region = ?"
                " AND month = ?",
                key,
            )


def _write_letters(connection: sqlite3.Connection, letters: Sequence[Letter]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO letters (id, created, due, dead, document) VALUES (?, ?, ?, ?, ?)",
        [
            (
                letter.id,
                microseconds(letter.message.created_at),
                microseconds(letter.due),
                letter.dead,
                encode(letter),
            )
            for letter in letters
        ],
    )


def _prune(
    connection: sqlite3.Connection, trail_arn: str, now: datetime, retention: Retention
) -> None:
    """Forget what is too old. The pages are used again, so that the file stops growing."""
    connection.execute(
        "DELETE FROM runs WHERE trail_arn = ? AND started < ?",
        (trail_arn, microseconds(now - retention.runs)),
    )
    connection.execute(
        "DELETE FROM incidents WHERE trail_arn = ? AND resolved < ?",
        (trail_arn, microseconds(now - retention.resolved)),
    )
    connection.execute("DELETE FROM letters WHERE sent < ?", (microseconds(now - retention.sent),))
