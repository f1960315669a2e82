"""How many requests a part of a bucket is asked at once: more and more, half on SlowDown.

S3 serves a bucket by partitions of its keys, and CloudTrail's keys differ first by account and
region. So each of these folders has a pace of its own, shared by everybody who asks for its
objects; how long a single request waits before it is asked again is not decided here. S3 turns a
few requests away even from who could be faster, while it spreads the load: only a share of them is
a reason to slow down. (AWS: Best practices design patterns, optimizing Amazon S3 performance.)

Processes of one run tell each other of halvings by counting them in shared numbers, a part of a
bucket by a hash of its name, and each halves its own window when it sees a count that is not its
own. Nobody holds a lock or a place on another's behalf, so a process that dies takes nothing along;
two that count at the same moment may count once, and both have halved by then.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, MutableSequence
from types import TracebackType
from zlib import crc32

_FIRST = 32
_ROUND_SECONDS = 0.02
_FEW_ANSWERS = 32
_TOLERATED_ONE_IN = 5
_BETWEEN_NOTICES = 10.0
_MOST_COUNTED = 2**32
_LOG = logging.getLogger(__name__)
_DATED = re.compile("/[0-9]{4}/")


class Window:
    """The number of requests at once, `size`, and what the answers make of it. Not thread-safe.

    It is looked at in rounds, each as many answers as there are requests at once. While nobody was
    turned away it doubles. When more than one of five is turned away it is halved at once, and
    grows by one a round from then on. `turn` counts the halvings: an answer to a request of an
    earlier turn says nothing about the new pace.
    """

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self.size = min(_FIRST, most)
        self.turn = 0
        self._most, self._clock = most, clock
        self._doubles = True
        self._answers = self._turned_away = 0
        self._wanted_more = False
        self._began = clock()

    def answered(self, turn: int, *, slow_down: bool, wanted_more: bool) -> None:
        """One answer. `wanted_more`: requests are waiting for it."""
        if turn != self.turn:
            return
        self._answers += 1
        self._wanted_more = self._wanted_more or wanted_more
        if slow_down:
            self._turned_away += 1
        share = _TOLERATED_ONE_IN * self._turned_away
        if share > max(self._answers, _FEW_ANSWERS):
            self.halve()
        elif self._is_over(share):
            if self._wanted_more:
                self.size = min(2 * self.size if self._doubles else self.size + 1, self._most)
            self._begin()

    def _is_over(self, share: int) -> bool:
        """Whether the round is: a short one says little."""
        long = self._clock() - self._began >= _ROUND_SECONDS
        return long and self._answers >= max(self.size, share)

    def _begin(self) -> None:
        self._answers = self._turned_away = 0
        self._wanted_more = False
        self._began = self._clock()

    def halve(self) -> None:
        """Half as many from now on; what is under way says nothing any more."""
        self.size = max(1, self.size // 2)
        self.turn += 1
        self._doubles = False
        self._begin()


class Halvings:
    """The count of one part of a bucket, among those that processes share."""

    def __init__(self, counts: MutableSequence[int], where: str) -> None:
        self._counts, self._slot = counts, crc32(where.encode()) % len(counts)
        self._seen = counts[self._slot]

    def are_new(self) -> bool:
        """Whether somebody has halved since this was asked or told last."""
        seen, self._seen = self._seen, self._counts[self._slot]
        return seen != self._seen

    def tell(self) -> None:
        """Count a halving of this process."""
        self._seen = (self._counts[self._slot] + 1) % _MOST_COUNTED
        self._counts[self._slot] = self._seen


class Pace:
    """Lets as many requests through at once as its window says; the others wait in order.

    `where` is the part of the bucket, for the log: it says, now and then, that it is slowing down.
    `halvings` are those of other processes; None where there are no others.
    """

    def __init__(self, window: Window, where: str = "", halvings: Halvings | None = None) -> None:
        self._window, self._where, self._halvings = window, where, halvings
        self._told = -_BETWEEN_NOTICES
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._under_way = 0
        self._refused = False

    def request(self) -> Request:
        """One request: `with pace.request() as request: ...`."""
        return Request(self)

    def try_enter(self) -> int | None:
        """The turn of a place that is free now; None where there is none."""
        with self._lock:
            self._follow()
            if self._under_way < self._window.size:
                self._under_way += 1
                return self._window.turn
            self._refused = True
            return None

    def enter(self) -> int:
        """Wait for a place; the turn in which it was given."""
        with self._lock:
            self._follow()
            if self._under_way < self._window.size:
                self._under_way += 1
                return self._window.turn
            place = threading.Lock()
            place.acquire()
            self._waiting.append(place)
        place.acquire()
        return self._window.turn

    def leave(self, turn: int, *, slow_down: bool) -> None:
        """Give the place, and whatever places the window has more now, to those who wait."""
        with self._lock:
            self._follow()
            before = self._window.turn
            wanted_more = self._refused or bool(self._waiting)
            self._refused = False
            self._window.answered(turn, slow_down=slow_down, wanted_more=wanted_more)
            if self._window.turn != before:
                self._tell()
            self._under_way -= 1
            while self._waiting and self._under_way < self._window.size:
                self._under_way += 1
                self._waiting.popleft().release()

    def _follow(self) -> None:
        """Halve where another process has."""
        if self._halvings is not None and self._halvings.are_new():
            self._window.halve()

    def _tell(self) -> None:
        if self._halvings is not None:
            self._halvings.tell()
        now = time.monotonic()
        if now >= self._told + _BETWEEN_NOTICES:
            self._told = now
            _LOG.info(
                "S3 asks to slow down: %s is now read %d at a time, and more again when it allows",
                self._where,
                self._window.size,
            )


class Request:
    """A request under way. Who is turned away sets `slow_down` before it ends."""

    __slots__ = ("_pace", "_turn", "slow_down")

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.slow_down = False

    def __enter__(self) -> Request:
        self._turn = self._pace.enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pace.leave(self._turn, slow_down=self.slow_down)


class Paces:
    """The pace of every part of every bucket, at most `most` requests at once in each.

    `counts` are numbers that all processes of a run see, in which they tell of halvings.
    """

    def __init__(
        self,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        counts: MutableSequence[int] | None = None,
    ) -> None:
        self._most, self._clock, self._counts = most, clock, counts
        self._paces: dict[tuple[str, str], Pace] = {}
        self._lock = threading.Lock()

    def of(self, bucket: str, key: str) -> Pace:
        """The pace of the part that an object or a folder belongs to."""
        place = (bucket, part_of(key))
        pace = self._paces.get(place)
        if pace is None:
            with self._lock:
                window = Window(self._most, self._clock)
                where = f"s3://{bucket}/{place[1]}"
                halvings = None if self._counts is None else Halvings(self._counts, where)
                pace = self._paces.setdefault(place, Pace(window, where, halvings))
        return pace


def part_of(key: str) -> str:
    """The folder of an account's region: all before the year, or the whole folder without one."""
    dated = _DATED.search(key)
    return key[: dated.start()] if dated else key.rpartition("/")[0]
