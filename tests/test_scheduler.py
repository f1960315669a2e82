"""The scheduler, with a service of the tests' own: which ticks it makes, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

import scheduler
from integrity.wiring import scheduled

ROOT = Path(__file__).parent.parent
NEVER = CronTrigger(year=9000)
LONG = 60.0  # what no test waits for, unless something is broken


class Stub:
    """A service that does what it is told, with a trigger that does not take an hour."""

    def __init__(self, work: Callable[[int], None], *, trigger: Any, is_due: bool) -> None:
        self.timetable = SimpleNamespace(trigger=trigger)
        self.is_due = is_due
        self.work = work
        self.begun = 0
        self.notes: list[str] = []

    def tick(self, stopping: threading.Event) -> None:
        if not stopping.is_set():
            self.begun += 1
            self.work(self.begun)

    def note(self, error: str) -> None:
        self.notes.append(error)


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, stub: Stub) -> Iterator[Callable[[], None]]:
    """The scheduler in a thread. Calling what is given asks it to stop."""
    monkeypatch.setattr(scheduled, "open_scheduled", lambda *_: stub)
    stopping = threading.Event()
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(scheduler.serve(stopping)))
    thread.start()
    try:
        yield stopping.set
    finally:
        stopping.set()
        thread.join(LONG)
    assert statuses == [0]


def every(seconds: float) -> Any:
    return IntervalTrigger(seconds=seconds)


def test_a_missed_tick_is_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ticked = threading.Event()
    stub = Stub(lambda _: ticked.set(), trigger=NEVER, is_due=True)
    with serving(monkeypatch, stub):
        assert ticked.wait(LONG)
    assert (stub.begun, stub.notes) == (1, [])


def test_otherwise_it_waits_for_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    ticked = threading.Event()
    stub = Stub(
        lambda number: ticked.set() if number == 3 else None, trigger=every(0.02), is_due=False
    )
    with serving(monkeypatch, stub):
        assert ticked.wait(LONG)
    idle = Stub(lambda _: None, trigger=NEVER, is_due=False)
    with serving(monkeypatch, idle):
        pass
    assert idle.begun == 0


def test_a_fault_makes_it_unhealthy_and_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    again = threading.Event()

    def work(number: int) -> None:
        if number == 1:
            raise ZeroDivisionError("by zero")
        again.set()

    stub = Stub(work, trigger=every(0.02), is_due=True)
    with serving(monkeypatch, stub):
        assert again.wait(LONG)
    assert stub.notes == ["a fault of the program itself: ZeroDivisionError: by zero"]
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.exc_info is not None for record in told] == [True]


def test_there_is_one_tick_at_a_time_and_the_stop_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work(_: int) -> None:
        begun.set()
        assert go_on.wait(LONG)
        ended.set()

    stub = Stub(work, trigger=every(0.02), is_due=True)
    with serving(monkeypatch, stub) as stop:
        assert begun.wait(LONG)
        while "maximum number of running instances" not in caplog.text:
            threading.Event().wait(0.01)
        stop()
        go_on.set()
    assert ended.is_set()
    assert stub.begun == 1


# As a process. The driver's service stands in for AWS, stores and the hour between two ticks.

DRIVER = """
import os, sys, threading
from types import SimpleNamespace
from apscheduler.triggers.cron import CronTrigger
import scheduler
from integrity.wiring import scheduled

def say(word):
    print(word, flush=True)

class Service:
    timetable = SimpleNamespace(trigger=CronTrigger(year=9000))
    is_due = True
    def tick(self, stopping):
        say("begun")
        {tick}
        say("ended")

scheduled.open_scheduled = lambda *_: Service()
scheduler.LAST_SECONDS = 3600
if {hurried}:
    scheduler.LAST_SECONDS = 0.1
os._exit(scheduler.main())
"""
PATIENT = "stopping.wait()"
DEAF = "threading.Event().wait()"


@contextmanager
def process(program: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started:
        try:
            yield started
        finally:
            started.kill()


needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGTERM")


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_when_the_tick_has_ended(number: signal.Signals) -> None:
    with process(DRIVER.format(tick=PATIENT, hurried=False)) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        running.send_signal(number)
        out, err = running.communicate(timeout=LONG)
    assert (running.returncode, out, err) == (0, "ended\n", "")


@needs_signals
def test_a_tick_that_does_not_end_is_not_waited_for_for_ever() -> None:
    with process(DRIVER.format(tick=DEAF, hurried=True)) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=LONG)
    assert (running.returncode, out, err) == (130, "", "")


@needs_signals
def test_a_second_signal_ends_it_at_once() -> None:
    with process(DRIVER.format(tick=DEAF, hurried=False)) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        running.send_signal(signal.SIGTERM)
        # Two that arrive together are one.
        while running.poll() is None:
            running.send_signal(signal.SIGINT)
            threading.Event().wait(0.05)
        out, err = running.communicate(timeout=LONG)
    assert (running.returncode, out, err) == (130, "", "")


@needs_signals
def test_a_signal_counts_before_anything_is_loaded() -> None:
    """As the first process of a container it would otherwise be lost, and the container killed."""
    program = (
        "import os, signal, sys, scheduler\n"
        "slow = {'apscheduler', 'pydantic', 'boto3', 'botocore', 'pycurl', 'cryptography'}\n"
        "assert not slow & {name.partition('.')[0] for name in sys.modules}\n"
        "scheduler.serve = lambda _: os.kill(os.getpid(), signal.SIGTERM) or signal.pause()\n"
        "scheduler.LAST_SECONDS = 0.1\n"
        "os._exit(scheduler.main())\n"
    )
    with process(program) as running:
        out, err = running.communicate(timeout=LONG)
    assert (running.returncode, out, err) == (130, "", "")


def test_every_mistake_in_the_configuration_is_told(tmp_path: Path) -> None:
    program = "import os, scheduler; os._exit(scheduler.main())"
    with process(program, INTEGRITY_SERVICE_JITTER="soon", TMPDIR=str(tmp_path)) as running:
        out, err = running.communicate(timeout=LONG)
    assert (running.returncode, out) == (2, "")
    said = err.splitlines()
    assert said[0] == "Error:"
    assert [line.split(":")[0].split(" (")[0] for line in said[1:]] == [
        "  service.jitter",
        "  trails",
        "  audiences.security",
    ]


def test_a_fault_at_the_start_ends_it_loudly() -> None:
    program = (
        "import os, scheduler\n"
        "from integrity.wiring import scheduled\n"
        "def fail(*_): raise ZeroDivisionError('by zero')\n"
        "scheduled.open_scheduled = fail\n"
        "os._exit(scheduler.main())\n"
    )
    with process(program) as running:
        out, err = running.communicate(timeout=LONG)
    assert (running.returncode, out) == (70, "")
    assert "ZeroDivisionError: by zero" in err


def test_it_stays_small() -> None:
    assert len((ROOT / "scheduler.py").read_text(encoding="utf-8").splitlines()) < 80
