"""A year of one chain, judged without any network: what the digests alone cost.

    python -m bench.year

A process of its own, which says how many seconds of a processor it took. The digests are in memory;
they are decoded, their signatures verified, linked and judged as in any run.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from threading import Event, Semaphore
from typing import TypeVar

from bench.measured import Figure, Measured
from bench.timed import Middle
from bench.worlds import HOME, START, OneRegion
from integrity.chain.model import Absent, Fetched, Listed, PublicKey, S3Location, TimeWindow, Trail
from integrity.chain.wish import Item, Wish
from integrity.cli.progress import SilentProgress
from integrity.lab.world import World
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import Reader, Witnesses
from integrity.verify.run import Sources, verify_trail
from integrity.wiring.threads import take_long_turns

T = TypeVar("T")
DIGESTS = 8760


class Year:
    """8,760 digests with two log files each, linked and judged."""

    name = "year"
    title = f"{DIGESTS:,} digests (a year of one chain), linked and judged, without I/O"

    def measure(self, runs: int) -> Measured:
        """CPU seconds."""
        words = [sys.executable, "-m", "bench.year", str(runs)]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
        cpu = Middle.of([float(one) for one in told])
        figure = Figure("CPU seconds", cpu, 3, 1, "s", less=True)
        return Measured(self.name, self.title, runs, (figure,))


class _InMemory:
    """A world's objects and keys, as verification asks for them."""

    def __init__(self, world: World) -> None:
        self._objects = world.objects.data
        self._keys = world.public_keys(HOME)
        self._folders: dict[str, list[Listed]] = {}
        self._pumps = Semaphore(2)
        for (bucket, key), stored in self._objects.items():
            listed = Listed(
                S3Location(bucket, key), len(stored.body), stored.last_modified, "", "STANDARD"
            )
            self._folders.setdefault(key[: key.rfind("/") + 1], []).append(listed)

    def fetch(self, location: S3Location, read: Reader[T]) -> Fetched[T] | Absent:
        stored = self._objects.get((location.bucket, location.key))
        if stored is None:
            return Absent(location)
        return Fetched(
            location=location,
            content=read((stored.body,)),
            metadata=dict(stored.metadata),
            last_modified=stored.last_modified,
            version_id=None,
            size=len(stored.body),
        )

    def fetch_small(self, wish: Wish[Item], stopping: Stopping) -> Iterator[Item]:
        del stopping
        with self._pumps:
            return iter([item for item in wish.items if not self._give(item, wish)])

    def _give(self, item: Item, wish: Wish[Item]) -> bool:
        location = wish.locate(item)
        fetched = None if location is None else self.fetch(location, b"".join)
        return isinstance(fetched, Fetched) and wish.take(item, fetched)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[Listed]:
        del bucket
        return iter(self._folders.get(prefix, ()))

    def list_folders(self, bucket: str, folder: str) -> tuple[str, ...]:
        del bucket
        inside = (name[len(folder) :] for name in self._folders if name.startswith(folder))
        return tuple({rest.partition("/")[0]: None for rest in inside if rest})

    def fetch_keys(self, region: str, window: TimeWindow) -> tuple[PublicKey, ...]:
        del window
        return tuple(
            PublicKey(
                region=region,
                fingerprint=key.fingerprint,
                der=key.der,
                not_before=key.not_before,
                not_after=key.not_after,
                fetched_at=START,
                origin="bench",
            )
            for key in self._keys
        )


def _take(world: World, source: _InMemory) -> float:
    lab = world.trails[0]
    trail = Trail(
        arn=lab.arn,
        name=lab.name,
        account_id=lab.account_id,
        home_region=lab.home_region,
        bucket=lab.place.bucket,
        multi_region=False,
    )
    chain = world.chains[0]
    window = TimeWindow(START, chain.digests[-1].end)
    job = Job(trail=trail, window=window, log_files=False, unreferenced=False, concurrency=2)
    began = time.process_time()
    verification = verify_trail(
        job,
        Sources(source, source, None, Witnesses()),
        run_id="bench",
        caller_arn=None,
        progress=SilentProgress(),
        clock=lambda: datetime.now(UTC),
        stopping=Event(),
    )
    took = time.process_time() - began
    counted = verification.run.totals.digest_files
    assert counted.valid == counted.total == len(chain.digests), counted
    return took


def _main(runs: Iterable[int]) -> None:
    world = OneRegion(1000, per_hour=2, hours=DIGESTS - 1, different=10)()
    source = _InMemory(world)
    take_long_turns()
    gc.freeze()  # a world that is looked through for garbage is no part of what a run costs
    for _ in runs:
        print(_take(world, source))


if __name__ == "__main__":
    _main(range(int(sys.argv[1])))
