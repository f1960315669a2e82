"""Somebody's wish for many small objects: what is wanted, who takes it, and what is left over.

Threads that fetch draw from it and answer it; the one whose wish it is waits for what is left. It
knows neither the network nor what the objects are for.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Generic, Protocol

from integrity.chain.model import Fetched, S3Location
from integrity.chain.wish import Item, Proof, Wish

_MOST_LEFT = 256
_LOOK_SECONDS = 0.5
_LINGER_SECONDS = 2.0


class Stopping(Protocol):
    """Says when nothing new is to be begun."""

    def is_set(self) -> bool: ...


class _End(Enum):
    END = "end"


class Errand(Generic[Item]):
    """A wish on its way, until `stopping` is set."""

    def __init__(self, wish: Wish[Item], stopping: Stopping) -> None:
        self._wish, self._wanted, self._stopping = wish, iter(wish.items), stopping
        self._lock = Lock()
        self._open = 0
        self._is_drawn = False
        self._left: SimpleQueue[Item | _End | BaseException] = SimpleQueue()
        self.is_over = False

    @property
    def with_metadata(self) -> bool:
        return self._wish.with_metadata

    @property
    def proof(self) -> Proof[Item] | None:
        return self._wish.proof

    @property
    def is_open(self) -> bool:
        """Whether there may be more to draw."""
        return not self._is_drawn

    def draw(self) -> tuple[Item, S3Location] | None:
        """The next item that has a place. None: there is none, or too much is left over."""
        while True:
            with self._lock:
                if self._is_drawn or self._left.qsize() >= _MOST_LEFT:
                    return None
                self._open += 1
                item = None if self._stopping.is_set() else next(self._wanted, None)
                self._is_drawn = item is None
            if item is None:
                self.settle()
                return None
            location = self._wish.locate(item)
            if location is not None:
                return item, location
            self.leave(item)

    def answer(self, item: Item, fetched: Fetched[bytes]) -> None:
        """The object of an item that was drawn."""
        if self._wish.take(item, fetched):
            self.settle()
        else:
            self.leave(item)

    def leave(self, item: Item) -> None:
        """An item that was drawn could not be had so easily."""
        self._left.put(item)
        self.settle()

    def settle(self) -> None:
        """Nothing more is to be done for an item that was drawn."""
        with self._lock:
            self._open -= 1
            if self._is_drawn and not self._open:
                self._left.put(_End.END)

    def fail(self, error: BaseException) -> None:
        """Whoever fetched has broken down; so does whoever waits."""
        self._left.put(error)

    def left(self) -> Iterator[Item]:
        """The items that are left over, as they come, until all are answered.

        Once everything is to stop, what is under way is waited for for two seconds.
        """
        waited = 0.0
        while waited < _LINGER_SECONDS:
            try:
                item = self._left.get(timeout=_LOOK_SECONDS)
            except Empty:
                waited += _LOOK_SECONDS if self._stopping.is_set() else 0.0
                continue
            if isinstance(item, _End):
                return
            if isinstance(item, BaseException):
                raise item
            yield item
