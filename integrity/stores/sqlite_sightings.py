"""Events seen live, in the state's SQLite file, until a verified log file confirms them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from integrity.state import Sighting
from integrity.stores.documents import decode, encode, microseconds

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sightings (trail_arn TEXT NOT NULL, event_id TEXT NOT NULL,"
    " seen INTEGER NOT NULL, document BLOB NOT NULL, PRIMARY KEY (trail_arn, event_id))"
)

Transaction = Callable[[str], AbstractContextManager[sqlite3.Connection]]


class SqliteSightings:
    """They are forgotten `keep` after they were seen, whatever became of them."""

    def __init__(self, transaction: Transaction, place: str, keep: timedelta) -> None:
        self._transaction, self._place, self._keep = transaction, place, keep

    def remember(self, sightings: Iterable[Sighting]) -> None:
        """One that is known already stays as it was first seen."""
        rows = [
            (one.trail_arn, one.event_id, microseconds(one.seen_at), encode(one))
            for one in sightings
        ]
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.executemany("INSERT OR IGNORE INTO sightings VALUES (?, ?, ?, ?)", rows)

    def waiting(self, trail_arn: str, now: datetime) -> Sequence[Sighting]:
        """All that are neither confirmed nor too old, oldest first."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(
                "DELETE FROM sightings WHERE seen <= ?", (microseconds(now - self._keep),)
            )
            rows = connection.execute(
                "SELECT document FROM sightings WHERE trail_arn = ? ORDER BY seen, event_id",
                (trail_arn,),
            ).fetchall()
        return [decode(Sighting, row[0], self._place) for row in rows]

    def forget(self, trail_arn: str, event_ids: Iterable[str]) -> None:
        """They are confirmed, or have been told; one that nobody knows changes nothing."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.executemany(
                "DELETE FROM sightings WHERE trail_arn = ? AND event_id = ?",
                [(trail_arn, event_id) for event_id in event_ids],
            )
