"""The cases by their names: what performance must hold, one line each."""

from __future__ import annotations

from collections.abc import Callable

from bench.chains import Chains
from bench.day import Day
from bench.files import Files, SlowDown
from bench.front import Way
from bench.measured import Measured
from bench.memory import Bomb, InFlight, Many
from bench.rules import Rules
from bench.start import Start
from bench.worlds import OneRegion, Organization
from bench.year import Year

_LARGE, _SMALL = 240_000, 4_000

CASES: dict[str, Callable[[int], Measured]] = {
    case.name: case.measure
    for case in (
        Files("large", Way.NEAR, _LARGE, must=8, aimed=11, weighs_cpu=True),
        Files("large-tls", Way.TLS, _LARGE, must=6.5, aimed=9),
        Files("large-far", Way.FAR, _LARGE, must=95, aimed=130),
        Files("small", Way.NEAR, _SMALL, must=7, aimed=12),
        Files("small-far", Way.FAR, _SMALL, must=95, aimed=130),
        Chains(
            "chains",
            "340 chains of 24 digests with 2 log files each, 30 ms a request",
            Organization(accounts=20, regions=17, per_hour=2, hours=24, size=4000),
            must=80,
            aimed=120,
        ),
        Chains(
            "empty",
            "51 chains of 24 empty digests each, 30 ms a request",
            Organization(accounts=3, regions=17, per_hour=0, hours=24, size=4000),
            must=30,
            aimed=60,
        ),
        Day(),
        Start(),
        SlowDown(),
        Rules(),
        InFlight(
            "memory-64",
            "64 log files of 240 KB under way",
            OneRegion(_LARGE, per_hour=84, hours=48),
            concurrency=64,
            must=150,
            aimed=100,
        ),
        InFlight(
            "memory-32",
            "32 log files of 20 MB under way",
            OneRegion(20_000_000, per_hour=32, hours=4, different=4),
            concurrency=32,
            must=256,
            aimed=150,
        ),
        Bomb(),
        Many(),
        Year(),
    )
}
