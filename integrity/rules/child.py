"""The process that jq runs in: programs come in over stdin, answers go out over stdout.

jq holds the interpreter's lock while a program runs, so an endless one can only be killed with its
process. It has nothing that a program could tell (no environment), a bound on memory, and for each
question one on processor time, which the system itself enforces. Frames are msgpack behind their
length in four bytes; whatever else a program prints goes nowhere.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import IO, Any

import jq
import msgspec

try:
    import resource
    import signal
except ImportError:  # Windows has neither: there the parent's clock is the only one.
    _HAS_LIMITS = False
else:
    _HAS_LIMITS = hasattr(signal, "setitimer")

_LENGTH_BYTES = 4
_IDENTITY = jq.compile(".")


class Setup(msgspec.Struct, array_like=True):
    """The first frame: what will be asked, and the bounds."""

    programs: list[str]
    seconds: float
    memory_bytes: int
    most_text: int


class Question(msgspec.Struct, array_like=True):
    """One event for one program; without `event` only whether it is a program."""

    number: int
    event: bytes | None


class Answer(msgspec.Struct, array_like=True):
    """Whether it matches and what the program says then, or its error; and the time it took."""

    matches: bool = False
    text: str = ""
    error: str = ""
    seconds: float = 0.0


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame; None at the end."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    body = stream.read(length)
    return body if len(body) == length else None


def write_frame(stream: IO[bytes], value: object) -> None:
    """One more frame, at once."""
    body = msgspec.msgpack.encode(value)
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
    setup = msgspec.msgpack.decode(frame, type=Setup)
    if _HAS_LIMITS:
        resource.setrlimit(resource.RLIMIT_AS, (setup.memory_bytes, setup.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    write_frame(own, Answer())
    _serve(setup, sys.stdin.buffer, own)


def _serve(setup: Setup, questions: IO[bytes], answers: IO[bytes]) -> None:
    compiled: dict[int, Any] = {}
    while (frame := read_frame(questions)) is not None:
        question = msgspec.msgpack.decode(frame, type=Question)
        started = time.process_time()
        _limit(setup.seconds)
        try:
            if question.number not in compiled:
                compiled[question.number] = jq.compile(setup.programs[question.number])
            answer = Answer()
            if question.event is not None:
                answer = _ask(compiled[question.number], question.event, setup.most_text)
        except (ValueError, RecursionError, MemoryError) as error:
            # The first is jq's own, for a syntax and for an input; the others come with its output.
            answer = Answer(error=str(error)[: setup.most_text])
        _limit(0)
        answer.seconds = time.process_time() - started
        write_frame(answers, answer)


def _limit(seconds: float) -> None:
    """The system ends this process when it has worked so long; 0: as long as it likes."""
    if _HAS_LIMITS:
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _ask(program: Any, event: bytes, most_text: int) -> Answer:
    """The first output decides: none, null and false are no match, true is one; all else says more.

    Who only selects says the whole event again, which is no news.
    """
    text = event.decode("utf-8", "replace")
    outputs = iter(program.input_text(text))
    output = next(outputs, None)
    if output is None or output is False:
        return Answer()
    if output is True:
        return Answer(matches=True)
    if isinstance(output, dict) and output == _IDENTITY.input_text(text).first():
        return Answer(matches=True)
    said = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    cut = said if len(said) <= most_text else f"{said[: most_text - 1]}…"
    return Answer(matches=True, text=cut)


if __name__ == "__main__":
    main()
