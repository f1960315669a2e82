"""What somebody asks of a source that can give many small objects at once. Data alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct

from integrity.chain.model import Fetched, S3Location

Item = TypeVar("Item")


class Wish(Struct, Generic[Item], frozen=True, kw_only=True):
    """Items, the object of each where it has a place, and who takes it.

    `take` is called in one of a few threads, which fetch for others too: it waits for nobody. It
    says whether that was all there is to do. Without metadata an object has neither that nor times
    nor a version; it costs less.
    """

    items: Iterable[Item]
    locate: Callable[[Item], S3Location | None]
    take: Callable[[Item, Fetched[bytes]], bool]
    with_metadata: bool
