"""What a verification is asked to do: one trail, one window, what to leave out."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct, field

from integrity.chain.estate import ExpirationRule
from integrity.chain.known import KnownChain
from integrity.chain.limits import Limits
from integrity.chain.model import TimeWindow, Trail
from integrity.chain.population import Pair, Scope
from integrity.chain.times import DAY, HOUR
from integrity.events.search import Wanted
from integrity.record import Requested

CONCURRENCY = 128
"""So many objects are read at a time, where nobody says otherwise."""


class Job(Struct, frozen=True, kw_only=True):
    """One trail to verify over one window.

    `account_ids` and `source_regions` narrow what is verified (None: all that the bucket shows);
    `ignored` holds `ACCOUNT` or `ACCOUNT/REGION`, chains that a person says have ended. `grace` is
    how late the newest digest may be; `redelivery_grace` how long a missing one may still come.
    `unsigned_neighbours` are the ARNs of other trails that write to the same place with validation
    off. `known` is what earlier verifications know of the trail's chains, each once. With
    `accepting` nobody is told that something of it is gone or changed: a person is about to settle
    it (`accept`). Of the bucket's lifecycle rules only `known_rules` explain what is not there
    (None: any).

    Without `log_files` digests alone are checked. `is_copy`: objects may have lost their metadata
    on the way. What is judged `as_of` a time was collected then; with `is_collected` AWS's word on
    the head is not held against what was collected, which may end before it. What `rules` ask for
    is taken out of verified log files, and changes no verdict.

    With an `overlap` the next job begins so long before this one's end, and this one began so long
    before the last one's: what was proven then and is listed as it was is not read again.
    """

    trail: Trail
    window: TimeWindow
    account_ids: tuple[str, ...] | None = None
    source_regions: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    grace: timedelta = HOUR
    redelivery_grace: timedelta = DAY
    unsigned_neighbours: tuple[Trail, ...] = ()
    unreferenced: bool = True
    allow_gaps: bool = False
    limits: Limits = field(default_factory=Limits)
    concurrency: int = CONCURRENCY
    known: tuple[KnownChain, ...] = ()
    accepting: bool = False
    known_rules: tuple[ExpirationRule, ...] | None = None
    log_files: bool = True
    is_copy: bool = False
    is_collected: bool = False
    as_of: datetime | None = None
    rules: tuple[Wanted, ...] = ()
    overlap: timedelta | None = None

    @property
    def next_start(self) -> datetime | None:
        """Where the next job begins, if what this one proves of its hours is sealed for it.

        Not before this one: of a first window that is shorter than the overlap nobody read more.
        """
        if self.overlap is None or not (self.log_files and self.unreferenced):
            return None
        return max(self.window.start, self.window.end - self.overlap)

    @property
    def requested(self) -> Requested:
        """What the record says was asked for."""
        return Requested(
            start=self.window.start,
            end=self.window.end,
            account_ids=self.account_ids,
            source_regions=self.source_regions,
            ignored=self.ignored,
            unreferenced=self.unreferenced,
            allow_gaps=self.allow_gaps,
            log_files=self.log_files,
        )

    def scope(self, now: datetime) -> Scope:
        """What decides which chains are expected."""
        return Scope(
            trail=self.trail,
            window=self.window,
            now=now,
            account_ids=self.account_ids,
            source_regions=self.source_regions,
            ignored=self.ignored,
            known={
                pair: min(since for one in chains if (since := one.since) is not None)
                for pair, chains in self.known_chains().items()
                if any(one.since is not None for one in chains)
            },
        )

    def known_chains(self) -> dict[Pair, tuple[KnownChain, ...]]:
        """What is known of this trail, by account and region: a standard and a backfill chain."""
        meant = (self.trail.name, self.trail.home_region)
        chains: dict[Pair, tuple[KnownChain, ...]] = {}
        for known in self.known:
            if (known.chain.trail_name, known.chain.home_region) == meant:
                pair = (known.chain.account_id, known.chain.region)
                chains[pair] = (*chains.get(pair, ()), known)
        return chains

    def unsigned_writers(self, account_id: str, region: str) -> tuple[Trail, ...]:
        """The neighbours without validation that write log files of this account and region."""
        return tuple(
            trail
            for trail in self.unsigned_neighbours
            if (trail.multi_region or trail.home_region == region)
            and (trail.is_organization or trail.account_id == account_id)
        )
