"""What a worker has in its hands while it checks: sources, threads, the time, who is told."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from datetime import datetime

from msgspec import Struct

from integrity.chain.wish import Item, Wish
from integrity.verify.parallel import Stopping
from integrity.verify.ports import (
    KeySource,
    ObjectSource,
    Progress,
    RetentionSource,
    SmallObjects,
)


class Tools(Struct, frozen=True):
    """Opened in the process that uses them. `now` was read once, for the whole run.

    Without `retention` nobody tells what lifecycles delete. Once `stopping` is set, nothing new is
    begun, and results say that they are not whole.
    """

    objects: ObjectSource
    keys: KeySource
    retention: RetentionSource | None
    executor: Executor
    now: datetime
    progress: Progress
    stopping: Stopping

    def fetch_small(self, wish: Wish[Item]) -> Iterator[Item]:
        """`SmallObjects.fetch_small`, where the source is able to; else all is left over."""
        if isinstance(self.objects, SmallObjects):
            return self.objects.fetch_small(wish, self.stopping)
        return iter(wish.items)
