"""How the watched trails stand, read out of the service's own stores.

Records are read once in a process, oldest first; a page that is loaded again reads what has come
since. What is read is held against the hash that the store keeps of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from integrity.errors import UsageError
from integrity.record import decode
from integrity.report.recent import RecentHours
from integrity.report.standing import Standing, TrailStanding, stand, window_of

if TYPE_CHECKING:
    from integrity.chain.model import TimeWindow
    from integrity.config.model import Config
    from integrity.state import RunSummary
    from integrity.wiring.service import Service
    from integrity.wiring.timetable import Timetable

_MOST_RUNS = 5000
"""More ticks than that of one trail are not looked at: those of a month, every ten minutes."""


@dataclass(slots=True)
class _Read:
    """What was read of one trail so far. `amiss` are runs whose record is not what was written."""

    recent: RecentHours = field(default_factory=RecentHours)
    runs: dict[str, RunSummary] = field(default_factory=dict)
    amiss: set[str] = field(default_factory=set)


class Standings:
    """Asked again and again, from many threads. `days` are those before today."""

    def __init__(
        self,
        service: Service,
        config: Config,
        timetable: Timetable,
        clock: Callable[[], datetime],
        *,
        days: int,
    ) -> None:
        self._service, self._config, self._timetable = service, config, timetable
        self._clock, self._days = clock, days
        self._read = {table.trail_arn: _Read() for table in config.trails}
        self._one_at_a_time = Lock()

    def read(self) -> Standing:
        """Now. Raises IntegrityError as the stores do."""
        with self._one_at_a_time:
            now = self._clock().replace(microsecond=0)
            window = window_of(now, self._days)
            unsent = self._service.store.unsent_letters()
            return Standing(
                at=now,
                next_tick=self._timetable.next_after(now),
                window=window,
                unsent=len(unsent),
                dead=sum(letter.dead for letter in unsent),
                trails=tuple(self._trail(arn, read, window) for arn, read in self._read.items()),
            )

    def _trail(self, trail_arn: str, read: _Read, window: TimeWindow) -> TrailStanding:
        state = self._service.store.load(trail_arn)
        runs = self._service.store.list_runs(trail_arn, limit=_MOST_RUNS)
        wanted = [run for run in runs if run.window.end > window.start]
        for run in reversed(wanted):
            if run.run_id not in read.runs:
                self._read_record(trail_arn, run, read)
        for run_id in read.runs.keys() - {run.run_id for run in wanted}:
            del read.runs[run_id]
            read.amiss.discard(run_id)
        read.recent.forget(window.start)
        newest = runs[0] if runs else None
        return stand(
            trail_arn,
            state,
            newest,
            read.recent,
            window,
            months=self._service.store.load_months(trail_arn),
            records_amiss=len(read.amiss),
        )

    def _read_record(self, trail_arn: str, run: RunSummary, read: _Read) -> None:
        read.runs[run.run_id] = run
        record = self._service.records.read(trail_arn, run.started_at, run.run_id)
        if record is None or hashlib.sha256(record.document).hexdigest() != run.record_sha256:
            read.amiss.add(run.run_id)
            return
        try:
            read.recent.add(decode(record.document))
        except UsageError:  # another version's: what it told is not known here
            read.amiss.add(run.run_id)
