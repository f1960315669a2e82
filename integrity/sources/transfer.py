"""One object's bytes on their way to a reader, counted: all that was promised, or an error.

A body that ends early looks like an edited file to whoever hashes it. So the count is checked
between the network and the reader, for both clients, and a transfer that broke never becomes a
result. What the reader makes of the bytes, and why it may stop early, is its own affair.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

Buffer = bytes | memoryview


class BrokenTransferError(Exception):
    """The transfer broke, or held another number of bytes than was promised."""


def whole(
    pieces: Iterable[Buffer], size: int | None, broken: tuple[type[Exception], ...]
) -> Iterator[Buffer]:
    """The pieces as they come, `size` bytes in all.

    Raises BrokenTransferError where one of `broken` or a wrong count ends them, or nobody said the
    size.
    """
    if size is None:
        raise BrokenTransferError("the answer does not say how many bytes there are")
    received = 0
    try:
        for piece in pieces:
            received += len(piece)
            yield piece
    except broken as error:
        raise BrokenTransferError(f"{received} of {size} bytes came, then: {error}") from error
    if received != size:
        raise BrokenTransferError(f"{received} of {size} bytes came")


def in_time(pieces: Iterable[Buffer], seconds: float) -> Iterator[Buffer]:
    """The pieces, as long as they come in time. Raises TimeoutError where they do not."""
    until = time.monotonic() + seconds
    for piece in pieces:
        if time.monotonic() > until:
            raise TimeoutError(f"it takes longer than {seconds:g} seconds")
        yield piece
