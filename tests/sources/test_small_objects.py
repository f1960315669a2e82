"""Many small objects of S3 at once: each is taken or left over, whatever goes wrong with it."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import botocore.session
import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.model import Absent, Fetched, S3Location
from integrity.chain.wish import Wish
from integrity.lab.faults import Fault
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources import errand, throttle
from integrity.sources.fast_bucket import FastBucket
from integrity.sources.fast_get import MOST_BYTES
from integrity.sources.s3 import S3Source
from integrity.verify.ports import SmallObjects
from tests.sources.wire import Answer, Asked, wire

BUCKET = "trail-logs"
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/"
WHEN = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
NEVER = threading.Event()


def put(world: World, names: Iterable[str], **more: Any) -> list[str]:
    """Objects of these names in a folder of CloudTrail's; their keys."""
    keys = [FOLDER + name for name in names]
    for key in keys:
        world.objects[BUCKET, key] = replace(StoredObject(key.encode(), WHEN), **more)
    return keys


def numbered(many: int) -> list[str]:
    return [f"{number:04}.json.gz" for number in range(many)]


def place(key: str) -> S3Location | None:
    return S3Location(BUCKET, key) if key else None


class Taking:
    """Takes everything, and remembers it."""

    def __init__(self) -> None:
        self.taken: list[Fetched[bytes]] = []

    def __call__(self, key: str, fetched: Fetched[bytes]) -> bool:
        assert fetched.location.key == key
        self.taken.append(fetched)
        return True

    @property
    def keys(self) -> list[str]:
        return [one.location.key for one in self.taken]


Take = Callable[[str, Fetched[bytes]], bool]


def left_of(
    source: S3Source,
    keys: Iterable[str],
    take: Take,
    *,
    stopping: threading.Event = NEVER,
    locate: Callable[[str], S3Location | None] = place,
    with_metadata: bool = False,
) -> list[str]:
    """What is left over."""
    wish = Wish(items=keys, locate=locate, take=take, with_metadata=with_metadata)
    return list(source.fetch_small(wish, stopping))


def soon(holds: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether it holds before long."""
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.005)
    return holds()


def is_at_rest(source: S3Source) -> bool:
    """Whether no thread is busy and every place of the pace is free."""
    pumps, pace = source._pumps, source._paces.of(BUCKET, FOLDER)
    return len(pumps._idle) == pumps._threads._max_workers and pace._under_way == 0


@pytest.fixture
def source(aws: Aws) -> Iterator[S3Source]:
    source = S3Source(aws)
    source.open_ahead(BUCKET)
    yield source
    assert soon(lambda: is_at_rest(source))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits looks often, and not for long."""
    monkeypatch.setattr(errand, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(errand, "_LINGER_SECONDS", 0.1)


def test_the_source_gives_small_objects(source: S3Source) -> None:
    assert isinstance(source, SmallObjects)


def test_all_that_is_there_is_taken_once(source: S3Source, world: World, lab: LabServer) -> None:
    keys = put(world, numbered(300))
    take = Taking()
    assert left_of(source, keys, take) == []
    assert sorted(take.keys) == keys
    for fetched in take.taken:
        key = fetched.location.key
        assert fetched == Fetched(place(key), key.encode(), {}, None, None, len(key))  # type: ignore[arg-type]
    assert lab.requests.by_operation == {"HeadBucket": 1, "GetObject": 300}


def test_with_metadata_it_is_what_a_fetch_gives(source: S3Source, world: World) -> None:
    (key,) = put(world, ["a"], metadata={"Signature": "ab12"})
    take = Taking()
    assert left_of(source, [key], take, with_metadata=True) == []
    location = S3Location(BUCKET, key)
    assert take.taken == [source.fetch(location, lambda pieces: b"".join(pieces))]
    assert take.taken[0].metadata == {"signature": "ab12"}
    assert take.taken[0].last_modified == WHEN


def test_nothing_wanted_is_nothing_asked(source: S3Source, lab: LabServer) -> None:
    assert left_of(source, [], Taking()) == []
    assert lab.requests.by_operation["GetObject"] == 0


# Left over


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault("deny"),
        Fault("throttle"),
        Fault("error"),
        Fault("reset"),
        Fault("archive"),
        Fault("kms"),
        Fault("expire"),
        Fault("cut-short", size=5),
    ],
    ids=lambda fault: fault.do if fault else "absent",
)
def test_what_is_refused_is_left_over_and_nothing_else(
    source: S3Source, world: World, lab: LabServer, fault: Fault | None
) -> None:
    names = numbered(40)
    keys = put(world, names)
    bad = [key for number, key in enumerate(keys) if number % 8 == 5]
    if fault is None:
        for key in bad:
            del world.objects[BUCKET, key]
    else:
        lab.faults += [replace(fault, operation="GetObject", key=key) for key in bad]
    take = Taking()
    assert sorted(left_of(source, keys, take)) == bad
    assert sorted(take.keys + bad) == keys
    # Where a connection that was kept is reset, libcurl asks again through a new one by itself.
    most = 6 if fault is not None and fault.do == "reset" else 1
    assert max(lab.requests.by_key.values()) <= most


def test_what_is_too_large_or_cannot_be_asked_for_is_left_over(
    source: S3Source, world: World, lab: LabServer
) -> None:
    (large,) = put(world, ["large"], body=bytes(MOST_BYTES + 1))
    good = put(world, ["good", "with space", "a//b", "ü?x=1#", "end/"])
    bad = ["", large, f"{FOLDER}./a", f"{FOLDER}../a", "..", "x" * 1025, "lone \ud800 surrogate"]
    take = Taking()
    assert sorted(left_of(source, [*bad, *good, *bad], take)) == sorted(bad * 2)
    assert sorted(take.keys) == sorted(good)
    assert lab.requests.by_operation["GetObject"] == len(good) + 2


def test_a_bucket_that_nobody_has_opened_is_left_to_who_has_patience(
    aws: Aws, world: World, lab: LabServer
) -> None:
    keys = put(world, numbered(3))
    source = S3Source(aws)
    assert sorted(left_of(source, keys, Taking())) == keys
    assert lab.requests.total == 0
    assert isinstance(source.fetch(S3Location(BUCKET, keys[0]), list), Fetched)
    take = Taking()
    assert left_of(source, keys, take) == []
    assert sorted(take.keys) == keys


def test_what_is_not_all_there_is_to_do_is_left_over(source: S3Source, world: World) -> None:
    keys = put(world, numbered(30))
    left = left_of(source, keys, lambda key, _: int(key[-12:-8]) % 3 > 0)
    assert sorted(left) == keys[::3]


def test_what_was_refused_is_not_asked_the_same_way_again(source: S3Source, lab: LabServer) -> None:
    key = FOLDER + "gone"
    for _ in range(2):
        assert left_of(source, [key], Taking()) == [key]
        location = S3Location(BUCKET, key)
        assert source.fetch(location, list) == Absent(location)
    assert lab.requests.by_key["GetObject", key] == 4


def test_where_libcurl_only_fails_all_is_left_over(
    source: S3Source, world: World, lab: LabServer
) -> None:
    keys = put(world, numbered(5))
    fast = source._buckets.opened_fast(BUCKET)
    assert fast is not None
    for _ in range(16):
        fast.note_failure()
    assert sorted(left_of(source, keys, Taking())) == keys
    assert lab.requests.by_operation["GetObject"] == 0


@pytest.mark.parametrize("swiftly", [True, False])
def test_libcurl_is_not_given_up_for_what_is_too_large_for_it(
    source: S3Source, world: World, lab: LabServer, *, swiftly: bool
) -> None:
    keys = put(world, numbered(17), body=bytes(MOST_BYTES + 1))
    if swiftly:
        assert sorted(left_of(source, keys, Taking())) == keys
    for key in keys:
        fetched = source.fetch(S3Location(BUCKET, key), lambda pieces: sum(map(len, pieces)))
        assert isinstance(fetched, Fetched)
        assert fetched.content == MOST_BYTES + 1
    assert set(lab.requests.by_key.values()) == {2}  # once each: libcurl, then botocore
    (small,) = put(world, ["small"])
    assert left_of(source, [small], Taking()) == []


@pytest.mark.parametrize("wait", [0.0, 0.15])
def test_what_is_left_over_does_not_pile_up(source: S3Source, lab: LabServer, wait: float) -> None:
    keys = [FOLDER + name for name in numbered(700)]
    left = source.fetch_small(
        Wish(items=keys, locate=place, take=Taking(), with_metadata=False), NEVER
    )
    first = next(left)
    time.sleep(wait)
    # One that was looked at, and those that came while as many were under way.
    assert lab.requests.by_operation["GetObject"] <= 256 + 2 * 64 + 1
    assert Counter([first, *left]) == Counter(keys)
    assert lab.requests.by_operation["GetObject"] == 700


def test_whoever_is_gone_without_a_word_keeps_no_thread(source: S3Source, world: World) -> None:
    stopping = threading.Event()
    wish = Wish(
        items=["", *put(world, numbered(30))], locate=place, take=Taking(), with_metadata=False
    )
    with closing(source.fetch_small(wish, stopping)) as left:  # type: ignore[type-var]
        assert next(left) == ""
        stopping.set()
        assert soon(lambda: is_at_rest(source))
        assert list(left) == []


# Breaking


def test_what_breaks_in_taking_comes_out_and_the_next_errand_is_done(
    source: S3Source, world: World
) -> None:
    keys = put(world, numbered(200))

    def take(key: str, _: Fetched[bytes]) -> bool:
        if key == keys[60]:
            raise KeyError("a bug")
        return True

    for _ in range(3):
        with pytest.raises(KeyError, match="a bug"):
            left_of(source, keys, take)
        assert soon(lambda: is_at_rest(source))
    taking = Taking()
    assert left_of(source, keys, taking) == []
    assert sorted(taking.keys) == keys


def test_what_breaks_in_drawing_or_locating_comes_out(source: S3Source, world: World) -> None:
    keys = put(world, numbered(20))

    def wanted() -> Iterator[str]:
        yield from keys
        raise KeyError("drawn")

    def locate(_: str) -> S3Location | None:
        raise KeyError("located")

    with pytest.raises(KeyError, match="drawn"):
        left_of(source, wanted(), Taking())
    assert soon(lambda: is_at_rest(source))
    with pytest.raises(KeyError, match="located"):
        left_of(source, keys, Taking(), locate=locate)
    assert soon(lambda: is_at_rest(source))
    take = Taking()
    assert left_of(source, keys, take) == []
    assert len(take.taken) == 20


# Stopping


def test_once_all_is_to_stop_nothing_is_begun(
    source: S3Source, world: World, lab: LabServer
) -> None:
    stopping = threading.Event()
    stopping.set()
    assert left_of(source, put(world, numbered(9)), Taking(), stopping=stopping) == []
    assert lab.requests.by_operation["GetObject"] == 0


@pytest.mark.usefixtures("hasty")
def test_a_request_that_hangs_does_not_hold_up_a_stop(
    source: S3Source, world: World, lab: LabServer
) -> None:
    keys = put(world, numbered(400))
    lab.faults.append(Fault("delay", key=keys[20], seconds=1.5))
    stopping, take = threading.Event(), Taking()

    def until(key: str, fetched: Fetched[bytes]) -> bool:
        if len(take.taken) > 30:
            stopping.set()
        return take(key, fetched)

    began = time.monotonic()
    assert left_of(source, keys, until, stopping=stopping) == []
    assert time.monotonic() - began < 1.2
    assert soon(lambda: is_at_rest(source), 1)
    assert 30 < len(take.taken) < 300
    assert keys[20] not in take.keys
    assert lab.requests.by_operation["GetObject"] < 300
    asked = lab.requests.total
    time.sleep(0.1)
    assert lab.requests.total == asked


def test_whoever_goes_away_early_is_not_worked_for(
    source: S3Source, world: World, lab: LabServer
) -> None:
    def take(_: str, __: Fetched[bytes]) -> bool:
        time.sleep(0.001)
        return False

    keys = put(world, numbered(400))
    wish = Wish(items=keys, locate=place, take=take, with_metadata=False)
    with closing(source.fetch_small(wish, NEVER)) as left:  # type: ignore[type-var]
        next(left)
    assert soon(lambda: is_at_rest(source))
    assert lab.requests.by_operation["GetObject"] < 300


def test_the_threads_end_with_their_source(aws: Aws, world: World, lab: LabServer) -> None:
    source = S3Source(aws)
    source.open_ahead(BUCKET)
    assert left_of(source, put(world, numbered(20)), Taking()) == []
    threads = list(source._pumps._threads._threads)
    assert all(one.is_alive() for one in threads)
    assert soon(partial(is_at_rest, source))
    del source
    gc.collect()
    assert soon(lambda: not any(one.is_alive() for one in threads))
    assert lab.endpoint


def test_threads_that_wait_are_not_busy(source: S3Source, world: World, lab: LabServer) -> None:
    keys = put(world, numbered(2))
    lab.faults.append(Fault("delay", key=keys[0], seconds=0.6))
    took: list[float] = []

    def watch() -> None:
        time.sleep(0.1)
        began = time.process_time()
        time.sleep(0.4)
        took.append(time.process_time() - began)

    watching = threading.Thread(target=watch)
    watching.start()
    assert left_of(source, keys, Taking()) == []
    watching.join()
    assert took[0] < 0.1


# Pace


@contextmanager
def slow_server(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> Iterator[tuple[Callable[..., S3Source], list[int], list[str]]]:
    """Opens sources of a server that takes its time; how many were answered at once, and what."""
    lock, at_once, paths = threading.Lock(), [0], list[str]()

    def script(asked: Asked) -> Answer:
        if asked.method == "HEAD":
            return Answer(headers={"x-amz-bucket-region": "us-east-1"})
        with lock:
            at_once.append(at_once[-1] + 1)
        time.sleep(seconds)
        with lock:
            at_once.append(at_once[-1] - 1)
            paths.append(asked.path)
        return Answer(200, b"hello")

    def opened(**asked: Any) -> S3Source:
        source = S3Source(AwsRecipe(region="us-east-1", **asked).open())
        source.open_ahead(BUCKET)
        return source

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with wire(script) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.endpoint)
        yield opened, at_once, paths


@pytest.mark.parametrize(("first", "most", "at_once"), [(5, 64, 5), (32, 8, 8)])
def test_no_more_are_under_way_than_the_pace_allows(
    monkeypatch: pytest.MonkeyPatch, first: int, most: int, at_once: int
) -> None:
    monkeypatch.setattr(throttle, "_FIRST", first)
    monkeypatch.setattr(throttle, "_ROUND_SECONDS", 1e9)
    with slow_server(monkeypatch, 0.005) as (opened, seen, _):
        take = Taking()
        source = opened(max_connections=most)
        assert left_of(source, [FOLDER + name for name in numbered(100)], take) == []
    assert len(take.taken) == 100
    assert max(seen) <= at_once
    assert max(seen) > at_once // 2


def test_who_wants_more_than_the_pace_allows_makes_it_grow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(throttle, "_FIRST", 2)
    with slow_server(monkeypatch, 0.02) as (opened, _, _):
        source = opened(max_connections=16)
        assert left_of(source, [FOLDER + name for name in numbered(100)], Taking()) == []
        assert source._paces.of(BUCKET, FOLDER)._window.size == 16


def test_slow_down_halves_the_pace(source: S3Source, world: World, lab: LabServer) -> None:
    keys = put(world, numbered(100))
    lab.faults.append(Fault("throttle", operation="GetObject"))
    assert sorted(left_of(source, keys, Taking())) == keys
    window = source._paces.of(BUCKET, FOLDER)._window
    assert window.size <= 16
    assert window.turn >= 1


def test_two_errands_at_once_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_FIRST", 4)
    with slow_server(monkeypatch, 0.004) as (opened, _, paths):
        source = opened(max_connections=4)
        long = [FOLDER + f"long-{name}" for name in numbered(600)]
        short = [FOLDER + f"short-{name}" for name in numbered(40)]
        stopping = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(lambda: left_of(source, long, Taking(), stopping=stopping))
            assert soon(lambda: len(paths) > 10)
            before = len(paths)
            assert left_of(source, short, Taking()) == []
            of_long = sum("long-" in path for path in paths[before:])
            stopping.set()
            first.result()
    assert 10 <= of_long <= 120


# Renewal and memory


def test_after_credentials_were_renewed_the_new_bucket_is_asked(
    source: S3Source, aws: Aws, world: World, lab: LabServer
) -> None:
    keys = put(world, numbered(60))
    take = Taking()
    assert left_of(source, keys[:20], take) == []
    lab.faults.append(Fault("expire", access_key=lab.environment["AWS_ACCESS_KEY_ID"]))
    aws.session = botocore.session.Session()
    aws.session.set_credentials("AKIALABX999900001111", "lab")
    aws.generation, aws._clients = 1, {}
    assert sorted(left_of(source, keys[20:40], take)) == keys[20:40]
    assert lab.faults[0].seen == 0
    source.open_ahead(BUCKET)
    assert left_of(source, keys[20:], take) == []
    assert sorted(take.keys) == keys
    assert lab.faults[0].seen == 0


class Watched:
    """What can be watched, as bytes cannot."""


def test_what_was_taken_is_let_go(
    source: S3Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, bodies, most = FastBucket.end, list[weakref.ref[Watched]](), [0]

    def end(self: FastBucket, *asked: Any) -> Any:
        fetched = whole(self, *asked)
        assert isinstance(fetched, Fetched)
        body = Watched()
        bodies.append(weakref.ref(body))
        return fetched.read_as(body)

    def take(_: str, __: Fetched[bytes]) -> bool:
        most[0] = max(most[0], sum(one() is not None for one in bodies))
        return True

    monkeypatch.setattr(FastBucket, "end", end)
    keys = put(world, numbered(300))
    assert left_of(source, keys, take) == []
    assert len(bodies) == 300
    assert most[0] <= 64
    assert soon(lambda: is_at_rest(source))
    assert [one for one in bodies if one() is not None] == []


class Item:
    """A wish that can be watched."""


@pytest.mark.usefixtures("hasty")
def test_who_was_stopped_is_let_go(
    source: S3Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what had been drawn, and waited for a place of the pace."""
    (key,) = put(world, ["a"])
    pace = source._paces.of(BUCKET, FOLDER)
    monkeypatch.setattr(pace._window, "size", 0)
    stopping, items = threading.Event(), [Item() for _ in range(5)]
    watched = [weakref.ref(item) for item in items]
    wish = Wish(
        items=iter(items), locate=lambda _: place(key), take=lambda *_: True, with_metadata=False
    )
    left = source.fetch_small(wish, stopping)
    threading.Timer(0.1, stopping.set).start()
    assert list(left) == []
    del left, wish, items
    assert soon(lambda: is_at_rest(source))
    assert [one for one in watched if one() is not None] == []
