"""The service for a process that stays: opened, however long that takes, ticked, its health told.

It decides whether a tick was missed while the process was not there. When the others come is up to
whoever has its timetable; so is what becomes of a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from logging import getLogger
from threading import Event

from integrity.errors import AccessError, IntegrityError
from integrity.wiring.configuration import load_config
from integrity.wiring.health import forget_ticks, note_tick
from integrity.wiring.logs import log_to_stderr
from integrity.wiring.service import Service
from integrity.wiring.standing import Standings
from integrity.wiring.status_page import serve_page
from integrity.wiring.timetable import LONGEST_TICK, Timetable

_AGAIN_SECONDS = 30.0

_log = getLogger(__name__)


class ScheduledService:
    """A service with its timetable. `is_due` says whether its first tick is to be made at once."""

    def __init__(
        self, service: Service, timetable: Timetable, clock: Callable[[], datetime]
    ) -> None:
        self.timetable = timetable
        self._service = service
        self._clock = clock
        attempted, now = service.last_attempted(), clock()
        self.is_due = timetable.is_due(attempted, now)
        if attempted is not None and not self.is_due:
            note_tick(attempted, "", due_by=timetable.due_by(now))

    def tick(self, stopping: Event) -> None:
        """One tick of each trail. One that was told to stop says nothing of health."""
        try:
            ticks = self._service.tick(stopping)
            error = "; ".join(tick.error for tick in ticks if tick.error)
        except IntegrityError as refused:
            error = str(refused)
            _log.error("tick failed", extra={"error": error})
        if not stopping.is_set():
            self.note(error)

    def note(self, error: str) -> None:
        """Say that a tick has ended now: well, where `error` is empty."""
        now = self._clock()
        note_tick(now, error, due_by=self.timetable.due_by(now))


def open_scheduled(
    environ: Mapping[str, str], clock: Callable[[], datetime], stopping: Event
) -> ScheduledService | None:
    """The service of the environment's configuration; None where `stopping` was set meanwhile.

    S3 with the configuration, or a store, that does not answer is asked again. Raises UsageError
    for what waiting does not mend: every mistake in the configuration, a state file without folder.
    """
    log_to_stderr("info")
    forget_ticks()
    while not stopping.is_set():
        try:
            config = load_config(environ)
            log_to_stderr(config.service.log_level)
            service, timetable = Service(config, clock), Timetable(config.service)
            opened = ScheduledService(service, timetable, clock)
        except AccessError as error:
            _log.error("not started yet", extra={"error": str(error)})
            now = clock()
            note_tick(now, f"it could not begin: {error}", due_by=now + LONGEST_TICK)
            stopping.wait(_AGAIN_SECONDS)
        else:
            if config.status.listen is not None:
                standings = Standings(service, config, timetable, clock, days=config.status.days)
                serve_page(config.status.listen, standings.read)
            _log.info(
                "started",
                extra={"schedule": config.service.schedule, "first_tick_now": opened.is_due},
            )
            return opened
    return None
