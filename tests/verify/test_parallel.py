"""Many small reads at once: each with its result, and never more under way than asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from integrity.verify.parallel import each, each_small

GOING_ON = Event()


def test_every_item_comes_with_its_result_once() -> None:
    with ThreadPoolExecutor(4) as executor:
        results = list(each(executor, lambda n: n * n, range(100), in_flight=7, stopping=GOING_ON))

    assert sorted(results) == [(n, n * n) for n in range(100)]


def test_nothing_to_do_is_done_at_once() -> None:
    with ThreadPoolExecutor(1) as executor:
        assert list(each(executor, str, [], in_flight=1, stopping=GOING_ON)) == []


def test_items_are_drawn_as_they_are_needed() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[int]:
        for number in itertools.count():
            drawn.append(number)
            yield number

    with ThreadPoolExecutor(2) as executor:
        first = list(
            itertools.islice(each(executor, str, endless(), in_flight=3, stopping=GOING_ON), 5)
        )

    assert len(first) == 5
    assert len(drawn) <= 5 + 3


def test_what_is_done_first_comes_first() -> None:
    released = Event()

    def work(name: str) -> str:
        if name == "slow":
            assert released.wait(timeout=30)
        return name

    with ThreadPoolExecutor(2) as executor:
        results = each(executor, work, ["slow", "quick"], in_flight=2, stopping=GOING_ON)
        first = next(results)
        released.set()

        assert [first, *results] == [("quick", "quick"), ("slow", "slow")]


def test_a_fault_of_ours_ends_the_run_loudly() -> None:
    with ThreadPoolExecutor(2) as executor, pytest.raises(ZeroDivisionError):
        list(each(executor, lambda n: 1 // n, [1, 0], in_flight=2, stopping=GOING_ON))


# Stopping


def test_once_it_is_to_stop_nothing_more_is_begun() -> None:
    stopping, begun = Event(), list[int]()

    def work(number: int) -> int:
        begun.append(number)
        if number == 2:
            stopping.set()
        return number

    with ThreadPoolExecutor(1) as executor:
        results = list(each(executor, work, itertools.count(), in_flight=1, stopping=stopping))

    assert results == [(0, 0), (1, 1), (2, 2)]
    assert begun == [0, 1, 2]


@pytest.mark.parametrize("in_flight", [1, 2])
def test_what_is_under_way_is_not_waited_for_without_end(in_flight: int) -> None:
    released = Event()
    stopping_later = iter([False, True])

    class Soon:
        """Set once the first item was begun."""

        def is_set(self) -> bool:
            return next(stopping_later, True)

    with ThreadPoolExecutor(1) as executor:
        results = list(
            each(
                executor,
                lambda _: released.wait(timeout=30),
                ["hangs", "never begun"],
                in_flight=in_flight,
                stopping=Soon(),
                linger=0.5,
            )
        )
        released.set()

    assert results == []


# Small work, which threads draw by themselves


def test_small_items_come_with_their_results_once() -> None:
    with ThreadPoolExecutor(4) as executor:
        items = iter(range(1000))
        results = list(each_small(executor, lambda n: n * n, items, in_flight=7, stopping=GOING_ON))

    assert sorted(results) == [(n, n * n) for n in range(1000)]


def test_a_thread_that_has_had_its_turn_lets_others_have_its_place() -> None:
    done: list[str] = []

    def work(name: str) -> str:
        done.append(name)
        return name

    with ThreadPoolExecutor(1) as executor:
        results = each_small(
            executor, work, itertools.repeat("small"), in_flight=1, stopping=GOING_ON
        )
        next(results)
        executor.submit(work, "other").result(timeout=30)

    assert done.index("other") < 100


def test_of_small_items_nothing_more_is_begun_either() -> None:
    stopping, begun = Event(), list[int]()

    def work(number: int) -> int:
        begun.append(number)
        if number == 2:
            stopping.set()
        return number

    with ThreadPoolExecutor(1) as executor:
        numbers = itertools.count()
        results = list(each_small(executor, work, numbers, in_flight=1, stopping=stopping))

    assert results == [(0, 0), (1, 1), (2, 2)]
    assert begun == [0, 1, 2]


def test_a_fault_in_small_work_ends_the_run_loudly() -> None:
    with ThreadPoolExecutor(2) as executor, pytest.raises(ZeroDivisionError):
        list(each_small(executor, lambda n: 1 // n, [1, 0], in_flight=2, stopping=GOING_ON))
