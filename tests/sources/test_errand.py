"""A wish for many small objects: in any order, each item is taken or left over once."""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.model import Fetched, S3Location
from integrity.chain.wish import Wish
from integrity.sources import errand as room
from integrity.sources.errand import Errand
from tests.properties import quick

NOWHERE, REFUSED = 7, 5
"""Every so many items have no place, or are not all that is to be done."""


def locate(item: int) -> S3Location | None:
    return None if item % NOWHERE == 0 else S3Location("bucket", str(item))


class Numbers:
    """An errand of numbers, and what was taken of them."""

    def __init__(
        self, wanted: Iterator[int], take: Callable[[int, Fetched[bytes]], bool] | None = None
    ) -> None:
        self.stopping = threading.Event()
        self.taken: list[int] = []
        self.errand = Errand(
            Wish(items=wanted, locate=locate, take=take or self._take, with_metadata=False),
            self.stopping,
        )

    def _take(self, item: int, fetched: Fetched[bytes]) -> bool:
        assert fetched.location == locate(item)
        if item % REFUSED == 0:
            return False
        self.taken.append(item)
        return True

    def answer(self, item: int) -> None:
        location = locate(item)
        assert location is not None
        self.errand.answer(item, Fetched(location, b"", {}, None))

    def draw(self) -> int | None:
        drawn = self.errand.draw()
        return None if drawn is None else drawn[0]


def numbers(many: int) -> Iterator[int]:
    return iter(range(1, many + 1))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits looks often, and not for long."""
    monkeypatch.setattr(room, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(room, "_LINGER_SECONDS", 0.05)


@quick(150)
@given(
    moves=st.lists(st.integers(0, 999), min_size=1, max_size=60),
    many=st.integers(0, 30),
    most=st.integers(1, 6),
)
def test_in_whatever_order_each_item_is_taken_or_left_over_once(
    moves: list[int], many: int, most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_MOST_LEFT", most)
        wish = Numbers(numbers(many))
        under_way: list[int] = []
        left: list[int] = []
        leaving = wish.errand.left()
        for move in cycle(moves):
            waiting = wish.errand._left.qsize()
            acts = ["look"] * bool(waiting) + ["answer", "leave"] * bool(under_way)
            if wish.errand.is_open and waiting < most:
                acts.append("draw")
            elif not (wish.errand.is_open or under_way):
                break
            act = acts[move % len(acts)]
            if act == "look":
                left.append(next(leaving))
            elif act == "draw":
                item = wish.draw()
                under_way += [] if item is None else [item]
            else:
                item = under_way.pop(move % len(under_way))
                wish.answer(item) if act == "answer" else wish.errand.leave(item)
            if waiting >= most and act != "look":
                assert wish.draw() is None
        left += leaving
        assert wish.draw() is None
    assert Counter(wish.taken + left) == Counter(range(1, many + 1))
    assert {item for item in range(1, many + 1) if locate(item) is None} <= set(left)


def test_many_threads_may_draw_and_answer() -> None:
    wish = Numbers(numbers(3000))

    def pump(number: int) -> None:
        while wish.errand.is_open:
            item = wish.draw()
            if item is None:
                time.sleep(0.0005)
            elif item % 3 == number:
                wish.errand.leave(item)
            else:
                wish.answer(item)

    with ThreadPoolExecutor(4) as pool:
        pumps = [pool.submit(pump, number) for number in range(4)]
        left = list(wish.errand.left())
        for one in pumps:
            one.result()
    assert Counter(wish.taken + left) == Counter(range(1, 3001))


def test_nothing_wanted_is_nothing_left() -> None:
    wish = Numbers(numbers(0))
    assert wish.draw() is None
    assert not wish.errand.is_open
    assert list(wish.errand.left()) == []


def test_whoever_waits_waits_for_the_last_answer() -> None:
    wish = Numbers(numbers(2))
    assert (wish.draw(), wish.draw(), wish.draw()) == (1, 2, None)
    came: list[int] = []
    waiting = threading.Thread(target=lambda: came.extend(wish.errand.left()))
    waiting.start()
    wish.answer(2)
    waiting.join(0.05)
    assert waiting.is_alive()
    wish.errand.leave(1)
    waiting.join(10)
    assert not waiting.is_alive()
    assert (wish.taken, came) == ([2], [1])


@pytest.mark.parametrize("place", [None, S3Location("bucket", "key")])
def test_no_more_is_drawn_than_somebody_looks_at(place: S3Location | None) -> None:
    drawn = count(1)
    wish = Errand(
        Wish(items=drawn, locate=lambda _: place, take=lambda *_: False, with_metadata=True),
        threading.Event(),
    )
    while (item := wish.draw()) is not None:
        wish.leave(item[0])
    assert next(drawn) == 257
    leaving = wish.left()
    assert list(islice(leaving, 10)) == list(range(1, 11))
    while (item := wish.draw()) is not None:
        wish.leave(item[0])
    assert next(drawn) == 268
    assert wish.is_open


# Breaking


def test_what_breaks_in_taking_breaks_whoever_fetches() -> None:
    def take(item: int, fetched: Fetched[bytes]) -> bool:
        raise KeyError(item, fetched.location)

    wish = Numbers(numbers(3), take)
    assert wish.draw() == 1
    with pytest.raises(KeyError):
        wish.answer(1)


def test_whoever_fetches_breaks_whoever_waits() -> None:
    wish = Numbers(numbers(3))
    assert wish.draw() == 1
    wish.errand.leave(1)
    wish.errand.fail(KeyError("a bug"))
    leaving = wish.errand.left()
    assert next(leaving) == 1
    with pytest.raises(KeyError, match="a bug"):
        next(leaving)


@pytest.mark.usefixtures("hasty")
def test_what_breaks_in_drawing_ends_nothing_quietly() -> None:
    def wanted() -> Iterator[int]:
        yield 1
        raise KeyError("a bug")

    wish = Numbers(wanted())
    assert wish.draw() == 1
    with pytest.raises(KeyError):
        wish.draw()
    wish.errand.leave(1)
    leaving = wish.errand.left()
    assert next(leaving) == 1
    assert wish.errand._left.empty()  # no end: whoever fetched says what happened


# Stopping


def test_once_all_is_to_stop_nothing_is_drawn() -> None:
    wish = Numbers(numbers(10))
    assert wish.draw() == 1
    wish.errand.leave(1)
    wish.stopping.set()
    assert wish.draw() is None
    assert not wish.errand.is_open
    assert list(wish.errand.left()) == [1]


@pytest.mark.usefixtures("hasty")
def test_what_is_under_way_is_waited_for() -> None:
    wish = Numbers(numbers(10))
    assert (wish.draw(), wish.draw()) == (1, 2)
    wish.stopping.set()
    assert wish.draw() is None

    def answer() -> None:
        wish.answer(1)
        wish.errand.leave(2)

    later = threading.Timer(0.02, answer)
    later.start()
    assert list(wish.errand.left()) == [2]
    later.join()
    assert wish.taken == [1]


@pytest.mark.usefixtures("hasty")
def test_what_hangs_is_not_waited_for_for_long() -> None:
    wish = Numbers(numbers(10))
    assert wish.draw() == 1
    wish.stopping.set()
    began = time.monotonic()
    assert list(wish.errand.left()) == []
    assert 0.04 < time.monotonic() - began < 5


@pytest.mark.usefixtures("hasty")
def test_before_it_is_to_stop_whoever_waits_waits() -> None:
    wish = Numbers(numbers(1))
    assert wish.draw() == 1
    waiting = threading.Thread(target=lambda: list(wish.errand.left()))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    wish.stopping.set()
    waiting.join(10)
    assert not waiting.is_alive()


class Body:
    """What can be watched, as bytes cannot."""


def test_what_was_taken_is_let_go() -> None:
    body = Body()
    gone = weakref.ref(body)
    place = S3Location("bucket", "1")
    wish = Errand(
        Wish(items=numbers(1), locate=locate, take=lambda *_: True, with_metadata=False),
        threading.Event(),
    )
    assert wish.draw() == (1, place)
    wish.answer(1, Fetched(place, body, {}, None))  # type: ignore[arg-type]
    del body
    assert gone() is None
