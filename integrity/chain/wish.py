"""What somebody asks of a source that can give many small objects at once. Data alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct

from integrity.chain.model import Fetched, S3Location

Item = TypeVar("Item")


class Proof(Struct, Generic[Item], frozen=True, kw_only=True):
    """What proves an item to whoever has its object: the SHA-256 of what that inflates to.

    `proven` is told how many bytes are stored of one that was found to be so, in place of `take`.
    Nothing is inflated beyond `max_bytes`. `many`: about so many items there are.
    """

    sha256_of: Callable[[Item], str]
    max_bytes: int
    many: int
    proven: Callable[[Item, int], None]


class Wish(Struct, Generic[Item], frozen=True, kw_only=True):
    """Items, the object of each where it has a place, and who takes it.

    `take` is called in one of a few threads, which fetch for others too: it waits for nobody. It
    says whether that was all there is to do. Without metadata an object has neither that nor times
    nor a version; it costs less. With a `proof` it need not be brought here at all.
    """

    items: Iterable[Item]
    locate: Callable[[Item], S3Location | None]
    take: Callable[[Item, Fetched[bytes]], bool]
    with_metadata: bool
    proof: Proof[Item] | None = None
