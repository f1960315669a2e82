"""The long-running container: ticks when the schedule says, and ends within seconds of SIGTERM.

A tick that was missed while it was down is made at once. Whatever a tick raises is told and makes
the service unhealthy; it does not end it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from integrity.errors import IntegrityError
from integrity.record import ExitStatus
from integrity.wiring.configuration import load_config
from integrity.wiring.health import note_tick
from integrity.wiring.logs import log_to_stderr
from integrity.wiring.service import Service

LONGEST_TICK = timedelta(hours=1)
LAST_SECONDS = 25.0  # of the thirty after which a container is killed

log = logging.getLogger("integrity.scheduler")


def now() -> datetime:
    return datetime.now(UTC)


def tick(service: Service, trigger: CronTrigger, stopping: threading.Event) -> None:
    error = ""
    try:
        error = "; ".join(one.error for one in service.tick(stopping) if one.error)
    except IntegrityError as refused:
        error = str(refused)
        log.error("tick failed", extra={"error": error})
    except Exception as fault:
        error = f"a fault of the program itself ({type(fault).__name__}: {fault})"
        log.error("tick failed", extra={"error": error}, exc_info=True)
    if not stopping.is_set():
        note_tick(now(), error, due_by=trigger.get_next_fire_time(None, now()) + LONGEST_TICK)


def main() -> int:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        config = load_config(os.environ)
        log_to_stderr(config.service.log_level)
        service = Service(config, now)
        last = service.last_started()
    except IntegrityError as error:
        print(f"Error: {error}", file=sys.stderr)
        return ExitStatus.USAGE
    trigger = CronTrigger.from_crontab(config.service.schedule, timezone=UTC)
    trigger.jitter = int(config.service.jitter.total_seconds())
    scheduler = BackgroundScheduler(
        timezone=UTC,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    job = scheduler.add_job(tick, trigger, args=(service, trigger, stopping))
    scheduler.start()
    if last is None or trigger.get_next_fire_time(None, last) <= now():
        job.modify(next_run_time=now())
    log.info("started", extra={"schedule": config.service.schedule})
    stopping.wait()
    threading.Timer(LAST_SECONDS, os._exit, [ExitStatus.INTERRUPTED]).start()
    scheduler.shutdown(wait=True)
    os._exit(ExitStatus.VALID)


if __name__ == "__main__":
    sys.exit(main())
