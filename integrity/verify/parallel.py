"""Many small reads at once, with as few of them waiting as keeps every thread busy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], *, in_flight: int
) -> Iterator[tuple[Item, Result]]:
    """Each item with its result, as they are done. `items` may be endless: it is drawn on demand."""
    waiting: dict[Future[Result], Item] = {}
    for item in items:
        waiting[executor.submit(work, item)] = item
        if len(waiting) >= in_flight:
            yield from _finished(waiting)
    while waiting:
        yield from _finished(waiting)


def _finished(waiting: dict[Future[Result], Item]) -> Iterator[tuple[Item, Result]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()
