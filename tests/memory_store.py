"""A state store and a record store that forget: for tests of what is built on them.

They pass the same contract as the real ones (tests/stores).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from integrity.chain.seal import SealedMonth
from integrity.errors import AccessError
from integrity.state import (
    Checkpoint,
    Commit,
    ConflictError,
    Incident,
    Letter,
    RunSummary,
    Sighting,
    StoredRecord,
    TrailState,
)
from integrity.stores.retention import USUAL
from integrity.structs import replace

NEVER = datetime.min.replace(tzinfo=UTC)


def age(letter: Letter) -> tuple[datetime, str]:
    return letter.message.created_at, letter.id


class MemorySightings:
    """Events seen live, in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Sighting] = {}

    def remember(self, sightings: Iterable[Sighting]) -> None:
        for one in sightings:
            self.kept.setdefault((one.trail_arn, one.event_id), one)

    def waiting(self, trail_arn: str, now: datetime) -> Sequence[Sighting]:
        found = [
            one
            for one in self.kept.values()
            if one.trail_arn == trail_arn and one.seen_at > now - USUAL.sightings
        ]
        return sorted(found, key=lambda one: (one.seen_at, one.event_id))

    def forget(self, trail_arn: str, event_ids: Iterable[str]) -> None:
        for event_id in event_ids:
            self.kept.pop((trail_arn, event_id), None)


class MemoryStore:
    """State in dictionaries. `down` makes every call fail, as a store that cannot be reached."""

    def __init__(self) -> None:
        self.down = False
        self.trails: dict[str, tuple[int, Checkpoint]] = {}
        self.incidents: dict[tuple[str, str], Incident] = {}
        self.runs: dict[tuple[str, str], RunSummary] = {}
        self.letters: dict[str, Letter] = {}
        self.months: dict[tuple[str, str, str, datetime], SealedMonth] = {}
        self.leases: dict[str, datetime] = {}
        self.sent: set[str] = set()
        self.lock = threading.Lock()
        self.sightings = MemorySightings()

    def load(self, trail_arn: str) -> TrailState:
        self.answer()
        version, checkpoint = self.trails.get(trail_arn, (0, None))
        incidents = self.list_incidents(trail_arn, since=NEVER)
        return TrailState(
            version=version,
            checkpoint=checkpoint,
            incidents=tuple(incident for incident in incidents if incident.resolved is None),
        )

    def commit(self, commit: Commit) -> None:
        self.answer()
        with self.lock:
            version, _ = self.trails.get(commit.trail_arn, (0, None))
            if version != commit.version:
                raise ConflictError(f"version {version}, not {commit.version}")
            self.trails[commit.trail_arn] = (version + 1, commit.checkpoint)
            for incident in commit.incidents:
                self.incidents[commit.trail_arn, incident.id] = incident
            for letter in commit.letters:
                self.letters.setdefault(letter.id, letter)
            for month in commit.months:
                key = (commit.trail_arn, month.account_id, month.region, month.month)
                self.months[key] = month
            if commit.run is not None:
                self.runs[commit.trail_arn, commit.run.run_id] = commit.run

    def keep_letters(self, letters: Sequence[Letter]) -> None:
        self.answer()
        for letter in letters:
            self.letters.setdefault(letter.id, letter)

    def claim_letters(
        self,
        now: datetime,
        *,
        lease: timedelta,
        limit: int,
        destinations: Collection[str] | None = None,
    ) -> Sequence[Letter]:
        with self.lock:
            due = [
                letter
                for letter in self.unsent_letters()
                if letter.due <= now
                and not letter.dead
                and self.leases.get(letter.id, NEVER) <= now
                and (destinations is None or letter.destination in destinations)
            ][:limit]
            self.leases |= {letter.id: now + lease for letter in due}
        return due

    def mark_sent(self, letter_id: str, now: datetime) -> None:
        self.answer()
        del now
        if letter_id in self.letters:
            self.sent.add(letter_id)

    def mark_failed(self, letter: Letter) -> None:
        self.answer()
        if letter.id in self.letters and letter.id not in self.sent:
            self.letters[letter.id] = replace(letter)
            self.leases.pop(letter.id, None)

    def unsent_letters(self) -> Sequence[Letter]:
        self.answer()
        waiting = [letter for letter in self.letters.values() if letter.id not in self.sent]
        return sorted(waiting, key=age)

    def list_incidents(self, trail_arn: str, *, since: datetime) -> Sequence[Incident]:
        self.answer()
        found = [
            incident
            for (arn, _), incident in self.incidents.items()
            if arn == trail_arn and (incident.resolved is None or incident.resolved >= since)
        ]
        return sorted(found, key=lambda incident: (incident.first_seen, incident.id))

    def load_months(self, trail_arn: str) -> Sequence[SealedMonth]:
        self.answer()
        own = [(key, month) for key, month in self.months.items() if key[0] == trail_arn]
        return [month for _, month in sorted(own, key=lambda one: one[0]) if month.days]

    def list_runs(self, trail_arn: str, *, limit: int) -> Sequence[RunSummary]:
        self.answer()
        found = [run for (arn, _), run in self.runs.items() if arn == trail_arn]
        return sorted(found, key=lambda run: (run.started_at, run.run_id), reverse=True)[:limit]

    def close(self) -> None:
        pass

    def answer(self) -> None:
        if self.down:
            raise AccessError("the store is down")


class MemoryRecords:
    """Records in a dictionary, by trail and start."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, datetime, str], bytes] = {}
        self.drills: dict[tuple[str, datetime, str], bytes] = {}

    def write(self, trail_arn: str, started_at: datetime, run_id: str, document: bytes) -> str:
        second = started_at.replace(microsecond=0)
        kept = self.records.setdefault((trail_arn, second, run_id), document)
        if kept != document:
            raise AccessError(f"another record of {run_id} is there")
        return self.uri(trail_arn, second, run_id)

    def write_drill(
        self, trail_arn: str, started_at: datetime, drill_id: str, document: bytes
    ) -> str:
        kept = self.drills.setdefault((trail_arn, started_at, drill_id), document)
        if kept != document:
            raise AccessError(f"another drill {drill_id} is there")
        return f"memory:{trail_arn}/drills/{started_at:%Y%m%dT%H%M%SZ}_{drill_id}"

    def newest(self, trail_arn: str) -> StoredRecord | None:
        last = max((key for key in self.records if key[0] == trail_arn), default=None)
        return None if last is None else StoredRecord(self.uri(*last), self.records[last])

    def read(self, trail_arn: str, started_at: datetime, run_id: str) -> StoredRecord | None:
        key = (trail_arn, started_at.replace(microsecond=0), run_id)
        document = self.records.get(key)
        return None if document is None else StoredRecord(self.uri(*key), document)

    def uri(self, trail_arn: str, started_at: datetime, run_id: str) -> str:
        return f"memory:{trail_arn}/{started_at:%Y%m%dT%H%M%SZ}_{run_id}"
