"""Ctrl-C and SIGTERM: the first asks to stop, and what was judged so far is shown; the second ends.

A long run that is interrupted has judged something, and that must not be lost: a container gets its
SIGTERM and thirty seconds.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[Event]:
    """An event that the first signal sets. Outside of the main thread no signal arrives."""
    stopping = Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(status: int) -> None:
    """End the process now: threads that wait for an answer would hold it until their time-out."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
