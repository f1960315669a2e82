"""A CloudTrail in a box: accounts, trails and buckets that hold real, signed chains of digests.

A world is a value in memory: no network, no disk, and given a seed everything is the same again
but the RSA keys. It is made of hours that CloudTrail wrote (`run_chain` and its companions), then
an attack changes `world.objects` (`integrity.lab.attacks`), and a server shows the result to any
AWS client (`integrity.lab.server`). The notes (`chain.digests`, `LabLog`) are never attacked: they
say what was there.

    world = World(seed=1)
    trail = world.add_trail(name="main")
    chain = world.run_chain(trail, region="us-east-1", start=datetime(2026, 3, 1, tzinfo=UTC))
    world.objects[chain.digests[3].address].body      # the gzip bytes of the third hour's digest
    world.public_keys("us-east-1")                    # what ListPublicKeys answers from
    world.status(trail, "us-east-1")                  # what GetTrailStatus answers from

Conventions, all CloudTrail's own: a chain begins with an empty digest dated to the hour before
logging began, windows are 3600 s and keep StartLogging's minute and second, a digest is last
modified thirty minutes after its end, a log file minutes after its newest event, which rounded up
to five minutes is its name. What lies beyond `world.now` is not delivered.

It imports nothing of the rest of the package: it signs, names and formats with code of its own, so
that what verifies and what is verified are two witnesses.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from integrity.lab import chains
from integrity.lab.chains import HOUR, Chain, Traffic
from integrity.lab.cloud import LONG_AGO, START, Cloud
from integrity.lab.estate import LabTrail
from integrity.lab.objects import Address, LabDigest, LabLog, StoredObject

__all__ = ["Chain", "LabDigest", "LabLog", "LabTrail", "StoredObject", "World"]


class World(Cloud):
    """A cloud whose trails have written chains. `now` is the world's present, aware UTC."""

    def __init__(self, *, seed: int = 1, now: datetime | None = None) -> None:
        super().__init__(seed=seed, now=now)
        self.chains: list[Chain] = []
        self._withheld: dict[Address, StoredObject] = {}

    def copy(self) -> World:
        """The same world again, to be attacked or continued apart; objects and keys are shared.

        Chains and trails of the copy are its own: `copy.chains[0]`, not the original's.
        """
        return copy.deepcopy(self)

    def run_chain(
        self,
        trail: LabTrail,
        *,
        region: str = "us-east-1",
        account_id: str | None = None,
        start: datetime = START,
        hours: int = 24,
        logs_per_hour: int = 3,
        events_per_log: int = 5,
        begin: Literal["starting", "linked"] = "starting",
        empty_hours: Collection[int] = (),
        late_hours: Collection[int] = (),
        escape_slashes: bool = False,
    ) -> Chain:
        """Write a chain of `hours` digests that cover the time from `start`, and one before them.

        "starting": logging began at `start`; the digest before is empty and has no predecessor.
        "linked": the chain is old; the digest before is empty and names one that has expired.
        `empty_hours` and `late_hours` are indices of hours without log files, and of hours whose
        digest names one more log file whose events are of the hour before.
        """
        account = account_id or trail.account_id
        chain = Chain(
            trail,
            account,
            region,
            trail.place,
            random.Random(f"{self.seed}/{trail.arn}/{account}/{region}/{start.isoformat()}"),
            start if begin == "starting" else start - LONG_AGO,
            Traffic(logs_per_hour, events_per_log, escape_slashes),
            start,
        )
        self._add_chain(chain)
        self._begin(chain, start, linked=begin == "linked")
        self.continue_chain(chain, hours=hours, empty_hours=empty_hours, late_hours=late_hours)
        return chain

    def continue_chain(
        self,
        chain: Chain,
        *,
        hours: int,
        logs_per_hour: int | None = None,
        empty_hours: Collection[int] = (),
        late_hours: Collection[int] = (),
    ) -> None:
        """The next `hours` hours of the chain."""
        if logs_per_hour is not None:
            chain.traffic.logs_per_hour = logs_per_hour
        chains.write_hours(self, chain, hours=hours, empty_hours=empty_hours, late_hours=late_hours)

    def call(self, chain: Chain, name: str, *, at: datetime, **said: Any) -> None:
        """A call to CloudTrail, such as UpdateTrail, that the home region's next log file records.

        `said` is what its event holds: `request` (by default the trail's name), `response`, and
        `error`, the code of a call that failed. What the call does is for others to bring about.
        """
        chains.announce(self, chain, at=at, name=name, **said)

    def stop_chain(
        self, chain: Chain, *, stop: datetime | None = None, by: str = "StopLogging"
    ) -> None:
        """The chain ends at `stop`, by default where it is, by a call of that name.

        A `stop` in mid-hour is followed by a final digest over that hour, whose last log file
        records the call; with an empty name nobody calls.
        """
        at = stop or chain.next_start
        if at > chain.next_start:
            if by:
                chains.announce(self, chain, at=at, name=by)
            chains.write_hours(self, chain, hours=1, until=at)
        chain.prepared.clear()
        status = self.status(chain.trail, chain.region, chain.account_id)
        status.stop_logging_time, status.is_logging = at, False

    def restart_chain(
        self, chain: Chain, *, start: datetime, stop: datetime | None = None, hours: int = 0
    ) -> None:
        """StopLogging at `stop` (see `stop_chain`), StartLogging at `start`.

        The new part begins with an empty digest without predecessor, dated to the hour before
        `start`, and goes on for `hours`.
        """
        self.stop_chain(chain, stop=stop)
        chain.logging_since = start
        self._begin(chain, start, linked=False)
        self.continue_chain(chain, hours=hours)

    def switch_bucket(self, chain: Chain, *, bucket: str, prefix: str = "") -> None:
        """UpdateTrail: from now on the chain, and its trail, write to another place."""
        self.add_bucket(bucket, region=chain.trail.home_region, owner=chain.trail.account_id)
        place = replace(chain.place, bucket=bucket, prefix=prefix.strip("/"))
        chain.trail.place = chain.place = place
        self._put_markers(chain, at=chain.next_start)

    def backfill(
        self, chain: Chain, *, end: datetime, generated_at: datetime, logs: int = 2
    ) -> LabDigest:
        """A backfill digest over log files of the hour that ends at `end`, delivered belatedly."""
        late: list[LabLog] = []
        for _ in range(logs):
            newest = end - timedelta(seconds=chain.rng.randrange(600, 3300))
            delivered = generated_at - timedelta(seconds=chain.rng.randrange(600, 2400))
            log, stored = chains.prepare_log(chain, newest=newest, delivered=delivered)
            self.objects[log.address] = stored
            late.append(log)
        previous = chain.backfills[-1] if chain.backfills else None
        digest = chains.write_digest(
            self, chain, start=end - HOUR, logs=late, previous=previous, generated_at=generated_at
        )
        self.note_deliveries(chain)
        return digest

    def redeliver(self, chain: Chain, digest: LabDigest, *, at: datetime) -> LabDigest:
        """The digest was delivered at `at` and not when it was due, or not yet; its bytes stay.

        The trail's status and the chain's notes follow. Returns the digest as it is noted now.
        """
        noted = chain.digests if digest in chain.digests else chain.backfills
        late = replace(digest, last_modified=at)
        noted[noted.index(digest)] = late
        if chain.tip == digest:
            chain.tip = late
        stored = replace(self.objects.pop(digest.address), last_modified=at)
        if at <= self.now:
            self.objects[digest.address] = stored
        else:
            self._withheld[digest.address] = stored
        self.note_deliveries(chain)
        return late

    def advance(self, now: datetime) -> None:
        """Time passes until `now`: every chain that logs goes on, and what was withheld comes."""
        self.now = now
        for chain in self.chains:
            if self.status(chain.trail, chain.region, chain.account_id).is_logging:
                self.continue_chain(chain, hours=max(0, (now - chain.next_start) // HOUR + 1))
        for address, stored in list(self._withheld.items()):
            if stored.last_modified <= now:
                self.objects[address] = self._withheld.pop(address)
        for chain in self.chains:
            self.note_deliveries(chain)

    def note_deliveries(self, chain: Chain) -> None:
        """Let the trail's status name the chain's latest deliveries up to now."""
        status = self.status(chain.trail, chain.region, chain.account_id)
        logs = (*chain.log_files, *chain.undigested, *chain.pending)
        status.latest_delivery_time = self._latest(logs)
        status.latest_digest_delivery_time = self._latest((*chain.digests, *chain.backfills))

    def _latest(self, delivered: Iterable[LabLog | LabDigest]) -> datetime | None:
        times = (one.last_modified for one in delivered)
        return max((at for at in times if at <= self.now), default=None)

    def _add_chain(self, chain: Chain) -> None:
        self.regions.setdefault(chain.region, "opt-in-not-required")
        if chain.trail.organization_id is not None:
            self.add_account(chain.account_id)
        self.chains.append(chain)
        self._put_markers(chain, at=chain.logging_since)

    def _put_markers(self, chain: Chain, *, at: datetime) -> None:
        for folder in ("CloudTrail/", "CloudTrail-Digest/"):
            self.put_marker(chain.bucket, chain.place.root(chain.account_id) + folder, at)

    def _begin(self, chain: Chain, start: datetime, *, linked: bool) -> None:
        status = self.status(chain.trail, chain.region, chain.account_id)
        status.start_logging_time, status.is_logging = chain.logging_since, True
        if start + chains.DIGEST_DELAY > self.now:
            raise ValueError(
                f"a chain cannot start at {start}: its first digest would be delivered half an "
                f"hour later, beyond the world's now, {self.now}"
            )
        previous = None
        if linked:
            previous = chains.make_digest(
                self, chain, start=start - 2 * HOUR, logs=(), previous=None
            )
        else:
            chains.announce(self, chain, at=start, name="StartLogging")
        if chain.trail.validation:
            chains.write_digest(self, chain, start=start - HOUR, logs=(), previous=previous)
        chain.next_start = start
        self.note_deliveries(chain)
