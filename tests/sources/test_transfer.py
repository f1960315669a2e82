"""Counting what came: nothing that is short, long or of unknown length passes for an object."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integrity.sources.transfer import BrokenTransferError, Buffer, whole


def test_all_that_was_promised_passes_piece_by_piece() -> None:
    pieces: list[Buffer] = [b"ab", memoryview(b"c"), b""]
    assert list(whole(pieces, 3, ())) == pieces
    assert list(whole([], 0, ())) == []


@pytest.mark.parametrize(
    ("size", "said"),
    [(2, "3 of 2 bytes came"), (4, "3 of 4 bytes came"), (None, "does not say how many bytes")],
)
def test_another_number_of_bytes_does_not(size: int | None, said: str) -> None:
    with pytest.raises(BrokenTransferError, match=said):
        list(whole([b"abc"], size, ()))


def test_a_transfer_that_breaks_is_told_from_a_fault() -> None:
    def breaking(error: Exception) -> Iterator[bytes]:
        yield b"ab"
        raise error

    with pytest.raises(BrokenTransferError, match="2 of 3 bytes came, then: reset"):
        list(whole(breaking(OSError("reset")), 3, (OSError,)))
    with pytest.raises(KeyError):
        list(whole(breaking(KeyError("a bug")), 3, (OSError,)))


def test_who_stops_early_is_not_held_to_the_count() -> None:
    assert next(whole([b"ab", b"c"], 99, ())) == b"ab"
