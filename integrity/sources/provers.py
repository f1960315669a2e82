"""Processes that prove objects, a core each, while there are many to be proven.

Threads of one process wait for each other's turn at the interpreter, and leave a fifth of two cores
idle. A process takes a quarter of a second to begin, so who has few objects does without. What a
process does not prove is left over for whoever asks with more patience, and so is what one was
asked that dies: it costs time, nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from typing import Any

import msgspec

from integrity.chain.model import S3Location
from integrity.chain.wish import Proof
from integrity.sources.errand import Errand
from integrity.sources.prover import Answer, Asked, Claim, Recipe, serve

_WORTH_PROCESSES = 2000
_DOORS = 4
_AT_ONCE = 128
"""Objects asked for at one door of a process: while its last ones come, the other doors' do too."""
_IDLE_SECONDS = 2.0
_LOOK_SECONDS = 0.01
_SLOWDOWNS = 4096

_LOG = logging.getLogger(__name__)

Drawn = list[tuple[Any, S3Location]]


class Provers:
    """`number` processes, started when they are needed and ended when they are idle.

    They take from `errands`, and tell when the network has `answered`. Once one dies none is
    started any more.
    """

    def __init__(
        self,
        recipe: Recipe,
        number: int,
        errands: Callable[[], Sequence[Errand[Any]]],
        answered: Callable[[], None],
    ) -> None:
        self._recipe, self._number = recipe, number
        self._errands, self._answered = errands, answered
        self._firsts = count()
        self._lock = Lock()
        self._begun = self._ready = 0
        self._is_forsaken = number == 1

    @property
    def are_ready(self) -> bool:
        """Whether any of them takes from errands now."""
        return self._ready > 0

    def note_need(self, objects: int) -> None:
        """Note how many objects are to be proven, about; many are worth starting them."""
        with self._lock:
            if self._begun or self._is_forsaken or objects < _WORTH_PROCESSES:
                return
            self._begun = self._number
        try:
            slowdowns = get_context("spawn").RawArray("L", _SLOWDOWNS)
            started = [_start(self._recipe, slowdowns) for _ in range(self._number)]
        except OSError as error:
            self._begun, self._is_forsaken = 0, True
            _LOG.info("no further processes can be started (%s): two threads do the work", error)
            return
        for process, doors in started:
            Thread(target=self._keep, args=(process, doors), daemon=True).start()

    def _keep(self, process: BaseProcess, doors: Sequence[Connection]) -> None:
        """One process, to its end."""
        threads = [Thread(target=self._use, args=(door,), daemon=True) for door in doors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        process.join()
        with self._lock:
            self._begun -= 1

    def _use(self, door: Connection) -> None:
        """Ask at one door until there is nothing more to ask, or nobody there."""
        with ExitStack() as stack:
            stack.push(self._break)
            stack.enter_context(door)
            self._is_forsaken |= _heard(door) is None or not self._work(door)

    def _break(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        """Whoever waits for an errand breaks down with whoever does it."""
        del kind, trace
        if error is not None:
            for errand in self._errands():
                errand.fail(error)

    def _work(self, door: Connection) -> bool:
        """False where nobody answers any more."""
        is_there = True
        with self._at_work():
            while is_there and (drawn := self._draw()) is not None:
                is_there = self._ask(door, *drawn)
        return is_there

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._lock:
            self._ready += 1
        try:
            yield
        finally:
            with self._lock:
                self._ready -= 1

    def _draw(self) -> tuple[Errand[Any], Proof[Any], Drawn] | None:
        """Some items of one errand, of each in turn; None once there are none for a while."""
        seen = time.monotonic()
        while time.monotonic() < seen + _IDLE_SECONDS:
            wanted = [(one, one.proof) for one in self._errands() if one.proof is not None]
            first = next(self._firsts) % len(wanted) if wanted else 0
            for errand, proof in wanted[first:] + wanted[:first]:
                seen = time.monotonic()
                drawn = _drawn(errand)
                if drawn:
                    return errand, proof, drawn
            time.sleep(_LOOK_SECONDS)
        return None

    def _ask(self, door: Connection, errand: Errand[Any], proof: Proof[Any], drawn: Drawn) -> bool:
        """Have items proven. False where nobody answers: all of them are left over."""
        answer = _heard(door, _asked(proof, drawn))
        if answer is None:
            sizes: Answer = [None] * len(drawn)
        else:
            sizes = msgspec.msgpack.decode(answer, type=Answer)
            self._answered()
        for (item, _), size in zip(drawn, sizes, strict=True):
            if size is None or errand.is_over:
                errand.leave(item)
            else:
                proof.proven(item, size)
                errand.settle()
        return answer is not None


def _drawn(errand: Errand[Any]) -> Drawn:
    drawn: Drawn = []
    while len(drawn) < _AT_ONCE:
        one = errand.draw()
        if one is None:
            break
        drawn.append(one)
    return drawn


def _asked(proof: Proof[Any], drawn: Drawn) -> bytes:
    claims = tuple(Claim(location, proof.sha256_of(item)) for item, location in drawn)
    return msgspec.msgpack.encode(Asked(claims, proof.max_bytes))


def _heard(door: Connection, said: bytes | None = None) -> bytes | None:
    """What comes from a door, in answer to what is said. None where nobody is there."""
    try:
        if said is not None:
            door.send_bytes(said)
        return door.recv_bytes()
    except (EOFError, OSError):
        return None


def _start(recipe: Recipe, slowdowns: MutableSequence[int]) -> tuple[BaseProcess, list[Connection]]:
    """A process, and a door for each thread that asks there. It ends once all are closed."""
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in range(_DOORS)]
    theirs = [there for _, there in pipes]
    process = context.Process(target=serve, args=(recipe, slowdowns, theirs), daemon=True)
    process.start()
    for there in theirs:
        there.close()
    return process, [here for here, _ in pipes]
