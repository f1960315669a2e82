"""A watched trail: opened anew at each tick, as the configuration says, and verified."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from integrity.chain.estate import ExpirationRule, Unasked
from integrity.chain.model import TimeWindow, Trail
from integrity.errors import UsageError
from integrity.incidents.looks import Look
from integrity.record import Run
from integrity.service.proofs import Proof
from integrity.verify.claim import MeantTrail
from integrity.verify.days import DayKey, ListedDay, list_days
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import Untold
from integrity.verify.tools import Tools
from integrity.wiring.configuration import access_of, claim_of
from integrity.wiring.connection import Connection, connect

if TYPE_CHECKING:
    from integrity.chain.known import KnownChain
    from integrity.config.model import Config, TrailTable
    from integrity.events.search import Wanted
    from integrity.verify.run import Verification


class WatchedTrail(Struct, frozen=True):
    """The way to one trail of the configuration. `written` are buckets that rules write to."""

    table: TrailTable
    config: Config
    clock: Callable[[], datetime]
    written: frozenset[str] = frozenset()

    def open(self, remembered: Trail | None) -> Opened:
        """With fresh credentials. Raises UsageError where its bucket holds what we write, too."""
        connection = connect(access_of(self.table, self.config), now=self.clock())
        meant = connection.open_trail(claim_of(self.table), remembered)
        self._refuse_own_records(meant.trail)
        self._refuse_own_messages(meant.trail)
        return Opened(connection, meant, self)

    def _refuse_own_records(self, trail: Trail) -> None:
        records = self.config.records
        if records.same_bucket or not f"{records.place}/".startswith(f"s3://{trail.bucket}/"):
            return
        raise UsageError(
            f"records.place {records.place} lies in the bucket that is audited: who can change the "
            "logs could change the records; name another bucket, or set records.same_bucket = true"
        )

    def _refuse_own_messages(self, trail: Trail) -> None:
        audiences = self.config.audiences
        places = (*audiences.security.s3, *audiences.operations.s3)
        if trail.bucket in {place.bucket for place in places} | self.written:
            raise UsageError(
                f"messages would be written to {trail.bucket}, which is audited: they are no "
                "files of CloudTrail's, and would be found; name another bucket"
            )


class Opened(Struct, frozen=True):
    """The trail, with the credentials of one tick."""

    connection: Connection
    meant: MeantTrail
    watched: WatchedTrail

    @property
    def trail(self) -> Trail:
        return self.meant.trail

    def verify(
        self,
        window: TimeWindow,
        *,
        known: tuple[KnownChain, ...],
        previous_sha256: str | None,
        accepting: bool,
        rules: tuple[Wanted, ...],
        overlap: timedelta | None,
        stopping: Stopping,
    ) -> Verification:
        """All of it over a window."""
        table = self.watched.table
        return self._run(
            self._job(
                window,
                account_ids=table.account_ids or None,
                source_regions=table.source_regions or None,
                known=known,
                accepting=accepting,
                rules=rules,
                overlap=overlap,
            ),
            stopping,
            previous_sha256,
        )

    def look(
        self,
        look: Look,
        *,
        known: tuple[KnownChain, ...],
        known_rules: tuple[ExpirationRule, ...] | None,
        rules: tuple[Wanted, ...],
        stopping: Stopping,
    ) -> Verification:
        """One account's region."""
        job = self._job(
            look.window,
            account_ids=(look.account_id,),
            source_regions=(look.region,),
            known=known,
            known_rules=known_rules,
            rules=rules,
        )
        return self._run(job, stopping, None)

    def prove(
        self,
        proof: Proof,
        *,
        known: tuple[KnownChain, ...],
        known_rules: tuple[ExpirationRule, ...] | None,
        stopping: Stopping,
    ) -> Run:
        """Regions of one account, over past days."""
        job = self._job(
            proof.window,
            account_ids=(proof.account_id,),
            source_regions=proof.regions,
            known=known,
            known_rules=known_rules,
        )
        return self._run(job, stopping, None).run

    def list_days(
        self, days: Sequence[DayKey], *, stopping: Stopping
    ) -> Mapping[DayKey, ListedDay | None]:
        """Past days as their folders show them."""
        now = self.watched.clock()
        job = self._job(TimeWindow(now, now), account_ids=None, source_regions=None)
        executor = ThreadPoolExecutor(job.concurrency)
        try:
            sources = self.connection.open_sources()
            tools = Tools(*sources, executor, now, Untold(), stopping)
            return list_days(job, tools, days)
        finally:
            executor.shutdown(wait=not stopping.is_set(), cancel_futures=True)

    def fetch_rules(self) -> tuple[ExpirationRule, ...] | Unasked:
        """The lifecycle rules of the trail's bucket."""
        _, _, rules = self.connection.open_sources()
        assert rules is not None  # noqa: S101 - a bucket in AWS has somebody who tells them
        return rules.fetch_rules(self.meant.trail.bucket)

    def _job(
        self,
        window: TimeWindow,
        *,
        account_ids: tuple[str, ...] | None,
        source_regions: tuple[str, ...] | None,
        known: tuple[KnownChain, ...] = (),
        known_rules: tuple[ExpirationRule, ...] | None = None,
        accepting: bool = False,
        rules: tuple[Wanted, ...] = (),
        overlap: timedelta | None = None,
    ) -> Job:
        table = self.watched.table
        return Job(
            trail=self.meant.trail,
            window=window,
            account_ids=account_ids,
            source_regions=source_regions,
            ignored=table.ignore,
            grace=table.grace,
            redelivery_grace=table.redelivery_grace,
            unsigned_neighbours=self.meant.unsigned_neighbours,
            concurrency=self.watched.config.service.concurrency,
            known=known,
            known_rules=known_rules,
            accepting=accepting,
            rules=rules,
            overlap=overlap,
        )

    def _run(self, job: Job, stopping: Stopping, previous_sha256: str | None) -> Verification:
        return self.connection.verify(
            job,
            progress=Untold(),
            clock=self.watched.clock,
            stopping=stopping,
            names_valid=False,
            previous_sha256=previous_sha256,
        )
