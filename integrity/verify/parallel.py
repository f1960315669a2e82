"""Many small reads at once, with as few of them waiting as keeps every thread busy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], *, in_flight: int
) -> Iterator[tuple[Item, Result]]:
    """Each item with its result, as they are done. `items` is drawn on demand, it may be endless.

    A queue and not `concurrent.futures.wait`: that looks at everything in flight for each result.
    """
    finished: SimpleQueue[tuple[Item, Future[Result]]] = SimpleQueue()
    under_way = 0
    for item in items:
        future = executor.submit(work, item)
        future.add_done_callback(lambda done, item=item: finished.put((item, done)))  # type: ignore[misc]
        under_way += 1
        if under_way >= in_flight:
            yield _next(finished)
            under_way -= 1
    for _ in range(under_way):
        yield _next(finished)


def _next(finished: SimpleQueue[tuple[Item, Future[Result]]]) -> tuple[Item, Result]:
    item, future = finished.get()
    return item, future.result()
