"""A process that proves objects for another one: fetches, inflates and hashes them.

It is asked for many at a time through pipes, and answers which of them hash to what they should.
What else an object may be, whoever asked finds out; nothing is judged here.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Event, Thread
from typing import Protocol

import msgspec
from msgspec import Struct

from integrity.chain.content import read_member
from integrity.chain.model import Fetched, S3Location
from integrity.chain.wish import Item, Wish
from integrity.errors import AccessError, UsageError
from integrity.sources.errand import Stopping

_NEVER = Event()


class Source(Protocol):
    """Where objects come from."""

    def open_ahead(self, bucket: str) -> None: ...

    def fetch_small(self, wish: Wish[Item], stopping: Stopping) -> Iterator[Item]: ...


class Recipe(Protocol):
    """How to open a source in any process. Picklable."""

    def open(self, slowdowns: MutableSequence[int]) -> Source: ...


class Claim(Struct, frozen=True, gc=False, array_like=True):
    """An object, and the SHA-256 (lower-case hex) of what it is to inflate to."""

    location: S3Location
    sha256: str


class Asked(Struct, frozen=True, array_like=True):
    """Objects to be proven, none of them inflated beyond `max_bytes`."""

    claims: tuple[Claim, ...]
    max_bytes: int


Answer = list[int | None]
"""Of each claim the stored bytes of its object, where it is proven."""


def prove(source: Source, asked: Asked) -> Answer:
    """The answer to what was asked."""
    claims = asked.claims
    sizes: Answer = [None] * len(claims)

    def take(number: int, fetched: Fetched[bytes]) -> bool:
        content = read_member((fetched.content,), max_bytes=asked.max_bytes)
        is_proven = content.flaw is None and content.sha256 == claims[number].sha256
        if is_proven:
            sizes[number] = fetched.size
        return is_proven

    for bucket in {claim.location.bucket for claim in claims}:
        source.open_ahead(bucket)
    wish = Wish(
        items=range(len(claims)),
        locate=lambda number: claims[number].location,
        take=take,
        with_metadata=False,
    )
    for _ in source.fetch_small(wish, _NEVER):
        pass
    return sizes


def serve(recipe: Recipe, slowdowns: MutableSequence[int], doors: Sequence[Connection]) -> None:
    """Answer at each of the doors until it is closed: the whole life of a process.

    An empty message says that it is ready. Without credentials it says nothing, and ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(UsageError, AccessError):
        source = recipe.open(slowdowns)
        threads = [Thread(target=_answer, args=(source, door)) for door in doors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _answer(source: Source, door: Connection) -> None:
    decoder = msgspec.msgpack.Decoder(Asked)
    with door, suppress(EOFError, OSError):
        door.send_bytes(b"")
        while True:
            answer = prove(source, decoder.decode(door.recv_bytes()))
            door.send_bytes(msgspec.msgpack.encode(answer))
