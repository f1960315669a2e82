"""Asks jq, in a process of its own that is killed when a program does not end or brings it down.

The process is started when it is first needed and again when it is gone. What it answers is bounded
there (`child`); how long to wait for it, here. A program that had to be killed is an error of that
program and of no other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO

import msgspec

from integrity.chain.limits import Limits
from integrity.errors import UsageError
from integrity.rules.child import Answer, Question, Setup, read_frame, write_frame
from integrity.rules.model import StoppedError

_MODULE = "integrity.rules.child"
_START_SECONDS = 30.0
_PATIENCE = 20
"""So many times its processor time a program may take of everybody's: the machine may be busy."""

_INHERITED = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What an interpreter may need to start: no program has business with the rest."""


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    questions: IO[bytes]
    answers: SimpleQueue[bytes | None]


class Programs:
    """jq programs by their number. Not for several threads at once."""

    def __init__(self, programs: Sequence[str], limits: Limits) -> None:
        self._setup = Setup(
            list(programs), limits.max_rule_seconds, limits.max_rule_memory, limits.max_rule_text
        )
        self._child: _Child | None = None

    def __enter__(self) -> Programs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def check(self, number: int) -> str:
        """Why this is no program; empty where it is one. Raises StoppedError as `ask` does."""
        return self._answer(Question(number, None)).error

    def ask(self, number: int, event: bytes) -> Answer:
        """What a program says of an event. Raises StoppedError where it had to be stopped."""
        return self._answer(Question(number, event))

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            child.process.kill()
            child.process.wait()
            with suppress(OSError):  # what it did not read any more
                child.questions.close()

    def _answer(self, question: Question) -> Answer:
        if self._child is None:
            self._child = self._start()
        try:
            write_frame(self._child.questions, question)
            frame = self._child.answers.get(timeout=self._setup.seconds * _PATIENCE)
        except (OSError, Empty):
            frame = None
        if frame is not None:
            return msgspec.msgpack.decode(frame, type=Answer)
        raise StoppedError(self._stopped())

    def _stopped(self) -> str:
        """Why no answer came. The process is gone then."""
        assert self._child is not None  # noqa: S101 - it was just asked
        process = self._child.process
        try:
            status = process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            status = None
        self.close()
        if status is None or -status == _signal_of_time():
            return f"it did not end within {self._setup.seconds} s of processor time"
        return f"it brought its process down (status {status}): too much memory, or a fault of jq's"

    def _start(self) -> _Child:
        environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
        )
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
        answers: SimpleQueue[bytes | None] = SimpleQueue()
        Thread(target=_read, args=(process.stdout, answers), daemon=True).start()
        child = _Child(process, process.stdin, answers)
        self._child = child
        try:
            write_frame(child.questions, self._setup)
            ready = answers.get(timeout=_START_SECONDS)
        except (OSError, Empty):
            ready = None
        if ready is None:
            self.close()
            raise UsageError(
                "the process that rules run in did not start: is the `rules` extra installed? "
                "pip install 'trail-integrity[rules]'"
            )
        return child


def _read(stream: IO[bytes], answers: SimpleQueue[bytes | None]) -> None:
    """A thread of its own waits for answers, so that nobody has to wait for ever."""
    with stream:
        while (frame := read_frame(stream)) is not None:
            answers.put(frame)
    answers.put(None)


def _signal_of_time() -> int:
    import signal

    return getattr(signal, "SIGPROF", -1)
