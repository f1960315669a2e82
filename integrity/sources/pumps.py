"""Many small objects at a time in few threads: a thread a core, whatever is under way.

Each drives libcurl's transfers of all errands, and hands every object to whoever wanted it as it
comes, in that same thread. With a thread for each request, most of the processor's time goes into
handing the interpreter from one to the next. What is no whole success is left over for whoever asks
with more patience; pace is kept as everybody keeps it (`integrity.sources.throttle`).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Lock
from typing import Any

import pycurl

from integrity.chain.model import Fetched, S3Location
from integrity.sources.errand import Errand
from integrity.sources.fast_bucket import FastBucket
from integrity.sources.fast_get import Failure, Get
from integrity.sources.prover import Recipe
from integrity.sources.provers import Provers
from integrity.sources.throttle import Pace

_LOOK_SECONDS = 0.01

FastOf = Callable[[S3Location], tuple[FastBucket, Pace] | None]
"""The bucket of an object, and the pace of its part; None where only botocore can be asked."""


@dataclass(slots=True)
class _Task:
    errand: Errand[Any]
    item: Any
    location: S3Location
    fast: FastBucket
    pace: Pace
    turn: int = 0


class Pumps:
    """The threads, which run while there is an errand. `most` requests are under way at once.

    Where many are to be proven, processes of the `recipe` do that in place of the threads.
    """

    def __init__(
        self,
        fast_of: FastOf,
        answered: Callable[[], None],
        most: int,
        *,
        cores: int,
        recipe: Recipe,
    ) -> None:
        number = max(1, min(cores, most))
        self._provers = Provers(recipe, number, lambda: self.errands, answered)
        self._pump = partial(_Pump, self, fast_of, answered, most // number)
        self._idle = [self._pump() for _ in range(number)]
        self._threads = ThreadPoolExecutor(number)
        self._lock = Lock()
        self.errands: tuple[Errand[Any], ...] = ()

    @contextmanager
    def sent(self, errand: Errand[Any]) -> Iterator[None]:
        """Have an errand done until the block ends; what is not done then is dropped."""
        with self._lock:
            self.errands += (errand,)
            while self._idle:
                pump = self._idle.pop()
                self._threads.submit(pump.run).add_done_callback(self._ended)
        try:
            self._provers.note_need(sum(one.proof.many for one in self.errands if one.proof))
            yield
        finally:
            errand.is_over = True
            with self._lock:
                self.errands = tuple(one for one in self.errands if one is not errand)

    def to_draw(self) -> list[Errand[Any]]:
        """The errands that a thread may draw from."""
        ready = self._provers.are_ready
        return [one for one in self.errands if one.is_open and not (ready and one.proof)]

    def may_rest(self, pump: _Pump) -> bool:
        """Whether a pump has nothing to do; then it is woken by the next errand.

        An errand that is drawn to its end, by a stop perhaps, is nothing to do: whoever should wait
        for what is left over may be gone, and a thread at work keeps its process.
        """
        with self._lock:
            if pump.has_held or any(one.is_open for one in self.errands):
                return False
            pump.rest()
            self._idle.append(pump)
            return True

    def _ended(self, run: Future[None]) -> None:
        error = run.exception()
        if error is None:
            return
        with self._lock:
            self._idle.append(self._pump())
            errands = self.errands
        for errand in errands:
            errand.fail(error)


class _Pump:
    """One thread's transfers, with connections of their own."""

    def __init__(
        self, pumps: Pumps, fast_of: FastOf, answered: Callable[[], None], most: int
    ) -> None:
        self._pumps, self._fast_of, self._answered = pumps, fast_of, answered
        self._most = max(1, most)
        self._multi: Any = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, self._most)
        self._under_way: dict[Any, tuple[_Task, Get]] = {}
        self._held: dict[Errand[Any], _Task] = {}
        self._firsts = count()
        self._idle: defaultdict[tuple[FastBucket, bool], list[Get]] = defaultdict(list)

    def run(self) -> None:
        """Until there is no errand."""
        try:
            while self._under_way or not self._pumps.may_rest(self):
                self._turn()
        finally:
            for task, _ in self._under_way.values():
                task.pace.leave(task.turn, slow_down=False)

    def _turn(self) -> None:
        self._drop()
        self._begin()
        if not self._under_way:
            time.sleep(_LOOK_SECONDS)
            return
        self._multi.perform()
        if not self._end() and self._multi.select(_LOOK_SECONDS) < 0:
            time.sleep(_LOOK_SECONDS)

    @property
    def has_held(self) -> bool:
        """Whether something that was drawn waits for its pace."""
        return bool(self._held)

    def rest(self) -> None:
        """Let go of what nobody waits for, and of the handles: their credentials may be old."""
        self._held.clear()
        self._idle.clear()

    def _drop(self) -> None:
        """What nobody waits for any more."""
        for errand in [one for one in self._held if one.is_over]:
            del self._held[errand]
        for curl in [one for one, (task, _) in self._under_way.items() if task.errand.is_over]:
            task, _ = self._under_way.pop(curl)
            self._multi.remove_handle(curl)
            task.pace.leave(task.turn, slow_down=False)

    def _begin(self) -> None:
        """As many as there is room for, of each errand in turn."""
        errands = list(dict.fromkeys([*self._held, *self._pumps.to_draw()]))
        # Where there is room for one, it is not always the same errand's.
        first = next(self._firsts) % len(errands) if errands else 0
        errands = errands[first:] + errands[:first]
        while errands and len(self._under_way) < self._most:
            errands = [one for one in errands if self._begin_one(one)]

    def _begin_one(self, errand: Errand[Any]) -> bool:
        """False where this errand has nothing for now."""
        if len(self._under_way) >= self._most:
            return False
        task = self._held.pop(errand, None) or self._draw(errand)
        if task is None:
            return False
        turn = task.pace.try_enter()
        if turn is None:
            self._held[errand] = task
            return False
        task.turn = turn
        idle = self._idle[task.fast, errand.with_metadata]
        get = idle.pop() if idle else task.fast.handle(with_metadata=errand.with_metadata)
        if task.fast.begin(get, task.location.key):
            self._multi.add_handle(get.curl)
            self._under_way[get.curl] = task, get
        else:
            task.pace.leave(turn, slow_down=False)
            errand.leave(task.item)
        return True

    def _draw(self, errand: Errand[Any]) -> _Task | None:
        while True:
            drawn = errand.draw()
            if drawn is None:
                return None
            item, location = drawn
            where = self._fast_of(location)
            if where is not None:
                return _Task(errand, item, location, *where)
            errand.leave(item)

    def _end(self) -> bool:
        """Take what has come; False where nothing has. What is wanted next is asked for before."""
        came = list(self._answers())
        if not came:
            return False
        self._begin()
        self._multi.perform()
        for task, answer in came:
            if isinstance(answer, Failure):
                task.fast.note_refusal(task.location.key, answer)
                task.errand.leave(task.item)
            else:
                self._answered()
                task.errand.answer(task.item, answer)
        return True

    def _answers(self) -> Iterator[tuple[_Task, Fetched[bytes] | Failure]]:
        _, done, failed = self._multi.info_read()
        errors = dict.fromkeys(done, 0) | {curl: number for curl, number, _ in failed}
        for curl, error in errors.items():
            task, get = self._under_way.pop(curl)
            self._multi.remove_handle(curl)
            answer = task.fast.end(get, task.location, error)
            task.pace.leave(task.turn, slow_down=answer is Failure.SLOW_DOWN)
            self._idle[task.fast, task.errand.with_metadata].append(get)
            yield task, answer
