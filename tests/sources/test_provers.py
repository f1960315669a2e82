"""Processes that prove objects beside each other: nothing is lost or proven that is not so."""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, MutableSequence
from datetime import UTC, datetime
from multiprocessing import active_children

import pytest
from msgspec import Struct

from integrity.aws.session import Aws
from integrity.chain.content import read_member
from integrity.chain.limits import MIB
from integrity.chain.model import Fetched, S3Location
from integrity.chain.wish import Proof, Wish
from integrity.errors import UsageError
from integrity.lab.faults import Fault
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources import provers
from integrity.sources.errand import Errand
from integrity.sources.prover import Asked, Claim, prove
from integrity.sources.provers import Provers
from integrity.sources.s3 import S3Source
from tests.memory import SwiftSource
from tests.sources.test_small_objects import BUCKET, FOLDER, NEVER, numbered, place, soon

WHEN = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
ENOUGH = 40
"""Objects to be proven that are worth processes; and so many are left to threads at first."""


def put(world: World, many: int) -> list[str]:
    """Log files, each of its own content; their keys."""
    keys = [FOLDER + name for name in numbered(many)]
    for key in keys:
        world.objects[BUCKET, key] = StoredObject(gzip.compress(key.encode()), WHEN)
    return keys


def sha256_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class Proving:
    """Wishes for proofs, and who proved what: `taken` by threads, `proven` by processes."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}
        self.proven: dict[str, int] = {}

    def take(self, key: str, fetched: Fetched[bytes]) -> bool:
        content = read_member((fetched.content,), max_bytes=MIB)
        is_so = content.flaw is None and content.sha256 == sha256_of(key)
        if is_so:
            self.note(self.taken, key, fetched.size)
        return is_so

    def prove(self, key: str, size: int) -> None:
        self.note(self.proven, key, size)

    def note(self, told: dict[str, int], key: str, size: int) -> None:
        assert key not in self.taken.keys() | self.proven.keys()
        told[key] = size

    def wish(self, keys: Iterable[str], many: int = ENOUGH) -> Wish[str]:
        proof = Proof(sha256_of=sha256_of, max_bytes=MIB, many=many, proven=self.prove)
        return Wish(items=keys, locate=place, take=self.take, with_metadata=False, proof=proof)

    @property
    def all(self) -> dict[str, int]:
        return self.taken | self.proven


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few objects are enough, few go at once, and nobody waits long for more."""
    monkeypatch.setattr(provers, "_WORTH_PROCESSES", ENOUGH)
    monkeypatch.setattr(provers, "_AT_ONCE", 8)
    monkeypatch.setattr(provers, "_IDLE_SECONDS", 0.3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture
def source(aws: Aws) -> Iterator[S3Source]:
    source = S3Source(aws)
    source.open_ahead(BUCKET)
    yield source
    assert soon(lambda: has_ended(source), 10)


def has_ended(source: S3Source) -> bool:
    return source._pumps._provers._begun == 0 and not active_children()


def until_ready(source: S3Source, keys: Iterable[str]) -> Iterator[str]:
    """The keys, most of them not before the processes take part."""
    for number, key in enumerate(keys):
        if number == ENOUGH:
            assert soon(lambda: source._pumps._provers.are_ready, 10)
        yield key


def test_many_are_proven_by_processes_each_of_them_once(
    source: S3Source, world: World, lab: LabServer
) -> None:
    keys, proving = put(world, 400), Proving()
    assert list(source.fetch_small(proving.wish(until_ready(source, keys)), NEVER)) == []
    assert proving.all == {key: len(world.objects[BUCKET, key].body) for key in keys}
    assert len(proving.proven) > len(proving.taken) >= ENOUGH
    assert lab.requests.by_operation["GetObject"] == len(keys)


def test_what_is_not_so_is_left_over(source: S3Source, world: World) -> None:
    keys, proving = put(world, 200), Proving()
    bad = keys[90::10]
    contents = [b"", b"?", gzip.compress(b"another"), gzip.compress(b"1") * 2, None]
    for number, key in enumerate(bad):
        content = contents[number % len(contents)]
        if content is None:
            del world.objects[BUCKET, key]
        else:
            world.objects[BUCKET, key] = StoredObject(content, WHEN)
    left = list(source.fetch_small(proving.wish(until_ready(source, [*keys, ""])), NEVER))
    assert sorted(left) == ["", *bad]
    assert sorted(proving.all) == sorted(set(keys) - set(bad))


def test_whoever_is_turned_away_is_left_over(
    source: S3Source, world: World, lab: LabServer
) -> None:
    keys, proving = put(world, 200), Proving()
    lab.faults.extend(Fault("throttle", operation="GetObject", key=key) for key in keys[100:110])
    left = list(source.fetch_small(proving.wish(until_ready(source, keys)), NEVER))
    assert sorted(left) == keys[100:110]
    assert sorted(proving.all) == keys[:100] + keys[110:]


def test_what_is_wanted_without_a_proof_comes_to_its_thread(source: S3Source, world: World) -> None:
    keys, proving, taken = put(world, 200), Proving(), Proving()
    assert list(source.fetch_small(proving.wish(until_ready(source, keys)), NEVER)) == []
    assert source._pumps._provers.are_ready
    wish = Wish(items=keys, locate=place, take=taken.take, with_metadata=False)
    assert list(source.fetch_small(wish, NEVER)) == []
    assert sorted(taken.taken) == keys


def test_few_are_proven_by_threads_alone(source: S3Source, world: World) -> None:
    keys, proving = put(world, ENOUGH - 1), Proving()
    assert list(source.fetch_small(proving.wish(keys, ENOUGH - 1), NEVER)) == []
    assert sorted(proving.taken) == keys
    assert not active_children()


def test_what_several_want_at_a_time_is_needed_together(source: S3Source, world: World) -> None:
    keys, first, second = put(world, 200), Proving(), Proving()
    half = ENOUGH // 2
    left = source.fetch_small(first.wish(["", *keys], half), NEVER)
    assert next(left) == ""
    wish = second.wish(until_ready(source, keys), half)
    assert list(source.fetch_small(wish, NEVER)) == []
    assert len(second.proven) > 0
    assert list(left) == []


def test_with_one_core_there_are_no_processes(
    aws: Aws, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    source, keys, proving = S3Source(aws), put(world, 2 * ENOUGH), Proving()
    source.open_ahead(BUCKET)
    assert list(source.fetch_small(proving.wish(keys), NEVER)) == []
    assert sorted(proving.taken) == keys
    assert not active_children()


def test_they_end_when_there_is_nothing_to_do_and_come_back(source: S3Source, world: World) -> None:
    keys = put(world, 200)
    for _ in range(2):
        proving = Proving()
        assert list(source.fetch_small(proving.wish(until_ready(source, keys)), NEVER)) == []
        assert sorted(proving.all) == keys
        assert len(proving.proven) > 0
        assert soon(lambda: has_ended(source), 10)


# Breaking


def test_a_process_that_dies_costs_time_and_nothing_else(source: S3Source, world: World) -> None:
    keys, proving = put(world, 400), Proving()

    def killing() -> Iterator[str]:
        for number, key in enumerate(until_ready(source, keys)):
            if number == 2 * ENOUGH:
                for process in active_children():
                    process.kill()
            yield key

    left = list(source.fetch_small(proving.wish(killing()), NEVER))
    assert sorted([*left, *proving.all]) == keys
    assert len(left) <= 2 * provers._DOORS * provers._AT_ONCE
    assert len(proving.taken) > ENOUGH


class Locked(Struct, frozen=True):
    """A recipe without credentials."""

    def open(self, slowdowns: MutableSequence[int]) -> S3Source:
        assert set(slowdowns) == {0}
        raise UsageError("there are no credentials")


def test_a_process_without_credentials_is_none(
    source: S3Source, world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = source._pumps._provers
    mine._recipe = Locked()
    keys, proving = put(world, 100), Proving()
    assert list(source.fetch_small(proving.wish(keys), NEVER)) == []
    assert sorted(proving.taken) == keys
    assert soon(lambda: has_ended(source), 10)
    assert not mine.are_ready
    assert capfd.readouterr().err == ""


class Unspeakable:
    """A recipe that cannot be sent to a process."""

    def __reduce__(self) -> str:
        raise OSError("there is no room for another process")

    def open(self, slowdowns: MutableSequence[int]) -> S3Source:
        raise NotImplementedError


def test_where_no_process_can_be_started_threads_do_it(
    source: S3Source, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    mine = source._pumps._provers
    mine._recipe = Unspeakable()
    caplog.set_level("INFO")
    keys = put(world, 100)
    for _ in range(2):
        proving = Proving()
        assert list(source.fetch_small(proving.wish(keys), NEVER)) == []
        assert sorted(proving.taken) == keys
    assert len([one for one in caplog.messages if "no room for another process" in one]) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("where", ["drawn", "located", "proven"])
def test_what_breaks_comes_out(source: S3Source, world: World, where: str) -> None:
    keys = put(world, 200)

    def broken(key: str, place: str) -> str:
        if place == where and key >= keys[ENOUGH]:
            raise KeyError("a bug")
        return key

    def proven(key: str, _: int) -> None:
        broken(key, "proven")

    proof = Proof(sha256_of=sha256_of, max_bytes=MIB, many=ENOUGH, proven=proven)
    wish = Wish(
        items=(broken(key, "drawn") for key in until_ready(source, keys)),
        locate=lambda key: place(broken(key, "located")),
        take=lambda *_: True,
        with_metadata=False,
        proof=proof,
    )
    with pytest.raises(KeyError, match="a bug"):
        list(source.fetch_small(wish, NEVER))


def test_once_everything_stops_nothing_more_is_drawn(source: S3Source, world: World) -> None:
    keys, proving, stopping = put(world, 400), Proving(), threading.Event()

    def stopped() -> Iterator[str]:
        for number, key in enumerate(until_ready(source, keys)):
            if number == 2 * ENOUGH:
                stopping.set()
            yield key

    assert list(source.fetch_small(proving.wish(stopped()), stopping)) == []
    assert len(proving.all) <= 2 * ENOUGH + 1


def test_nobody_is_told_of_what_came_too_late() -> None:
    proving = Proving()
    errand = Errand(proving.wish(["a"]), NEVER)
    assert errand.draw() is not None
    errand.is_over = True
    mine = Provers(Locked(), 2, lambda: [errand], lambda: None)

    class Door:
        def send_bytes(self, said: bytes) -> None: ...

        def recv_bytes(self) -> bytes:
            return b"\x91\x05"  # [5]

    assert mine._ask(Door(), errand, errand.proof, [("a", S3Location("", "a"))])  # type: ignore[arg-type]
    assert proving.all == {}


# The process itself


def test_the_answer_is_the_stored_size_of_what_hashes_to_what_it_should(world: World) -> None:
    keys = put(world, 3)
    claims = [Claim(S3Location(BUCKET, key), sha256_of(key)) for key in keys]
    claims.append(Claim(S3Location(BUCKET, keys[0]), sha256_of(keys[1])))
    claims.append(Claim(S3Location(BUCKET, "gone"), sha256_of("gone")))

    class Opened(SwiftSource):
        def open_ahead(self, bucket: str) -> None:
            assert bucket == BUCKET

    sizes: list[int | None] = [len(world.objects[BUCKET, key].body) for key in keys]
    assert prove(Opened(world), Asked(tuple(claims), MIB)) == [*sizes, None, None]
    assert prove(Opened(world), Asked(tuple(claims), 10)) == [None] * 5
