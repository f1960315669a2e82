"""The process that jq runs in: programs come in over stdin, answers go out over stdout.

jq holds the interpreter's lock while a program runs, so an endless one can only be killed with its
process. It has nothing that a program could tell (no environment), a bound on memory, and for each
question one on processor time, which the system itself enforces. Many questions come at a time, and
as many are answered as that time is enough for. Frames are bytes behind their length in four; what
is in them is JSON, but for the events, which come as they are, in a frame behind their questions.
Whatever else a program prints goes nowhere.

It is started anew whenever a program was stopped, so it imports what jq does and little else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import IO, Any

import jq

try:
    import resource
    import signal
except ImportError:  # Windows has neither: there the parent's clock is the only one.
    _HAS_LIMITS = False
else:
    _HAS_LIMITS = hasattr(signal, "setitimer")

_LENGTH_BYTES = 4
_IDENTITY = jq.compile(".")

Answer = tuple[bool, str, str, float]
"""Whether it matches and what the program says then; or its error; and the time that it took."""


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame; None at the end."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    body = stream.read(length)
    return body if len(body) == length else None


def write_frame(stream: IO[bytes], body: bytes) -> None:
    """One more frame, at once."""
    stream.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
    stream.flush()


def main() -> None:
    """Answer questions until there are no more."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    frame = read_frame(sys.stdin.buffer)
    if frame is None:
        return
    programs, memory_bytes, most_text = json.loads(frame)
    if _HAS_LIMITS:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    write_frame(own, b"[]")
    _serve(_Programs(programs, most_text), sys.stdin.buffer, own)


def _serve(programs: _Programs, questions: IO[bytes], answers: IO[bytes]) -> None:
    while (frame := read_frame(questions)) is not None:
        seconds, asked = json.loads(frame)
        events = read_frame(questions) or b""
        write_frame(answers, json.dumps(_answer(programs, asked, events, seconds)).encode())


def _answer(
    programs: _Programs, asked: list[tuple[int, int]], events: bytes, seconds: float
) -> list[Answer]:
    """Answers to the first of the questions, which are programs and the lengths of the events.

    As many as there is time for, and one at least. It may end this process: each has that time too.
    """
    told: list[Answer] = []
    began = started = time.process_time()
    at = 0
    for number, length in asked:
        _limit(seconds)
        matches, text, error = programs.ask(number, events[at : at + length])
        ended = time.process_time()
        told.append((matches, text, error, ended - started))
        if ended - began > seconds:
            break
        started, at = ended, at + length
    _limit(0)
    return told


class _Programs:
    """Programs that are compiled when they are first asked."""

    def __init__(self, programs: list[str], most_text: int) -> None:
        self._programs, self._most_text = programs, most_text
        self._compiled: dict[int, Any] = {}

    def ask(self, number: int, event: bytes) -> tuple[bool, str, str]:
        """What a program says of an event; of nothing, only whether it is one."""
        try:
            if number not in self._compiled:
                self._compiled[number] = jq.compile(self._programs[number])
            matches, text = _ask(self._compiled[number], event) if event else (False, "")
        except (ValueError, RecursionError, MemoryError) as error:
            # The first is jq's own, for a syntax and for an input; the others come with its output.
            return False, "", str(error)[: self._most_text]
        cut = text if len(text) <= self._most_text else f"{text[: self._most_text - 1]}…"
        return matches, cut, ""


def _limit(seconds: float) -> None:
    """The system ends this process when it has worked so long; 0: as long as it likes."""
    if _HAS_LIMITS:
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _ask(program: Any, event: bytes) -> tuple[bool, str]:
    """The first output decides: none, null and false are no match, true is one; all else says more.

    Who only selects says the whole event again, which is no news.
    """
    text = event.decode("utf-8", "replace")
    output = next(iter(program.input_text(text)), None)
    if output is None or output is False:
        return False, ""
    if output is True:
        return True, ""
    if isinstance(output, dict) and output == _IDENTITY.input_text(text).first():
        return True, ""
    return True, output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)


if __name__ == "__main__":
    main()
