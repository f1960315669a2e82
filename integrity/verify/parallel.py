"""Many small reads at once, with as few of them waiting as keeps every thread busy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from itertools import chain, islice
from queue import Empty, SimpleQueue
from threading import Condition, Lock
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOOK_SECONDS = 0.5
_TURN = 16
LINGER_SECONDS = 2.0


class Stopping(Protocol):
    """Says when nothing new is to be begun: an Event of threads, or one shared by processes."""

    def is_set(self) -> bool: ...


class Budget:
    """A weight that may be held at a time, whatever the number of holders: memory is bought by it.

    Who is heavier than all of it holds it alone.
    """

    def __init__(self, total: int) -> None:
        self._total = self._left = total
        self._changed = Condition()

    @contextmanager
    def hold(self, weight: int) -> Iterator[None]:
        """Wait until the weight is free."""
        weight = min(weight, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= weight)
            self._left -= weight
        try:
            yield
        finally:
            with self._changed:
                self._left += weight
                self._changed.notify_all()


def each(
    executor: Executor,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    in_flight: int,
    stopping: Stopping,
    linger: float = LINGER_SECONDS,
) -> Iterator[tuple[Item, Result]]:
    """Each item with its result, as they are done. `items` is drawn on demand, it may be endless.

    Once `stopping` is set no further item is begun, and what is under way is waited for `linger`
    seconds. A queue and not `concurrent.futures.wait`, which looks at all in flight every time.
    """
    finished: SimpleQueue[tuple[Item, Future[Result]]] = SimpleQueue()
    under_way = 0
    for item in items:
        if stopping.is_set():
            break
        future = executor.submit(work, item)
        future.add_done_callback(lambda done, item=item: finished.put((item, done)))  # type: ignore[misc]
        under_way += 1
        if under_way >= in_flight:
            pair = _next(finished, stopping, linger)
            if pair is None:
                return
            under_way -= 1
            yield pair
    for _ in range(under_way):
        pair = _next(finished, stopping, linger)
        if pair is None:
            return
        yield pair


def each_small(
    executor: Executor,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    in_flight: int,
    stopping: Stopping,
) -> Iterator[tuple[Item, Result]]:
    """The same for threads and work that is soon done: whoever has done an item draws the next.

    To hand an item from thread to thread, and its result back, costs more than to read a small
    file. After a turn of some items a thread lets others have its place.
    """
    drawn = _Shared(items, stopping)

    def turn(first: Item) -> list[tuple[Item, Result]]:
        return [(item, work(item)) for item in chain([first], islice(drawn, _TURN - 1))]

    for _, done in each(executor, turn, drawn, in_flight=in_flight, stopping=stopping):
        yield from done


class _Shared(Iterator[Item]):
    """Items that many threads draw from, each of them once, until everything is to stop."""

    def __init__(self, items: Iterable[Item], stopping: Stopping) -> None:
        self._items, self._stopping = iter(items), stopping
        self._lock = Lock()

    def __next__(self) -> Item:
        with self._lock:
            if self._stopping.is_set():
                raise StopIteration
            return next(self._items)


def _next(
    finished: SimpleQueue[tuple[Item, Future[Result]]], stopping: Stopping, linger: float
) -> tuple[Item, Result] | None:
    """The next that is done, or None where it was waited for in vain after the stop."""
    waited = 0.0
    while True:
        try:
            item, future = finished.get(timeout=_LOOK_SECONDS)
        except Empty:
            waited += _LOOK_SECONDS if stopping.is_set() else 0.0
            if waited >= linger:
                return None
        else:
            return item, future.result()
