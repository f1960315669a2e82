"""Where a digest is laid out: whole, one after the other, and not for ever."""

from __future__ import annotations

import tracemalloc

from integrity.chain.desk import Desk
from integrity.chain.limits import MIB


def laid_out(desk: Desk, *pieces: bytes) -> bytes:
    for piece in pieces:
        desk.add(piece)
    with desk.read() as whole:
        return bytes(whole)


def test_pieces_are_read_as_one() -> None:
    assert laid_out(Desk(), b"one ", b"", b"digest") == b"one digest"


def test_nothing_shows_of_what_lay_there_before() -> None:
    desk = Desk()
    laid_out(desk, b"a long digest")

    desk.clear()

    assert laid_out(desk, b"short") == b"short"


def test_the_next_of_the_same_size_takes_no_memory_of_its_own() -> None:
    desk, piece = Desk(), bytes(MIB)
    desk.add(piece)
    desk.clear()

    tracemalloc.start()
    try:
        desk.add(piece)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < MIB / 2


def test_space_that_a_stranger_sized_is_given_back() -> None:
    piece = bytes(8 * MIB)
    tracemalloc.start()
    try:
        desk = Desk()
        desk.add(piece)
        desk.clear()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < MIB
    assert laid_out(desk, b"the next") == b"the next"
