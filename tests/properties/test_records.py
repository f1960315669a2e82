"""The record depends on what is there and on nothing else, and its JSON says all of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.record import SCHEMA_VERSION, Run, RunInfo, decode, encode
from integrity.structs import replace
from tests import memory
from tests.chain.specimens import at
from tests.memory import MemorySource, SwiftSource, T, verify
from tests.properties import at_length, quick
from tests.scenarios import SCENARIOS, Scenario

SAME_INFO = RunInfo(
    id="",
    caller_arn=None,
    configuration_sha256="",
    source="",
    started_at=at(0),
    finished_at=at(0),
    judged_at=at(0),
)


class Disorderly(MemorySource):
    """Listings in any order, objects in pieces of any size, answers that come when they come."""

    def shuffle(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.order = self._shuffled

    def _shuffled(self, objects: list[Listed]) -> list[Listed]:
        return self.chance.sample(objects, len(objects))

    def fetch(
        self, location: S3Location, read: Callable[[Iterable[Buffer]], T]
    ) -> Fetched[T] | Absent | Unreachable:
        time.sleep(self.chance.choice((0, 0, 0.0005)))
        return super().fetch(location, lambda chunks: read(self._in_other_pieces(chunks)))

    def _in_other_pieces(self, chunks: Iterable[Buffer]) -> Iterable[Buffer]:
        for chunk in chunks:
            middle = self.chance.randrange(len(chunk) + 1)
            yield chunk[:middle]
            yield chunk[middle:]


def record(scenario: Scenario, *, concurrency: int, seed: int | None) -> bytes:
    """A scenario's record without what says how it came about."""
    stage = scenario.stage()
    source: MemorySource = SwiftSource(stage.world)
    if seed is not None:
        source = Disorderly(stage.world)
        source.shuffle(seed)
    if stage.denied:
        source.unreachable[stage.denied] = "access denied"
    run = verify(
        stage.world,
        stage.trail,
        stage.start,
        stage.end,
        witness=stage.witness,
        source=source,
        name=stage.trail_name,
        concurrency=concurrency,
        source_regions=(stage.chain.region,) if stage.is_abroad else None,
    )
    return encode(replace(run, run=SAME_INFO))


@dataclass(frozen=True)
class Case:
    scenario: int
    concurrency: int
    seed: int


CASES = st.builds(
    Case,
    st.integers(0, len(SCENARIOS) - 1),
    st.sampled_from((1, 4, 16)),
    st.integers(0, 2**32),
)


@cache
def in_order(number: int) -> bytes:
    """The record that one worker makes of what comes in order."""
    return record(SCENARIOS[number], concurrency=1, seed=None)


def check_order(case: Case) -> None:
    made = record(SCENARIOS[case.scenario], concurrency=case.concurrency, seed=case.seed)

    assert made == in_order(case.scenario)


@quick(25)
@given(CASES)
def test_order_and_number_of_workers_do_not_change_the_record(case: Case) -> None:
    check_order(case)


@pytest.mark.slow
@pytest.mark.parametrize("concurrency", [1, 4, 16])
@pytest.mark.parametrize("number", range(len(SCENARIOS)), ids=lambda n: SCENARIOS[n].name)
def test_order_and_number_of_workers_do_not_change_any_record(
    number: int, concurrency: int
) -> None:
    for seed in range(3):
        check_order(Case(number, concurrency, seed))


@pytest.mark.parametrize("piece_bytes", [1, 7, 100_000])
def test_the_size_of_pieces_does_not_change_the_record(
    piece_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scenario,) = [one for one in SCENARIOS if one.name == "log in two members"]
    before = record(scenario, concurrency=4, seed=None)

    monkeypatch.setattr(memory, "PIECE_BYTES", piece_bytes)

    assert record(scenario, concurrency=4, seed=None) == before


# JSON

TEXTS = st.text(max_size=20)
TIMES = st.integers(0, 10**10).map(
    lambda seconds: datetime(1900, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that the record is made of."""
    if get_origin(kind) is UnionType:
        return st.one_of([values_of(one) for one in get_args(kind)])
    if get_origin(kind) is tuple:
        (inside, _) = get_args(kind)
        return st.lists(values_of(inside), max_size=3).map(tuple)
    if isinstance(kind, type) and issubclass(kind, Struct):
        hints = get_type_hints(kind)
        own = [name for name, hint in hints.items() if get_args(hint)[:1] == (kind,)]
        fields = {name: values_of(hint) for name, hint in hints.items() if name not in own}
        flat = st.builds(kind, **fields)
        # What holds others of its kind holds some that hold none.
        return st.builds(
            kind, **fields, **{one: st.lists(flat, max_size=1).map(tuple) for one in own}
        )
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXTS,
        bool: st.booleans(),
        int: st.integers(0, 2**53),
        datetime: TIMES,
        NoneType: st.none(),
    }
    return simple[kind]


RUNS = values_of(Run).map(lambda run: replace(run, schema_version=SCHEMA_VERSION))


def check_round_trip(run: Run) -> None:
    document = encode(run)

    assert decode(document) == run
    assert encode(decode(document)) == document
    assert b"\n" not in document


@quick(60)
@given(RUNS)
def test_any_record_survives_its_json(run: Run) -> None:
    check_round_trip(run)


@pytest.mark.slow
@at_length(3_000)
@given(RUNS)
def test_any_record_survives_its_json_at_length(run: Run) -> None:
    check_round_trip(run)
