"""Where one digest file's content is laid out while it is decoded, one after the other.

A digest of a busy hour is megabytes long. Memory of that size, asked for anew in every thread that
reads one, stays with these threads when it is given back; so a few desks are used again and again.
"""

from __future__ import annotations

from integrity.chain.limits import KIB

_KEPT_BYTES = 4096 * KIB
"""Whoever laid out more than this takes it away again: its size was a stranger's choice."""


class Desk:
    """Takes content in pieces, and shows the whole. For one thread at a time."""

    __slots__ = ("_space", "_used")

    def __init__(self) -> None:
        self._space = bytearray()
        self._used = 0

    def clear(self) -> None:
        """Nothing lies there any more."""
        self._used = 0
        if len(self._space) > _KEPT_BYTES:
            self._space = bytearray()

    def add(self, piece: bytes) -> None:
        """The next piece."""
        end = self._used + len(piece)
        self._space[self._used : end] = piece
        self._used = end

    def read(self) -> memoryview:
        """All pieces. To be released before the next is added."""
        with memoryview(self._space) as whole:
            return whole[: self._used]
