"""Log files as a digest names them, packed: the same when they are walked again."""

from __future__ import annotations

import tracemalloc

from integrity.chain.model import LogFileRef
from integrity.chain.packed import PackedLogFiles
from tests.chain.specimens import location, sha256_of

REFS = [
    LogFileRef(location(f"AWSLogs/a long folder/{number}"), sha256_of(str(number)), "SHA-256")
    for number in range(2000)
]


def test_what_is_packed_is_walked_in_its_order_again_and_again() -> None:
    packed = PackedLogFiles(iter(REFS))

    assert list(packed) == list(packed) == REFS
    assert len(packed) == 2000


def test_nothing_is_packed_too() -> None:
    assert list(PackedLogFiles()) == []
    assert len(PackedLogFiles([])) == 0
    assert PackedLogFiles() == PackedLogFiles([])


def test_it_holds_what_was_packed_and_nothing_else() -> None:
    packed = PackedLogFiles(REFS[:3])

    assert REFS[2] in packed
    assert REFS[3] not in packed


def test_it_is_a_value() -> None:
    one, same, other = PackedLogFiles(REFS[:3]), PackedLogFiles(REFS[:3]), PackedLogFiles(REFS[:2])

    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != tuple(REFS[:3])


def test_it_costs_less_than_what_it_holds() -> None:
    tracemalloc.start()
    try:
        unpacked = [
            LogFileRef(
                location(f"AWSLogs/a long folder/{number}"), sha256_of(str(number)), "SHA-256"
            )
            for number in range(2000)
        ]
        loose, _ = tracemalloc.get_traced_memory()
        packed = PackedLogFiles(unpacked)
        both, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(packed) == 2000
    assert both - loose < loose / 4
