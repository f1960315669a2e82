"""The pace of requests: a window that grows and grows, and shrinks when S3 says so."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, MutableSequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrity.sources.throttle import Halvings, Pace, Paces, Window, part_of

LATENCY = 0.030


class Service:
    """An S3 that answers a window full of requests at a time, on a clock of its own."""

    def __init__(self, most: int, *, slots: int = 10**6, refuse: Callable[[int], bool]) -> None:
        self.now = 0.0
        self.window = Window(most, lambda: self.now)
        self.good = 0
        self._slots, self._refuse = slots, refuse

    def serve(self, rounds: int, *, waiting: bool = True) -> None:
        """`rounds` times, everybody asks and is answered, later where there are too few slots."""
        for _ in range(rounds):
            size, turn = self.window.size, self.window.turn
            self.now += LATENCY * max(1.0, size / self._slots)
            for _ in range(size):
                slow_down = self._refuse(size)
                self.good += not slow_down
                self.window.answered(turn, slow_down=slow_down, wanted_more=waiting)


def never(_: int) -> bool:
    return False


class TestWindow:
    def test_doubles_each_round_up_to_the_most(self) -> None:
        service = Service(200, refuse=never)
        assert service.window.size == 32
        sizes = []
        for _ in range(5):
            service.serve(1)
            sizes.append(service.window.size)
        assert sizes == [64, 128, 200, 200, 200]

    @pytest.mark.parametrize("most", [1, 4, 32])
    def test_is_never_more_than_the_most(self, most: int) -> None:
        service = Service(most, refuse=never)
        service.serve(20)
        assert service.window.size == most

    def test_keeps_doubling_where_it_does_not_help(self) -> None:
        service = Service(1024, slots=64, refuse=never)
        sizes = []
        for _ in range(6):
            service.serve(1)
            sizes.append(service.window.size)
        assert sizes == [64, 128, 256, 512, 1024, 1024]

    def test_a_round_that_is_too_short_says_nothing(self) -> None:
        now = [0.0]
        window = Window(64, lambda: now[0])
        for _ in range(100):
            window.answered(0, slow_down=False, wanted_more=True)
        assert window.size == 32
        now[0] = 0.02
        window.answered(0, slow_down=False, wanted_more=True)
        assert window.size == 64

    def test_does_not_grow_where_nobody_waits(self) -> None:
        service = Service(1024, refuse=never)
        service.serve(50, waiting=False)
        assert service.window.size == 32

    def test_halves_once_for_all_that_were_asked_together(self) -> None:
        service = Service(64, refuse=lambda _: True)
        service.serve(1)
        assert (service.window.size, service.window.turn) == (16, 1)

    def test_halves_down_to_one_and_recovers_by_one_a_round(self) -> None:
        refuse = [True]
        service = Service(64, refuse=lambda _: refuse[0])
        service.serve(100)
        assert service.window.size == 1
        refuse[0] = False
        service.serve(40)
        assert 30 <= service.window.size <= 41

    def test_settles_around_what_is_served(self) -> None:
        service = Service(512, refuse=lambda size: size > 100)
        service.serve(400)
        sizes = []
        for _ in range(200):
            service.serve(1)
            sizes.append(service.window.size)
        assert max(sizes) <= 110
        assert min(sizes) >= 45

    def test_one_in_twenty_turned_away_costs_little(self) -> None:
        chance = random.Random(7)
        troubled = Service(64, refuse=lambda _: chance.random() < 0.05)
        troubled.serve(1000)
        calm = Service(64, refuse=never)
        calm.serve(1000)
        assert troubled.good / troubled.now > 0.85 * calm.good / calm.now


class TestPace:
    def test_lets_no_more_through_than_the_window_says_and_all_of_them_in_the_end(self) -> None:
        pace = Pace(Window(8, lambda: 0.0))
        lock = threading.Lock()
        under_way = most = 0

        def ask(number: int) -> int:
            nonlocal under_way, most
            with pace.request():
                with lock:
                    under_way += 1
                    most = max(most, under_way)
                threading.Event().wait(0.0005)
                with lock:
                    under_way -= 1
            return number

        with ThreadPoolExecutor(32) as pool:
            assert sorted(pool.map(ask, range(400))) == list(range(400))
        assert most == 8

    def test_gives_its_place_back_when_the_request_fails(self) -> None:
        pace = Pace(Window(1, lambda: 0.0))
        with pytest.raises(KeyError), pace.request():
            raise KeyError
        with pace.request():
            pass

    def test_who_is_turned_away_is_told_by_the_request(self) -> None:
        window = Window(64, lambda: 0.0)
        pace = Pace(window)
        for _ in range(7):
            with pace.request() as request:
                request.slow_down = True
        assert window.size == 16

    def test_a_free_place_is_taken_at_once_or_not_at_all(self) -> None:
        pace = Pace(Window(2, lambda: 0.0))
        turns = [pace.try_enter() for _ in range(3)]
        assert turns == [0, 0, None]
        pace.leave(0, slow_down=False)
        assert pace.try_enter() == 0
        assert pace.try_enter() is None

    def test_a_try_takes_the_place_that_the_window_has_now(self) -> None:
        window = Window(64, lambda: 0.0)
        pace = Pace(window)
        turns = [pace.try_enter() for _ in range(32)]
        assert None not in turns
        for _ in range(7):
            pace.leave(0, slow_down=True)
        assert (window.size, window.turn) == (16, 1)
        assert pace.try_enter() is None  # 25 are still under way
        for _ in range(10):
            pace.leave(0, slow_down=False)
        assert (pace.try_enter(), pace.try_enter()) == (1, None)

    def test_whoever_waits_gets_the_place_that_was_tried_for_in_vain(self) -> None:
        pace = Pace(Window(1, lambda: 0.0))
        assert pace.try_enter() == 0
        entered = threading.Event()

        def wait() -> None:
            pace.enter()
            entered.set()

        thread = threading.Thread(target=wait)
        thread.start()
        while not pace._waiting:
            threading.Event().wait(0.001)
        pace.leave(0, slow_down=False)
        thread.join(10)
        assert entered.is_set()
        assert pace.try_enter() is None

    @pytest.mark.parametrize(("tries", "size"), [(32, 32), (33, 64)])
    def test_a_try_in_vain_wants_more(self, tries: int, size: int) -> None:
        now = [0.0]
        window = Window(64, lambda: now[0])
        pace = Pace(window)
        turns = [pace.try_enter() for _ in range(tries)]
        now[0] = 1.0
        for turn in turns:
            if turn is not None:
                pace.leave(turn, slow_down=False)
        assert window.size == size

    def test_a_try_in_vain_wants_more_once(self) -> None:
        now = [0.0]
        window = Window(128, lambda: now[0])
        pace = Pace(window)
        turns = [pace.try_enter() for _ in range(33)]
        for _ in range(2):
            now[0] += 1.0
            for _ in range(window.size):
                pace.leave(0, slow_down=False)
        assert turns[-1] is None
        assert window.size == 64

    def test_a_try_follows_a_halving_of_another_process(self) -> None:
        counts = [0] * 64
        window = Window(64, lambda: 0.0)
        pace = Pace(window, halvings=Halvings(counts, "here"))
        assert pace.try_enter() == 0
        Halvings(counts, "here").tell()
        assert pace.try_enter() == 1
        assert window.size == 16

    def test_a_smaller_window_lets_nobody_in_until_enough_have_left(self) -> None:
        window = Window(2, lambda: 0.0)
        pace = Pace(window)
        first, second = pace.enter(), pace.enter()
        entered = threading.Event()

        def third() -> None:
            pace.enter()
            entered.set()

        thread = threading.Thread(target=third)
        thread.start()
        window.size = 1
        pace.leave(first, slow_down=False)
        assert not entered.wait(0.05)
        pace.leave(second, slow_down=False)
        thread.join(10)
        assert entered.is_set()


class TestPaces:
    def test_an_accounts_region_has_one_pace(self) -> None:
        paces = Paces(8)
        folder = "AWSLogs/111122223333/CloudTrail/us-east-1/"
        one = paces.of("bucket", folder + "2026/03/01/a.json.gz")
        assert paces.of("bucket", folder + "2026/04/01/b.json.gz") is one
        assert paces.of("bucket", folder) is one
        assert paces.of("bucket", folder + "2026/") is one
        assert paces.of("bucket", folder.replace("us-east-1", "eu-west-1")) is not one
        assert paces.of("other", folder) is not one

    @pytest.mark.parametrize(
        ("key", "part"), [("a", ""), ("a/b/c", "a/b"), ("a/b/", "a/b"), ("", ""), ("/2026/x", "")]
    )
    def test_a_key_without_a_year_belongs_to_its_folder(self, key: str, part: str) -> None:
        assert part_of(key) == part


FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/"


def turned_away(counts: MutableSequence[int], *, is_killed: bool) -> None:
    """What a process does whose requests S3 turns away until it halves, once."""
    pace = Paces(64, counts=counts).of("bucket", FOLDER)
    for _ in range(7):
        with pace.request() as request:
            request.slow_down = True
    pace.enter()
    if is_killed:
        os.kill(os.getpid(), signal.SIGKILL)


class TestSharing:
    @pytest.fixture
    def counts(self) -> MutableSequence[int]:
        counts: MutableSequence[int] = multiprocessing.get_context("spawn").RawArray("L", 64)
        return counts

    @pytest.mark.parametrize("is_killed", [False, True])
    def test_what_slows_one_process_down_slows_the_others_down(
        self, counts: MutableSequence[int], *, is_killed: bool
    ) -> None:
        window = Window(64, lambda: 0.0)
        pace = Pace(window, halvings=Halvings(counts, "s3://bucket/" + FOLDER[:-1]))
        process = multiprocessing.get_context("spawn").Process(
            target=turned_away, args=(counts,), kwargs={"is_killed": is_killed}
        )
        process.start()
        process.join(60)
        assert process.exitcode == (-signal.SIGKILL if is_killed else 0)

        for _ in range(3):
            with pace.request():
                assert window.size == 16  # once, however often it looks
        assert sum(counts) == 1  # who follows does not tell

    def test_another_part_of_the_bucket_goes_on(self, counts: MutableSequence[int]) -> None:
        window = Window(64, lambda: 0.0)
        pace = Pace(window, halvings=Halvings(counts, "s3://bucket/AWSLogs/elsewhere"))
        turned_away(counts, is_killed=False)
        with pace.request():
            assert window.size == 32

    def test_ones_own_halving_is_told_and_not_followed(self, counts: MutableSequence[int]) -> None:
        window = Window(64, lambda: 0.0)
        pace = Pace(window, halvings=Halvings(counts, "here"))
        for _ in range(7):
            with pace.request() as request:
                request.slow_down = True
        with pace.request():
            assert (window.size, sum(counts)) == (16, 1)

    def test_who_comes_later_begins_anew(self, counts: MutableSequence[int]) -> None:
        turned_away(counts, is_killed=False)
        window = Window(64, lambda: 0.0)
        with Pace(window, halvings=Halvings(counts, "s3://bucket/" + FOLDER[:-1])).request():
            assert window.size == 32

    def test_a_count_that_is_full_begins_again(self, counts: MutableSequence[int]) -> None:
        counts[:] = [2**32 - 1] * len(counts)
        one, other = Halvings(counts, "here"), Halvings(counts, "here")
        one.tell()
        assert (one.are_new(), other.are_new(), other.are_new()) == (False, True, False)
