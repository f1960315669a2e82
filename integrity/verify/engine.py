"""Runs segments: in threads of this process, and where these are not enough in more processes.

Nearly empty segments wait for answers most of the time, so many are under way together. A small job
stays in the process that was started. One that is still large after a second is handed on to a
process a core, spawned and not forked (a fork takes locks along whose threads stay behind); each
opens its sources by the recipe and works like this one. A process that dies costs time, nothing
else: what it had not answered is checked here.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Protocol

import msgspec
from msgspec import Struct

from integrity.record import SegmentResult
from integrity.verify.checking import check_segment
from integrity.verify.job import Job
from integrity.verify.parallel import LINGER_SECONDS, Stopping, each
from integrity.verify.ports import OpenSources, Slowdowns, Untold
from integrity.verify.segment import Segment
from integrity.verify.tools import Tools

_AT_ONCE = 32
_PATIENCE = timedelta(seconds=1)
_WORTH_PROCESSES = 64
_BATCHES_EACH = 4
_SLOWDOWNS = 4096


class SourcesRecipe(Protocol):
    """How to open the sources in a process of its own. Picklable."""

    def open(self, slowdowns: Slowdowns) -> OpenSources: ...


def run_segments(
    segments: Sequence[Segment],
    job: Job,
    tools: Tools,
    *,
    recipe: SourcesRecipe | None,
    clock: Callable[[], datetime],
) -> Iterator[SegmentResult]:
    """The results, as they come. Without a recipe everything stays in this process."""
    left = deque(segments)
    started = clock()

    def patiently() -> Iterator[Segment]:
        while left:
            is_large = recipe is not None and _cores() > 1 and len(left) >= _WORTH_PROCESSES
            if is_large and clock() - started > _PATIENCE:
                return
            yield left.popleft()

    yield from _in_threads(patiently(), job, tools)
    if left and recipe is not None and not tools.stopping.is_set():
        answered = set()
        try:
            for result in _in_processes(list(left), job, tools, recipe):
                answered.add((result.chain, result.span))
                yield result
        except BrokenProcessPool:
            unanswered = [s for s in left if (s.chain, s.span) not in answered]
            yield from _in_threads(unanswered, job, tools)


def _cores() -> int:
    return os.cpu_count() or 1


def _in_threads(segments: Iterable[Segment], job: Job, tools: Tools) -> Iterator[SegmentResult]:
    with _threads(_AT_ONCE, tools.stopping) as engine:
        checked = each(
            engine,
            lambda segment: check_segment(segment, job, tools),
            segments,
            in_flight=_AT_ONCE,
            stopping=tools.stopping,
            linger=2 * LINGER_SECONDS,
        )
        yield from (result for _, result in checked)


@contextmanager
def _threads(number: int, stopping: Stopping) -> Iterator[ThreadPoolExecutor]:
    """Threads that are not waited for once everything is to stop: one may hang in a read."""
    executor = ThreadPoolExecutor(number)
    try:
        yield executor
    finally:
        executor.shutdown(wait=not stopping.is_set(), cancel_futures=True)


def _in_processes(
    segments: Sequence[Segment], job: Job, tools: Tools, recipe: SourcesRecipe
) -> Iterator[SegmentResult]:
    context = get_context("spawn")
    stopping = _Passed(tools.stopping, context.Event())
    size = max(1, min(_AT_ONCE, len(segments) // (_BATCHES_EACH * _cores())))
    slowdowns = context.RawArray("L", _SLOWDOWNS)
    pool = ProcessPoolExecutor(
        _cores(), context, _start_worker, (recipe, job, tools.now, stopping.further, slowdowns)
    )
    checked = each(
        pool,
        _check_batch,
        [tuple(segments[at : at + size]) for at in range(0, len(segments), size)],
        in_flight=2 * _cores(),
        stopping=stopping,
        linger=4 * LINGER_SECONDS,
    )
    try:
        for _, told in checked:
            for result in msgspec.msgpack.decode(told, type=list[SegmentResult]):
                tools.progress.expect(result.log_files)
                tools.progress.done(result.log_files, result.stored_bytes)
                yield result
    finally:
        stopping.further.set()
        pool.shutdown(wait=not tools.stopping.is_set(), cancel_futures=True)


class _Flag(Protocol):
    def is_set(self) -> bool: ...

    def set(self) -> None: ...


class _Passed(Struct, frozen=True):
    """This process's wish to stop, passed on to the others when it is looked at."""

    own: Stopping
    further: _Flag

    def is_set(self) -> bool:
        if self.own.is_set():
            self.further.set()
        return self.further.is_set()


# In a worker process


_worker: list[tuple[Job, Tools]] = []


def _start_worker(
    recipe: SourcesRecipe, job: Job, now: datetime, stopping: Stopping, slowdowns: Slowdowns
) -> None:
    """Open the sources once. Signals are the first process's business: it tells when to stop.

    So is progress, from the results.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    readers = ThreadPoolExecutor(job.concurrency)
    _worker.append((job, Tools(*recipe.open(slowdowns), readers, now, Untold(), stopping)))


def _check_batch(segments: tuple[Segment, ...]) -> bytes:
    """Their results, encoded: to pickle them takes many times as long."""
    job, tools = _worker[0]
    return msgspec.msgpack.encode(list(_in_threads(segments, job, tools)))
