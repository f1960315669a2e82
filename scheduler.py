"""The long-running container: ticks when the schedule says, and ends within seconds of SIGTERM.

A tick that was missed, or cut short by its end, is made at the start. Whatever a tick raises makes
it unhealthy and does not end it; mistakes in the configuration do, with status 2.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrity.wiring.scheduled import ScheduledService

LAST_SECONDS = 25.0  # of the thirty after which a container is killed


def tick(service: ScheduledService, stopping: threading.Event) -> None:
    try:
        service.tick(stopping)
    except Exception as fault:
        service.note(f"a fault of the program itself: {type(fault).__name__}: {fault}")
        raise  # APScheduler logs it, and goes on


def serve(stopping: threading.Event) -> int:
    # Here, because the first process of a container gets no signal before it has a handler.
    from apscheduler.schedulers.background import BackgroundScheduler

    from integrity.errors import IntegrityError
    from integrity.wiring.scheduled import open_scheduled

    try:
        service = open_scheduled(os.environ, lambda: datetime.now(UTC), stopping)
    except IntegrityError as error:
        print("Error:", *getattr(error, "mistakes", [error]), sep="\n  ", file=sys.stderr)
        return 2
    if service is not None:
        # However late, but one at a time and what was missed only once: those are its defaults.
        scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None})
        first = {"next_run_time": datetime.now(UTC)} if service.is_due else {}
        scheduler.add_job(tick, service.timetable.trigger, (service, stopping), **first)
        scheduler.start()
        stopping.wait()
        scheduler.shutdown()  # when the tick that is under way has ended
    return 0


def main() -> int:
    stopping, ended = threading.Event(), SimpleQueue[int | None]()
    for number in (signal.SIGINT, signal.SIGTERM):
        # What a handler may call: unlike an Event's `set`, this `put` waits for no lock.
        signal.signal(number, lambda *_: ended.put(None))

    def work() -> None:
        try:
            ended.put(serve(stopping))
        except Exception:
            logging.getLogger("integrity.scheduler").exception("a fault of the program itself")
            ended.put(70)

    threading.Thread(target=work, daemon=True).start()
    status = ended.get()
    if status is None:  # a signal; a second one ends at once
        stopping.set()
        with suppress(Empty):
            status = ended.get(timeout=LAST_SECONDS)
    return 130 if status is None else status


if __name__ == "__main__":
    os._exit(main())  # threads may wait for an answer until its time-out
