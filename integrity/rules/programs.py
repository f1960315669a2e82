"""Asks jq, in a process of its own that is killed when a program does not end or brings it down.

The process is started when it is first needed and again when it is gone. What it answers is bounded
there (`child`); how long to wait for it, here. Many questions go over at a time. Which of them
brought the process down is found by asking again, one by one; so a program that has not answered
anything yet is asked alone. One that had to be killed is an error of that program and of no other.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO

import msgspec

from integrity.chain.limits import Limits
from integrity.errors import UsageError
from integrity.rules.child import read_frame, write_frame

_MODULE = "integrity.rules.child"
_START_SECONDS = 30.0
_SIGNAL_OF_TIME = getattr(signal, "SIGPROF", None)
_PATIENCE = 5 if _SIGNAL_OF_TIME is None else 20
"""So many times its processor time a program may take of everybody's: the machine may be busy.

Where the system does not bound the first, as on Windows, it is the only bound.
"""

_SHARE = 0.2
"""Of the time for one question: what each of many gets, and all of them together."""

_INHERITED = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What an interpreter may need to start: no program has business with the rest."""


Question = tuple[int, bytes]
"""A program by its number, and an event."""


class Answer(msgspec.Struct, array_like=True):
    """Whether it matches and what the program says then, or its error; and the time it took.

    `stopped` says why the program had to be stopped: then there is nothing else.
    """

    matches: bool = False
    text: str = ""
    error: str = ""
    seconds: float = 0.0
    stopped: str = ""


_ANSWERS = msgspec.json.Decoder(list[Answer])


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    questions: IO[bytes]
    answers: SimpleQueue[bytes | None]


class Programs:
    """jq programs by their number. Not for several threads at once."""

    def __init__(self, programs: Sequence[str], limits: Limits) -> None:
        self._setup = (list(programs), limits.max_rule_memory, limits.max_rule_text)
        self._seconds = limits.max_rule_seconds
        self._answered: set[int] = set()
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
        """Why this is no program; empty where it is one."""
        answer = self._ask_alone((number, b""))
        return answer.stopped or answer.error

    def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """What programs say of events: answers to the first of the questions, to one at least.

        Where one of these had to be stopped, it is the last.
        """
        known = list(takewhile(lambda question: question[0] in self._answered, questions))
        if len(known) > 1:
            answers = self._answers(known, self._seconds * _SHARE)
            return list(self._ask_each(known)) if isinstance(answers, str) else answers
        answer = self._ask_alone(questions[0])
        if not answer.stopped:
            self._answered.add(questions[0][0])
        return [answer]

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            child.process.kill()
            child.process.wait()
            with suppress(OSError):  # what it did not read any more
                child.questions.close()

    def _ask_each(self, questions: Sequence[Question]) -> Iterator[Answer]:
        spent = 0.0
        for question in questions:
            answer = self._ask_alone(question)
            yield answer
            spent += answer.seconds
            if answer.stopped or spent > self._seconds:
                break

    def _ask_alone(self, question: Question) -> Answer:
        answers = self._answers([question], self._seconds)
        return Answer(stopped=answers) if isinstance(answers, str) else answers[0]

    def _answers(self, questions: list[Question], seconds: float) -> Sequence[Answer] | str:
        """Answers to the first of them; or why the process is gone without any."""
        child = self._child or self._start()
        try:
            asked = [(number, len(event)) for number, event in questions]
            write_frame(child.questions, msgspec.json.encode((seconds, asked)))
            write_frame(child.questions, b"".join(event for _, event in questions))
            frame = child.answers.get(timeout=seconds * _PATIENCE)
        except Empty:
            self.close()
            return self._endless()
        except OSError:
            frame = None
        if frame is not None:
            return _ANSWERS.decode(frame)
        status = child.process.wait()
        self.close()
        if -status == _SIGNAL_OF_TIME:
            return self._endless()
        return f"it brought its process down (status {status}): too much memory, or a fault of jq's"

    def _endless(self) -> str:
        return f"it did not end within {self._seconds} s of processor time"

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
            write_frame(child.questions, msgspec.json.encode(self._setup))
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
