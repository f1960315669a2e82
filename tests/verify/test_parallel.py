"""Many small reads at once: each with its result, and never more under way than asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from integrity.verify.parallel import each


def test_every_item_comes_with_its_result_once() -> None:
    with ThreadPoolExecutor(4) as executor:
        results = list(each(executor, lambda n: n * n, range(100), in_flight=7))

    assert sorted(results) == [(n, n * n) for n in range(100)]


def test_nothing_to_do_is_done_at_once() -> None:
    with ThreadPoolExecutor(1) as executor:
        assert list(each(executor, str, [], in_flight=1)) == []


def test_items_are_drawn_as_they_are_needed() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[int]:
        for number in itertools.count():
            drawn.append(number)
            yield number

    with ThreadPoolExecutor(2) as executor:
        first = list(itertools.islice(each(executor, str, endless(), in_flight=3), 5))

    assert len(first) == 5
    assert len(drawn) <= 5 + 3


def test_what_is_done_first_comes_first() -> None:
    released = Event()

    def work(name: str) -> str:
        if name == "slow":
            assert released.wait(timeout=30)
        return name

    with ThreadPoolExecutor(2) as executor:
        results = each(executor, work, ["slow", "quick"], in_flight=2)
        first = next(results)
        released.set()

        assert [first, *results] == [("quick", "quick"), ("slow", "slow")]


def test_a_fault_of_ours_ends_the_run_loudly() -> None:
    with ThreadPoolExecutor(2) as executor, pytest.raises(ZeroDivisionError):
        list(each(executor, lambda n: 1 // n, [1, 0], in_flight=2))
