"""The service as it is configured: its stores, its destinations, and a tick for each trail.

What it keeps and whom it tells is reached with the process's own credentials; a trail with those of
its roles. One trail that cannot be verified stops no other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from logging import getLogger
from threading import Event
from typing import TYPE_CHECKING

from msgspec import Struct

from integrity.aws.session import Aws, AwsRecipe
from integrity.errors import AccessError, IntegrityError, UsageError
from integrity.incidents.acknowledged import give
from integrity.incidents.whole import whole
from integrity.record import ExitStatus, Run, exit_status
from integrity.service.acknowledge import keep_acknowledgement
from integrity.service.drilled import Drilled
from integrity.service.hearing import Hearing
from integrity.service.outbox import Delivered, Outbox
from integrity.service.ports import Destination, MetricsSink, RecordStore, StateStore
from integrity.service.tick import Accepting, Tick
from integrity.sources.claimed import parse_trail_arn
from integrity.state import Audience, Incident
from integrity.stores.places import open_record_store, open_state_store
from integrity.structs import replace
from integrity.verify.parallel import Stopping
from integrity.wiring.destinations import name_destinations, open_destinations
from integrity.wiring.drilling import keep_drill, make_drill
from integrity.wiring.rules import (
    Rulebook,
    find_rules,
    load_rules,
    open_programs,
    open_rule_destinations,
    written_buckets,
)
from integrity.wiring.signed_records import SignedRecords
from integrity.wiring.signing import open_signer
from integrity.wiring.told import log_run
from integrity.wiring.watched import WatchedTrail
from integrity.wiring.watches import watch_of

if TYPE_CHECKING:
    from integrity.config.model import Config, TrailTable

GIVE_UP_AFTER = timedelta(days=3)

_STRAY_AFTER = timedelta(hours=1)
"""The function that takes live events tries its own letters every quarter of an hour."""

_log = getLogger(__name__)


class TrailTick(Struct, frozen=True):
    """What came of one trail: its record as one (`whole`). `status` is the exit status.

    `error` says why there is no record, or what hindered the tick after its record was kept.
    """

    trail_arn: str
    run: Run | None
    status: int
    error: str = ""


class Service:
    """Everything that the configuration names, opened when it is first needed."""

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock

    def tick(self, stopping: Stopping) -> list[TrailTick]:
        """One tick of each trail, in order, until `stopping` is set."""
        ticks = [self._tick(table, stopping) for table in self._config.trails]
        if any(tick.run is None for tick in ticks) and not stopping.is_set():
            self._deliver_anyway()
        return ticks

    def accept(self, trail_arn: str, reason: str, stopping: Stopping) -> Run:
        """Take what the bucket holds for the truth.

        Raises UsageError for a trail that is not configured, AccessError where it was interrupted
        or another tick was faster: then nothing was accepted.
        """
        ticked = self._tick_of(self._table(trail_arn)).run(stopping, accepting=Accepting(reason))
        log_run(ticked.run)
        return ticked.run

    def drill(
        self,
        trail_arn: str | None,
        *,
        timeout: timedelta,
        queue_urls: Sequence[str],
        stopping: Event,
    ) -> Drilled:
        """Prove that somebody would be told of this trail, or of the only one; and keep how it was.

        Raises UsageError for a trail that is not configured, or where one has to be named.
        """
        drilled = make_drill(
            self._config,
            self._table(trail_arn),
            clock=self._clock,
            timeout=timeout,
            queue_urls=queue_urls,
            stopping=stopping,
        )
        keep_drill(self.records, drilled)
        return drilled

    def last_attempted(self) -> datetime | None:
        """Up to when every trail was looked at; None: never. A tick that was cut short is no tick.

        Raises as the store does.
        """
        kept = [self.store.load(table.trail_arn).checkpoint for table in self._config.trails]
        attempted = [one.attempted for one in kept if one is not None]
        return min(attempted) if len(attempted) == len(kept) else None

    def list_incidents(self, *, since: datetime) -> list[Incident]:
        """Of all trails: open ones, and those resolved at `since` or later."""
        return [
            incident
            for table in self._config.trails
            for incident in self.store.list_incidents(table.trail_arn, since=since)
        ]

    def acknowledge(self, start: str, reason: str, until: timedelta | datetime | None) -> Incident:
        """Quiet the open incident whose id begins so, in the caller's name; `until` None: speak.

        Raises UsageError where there is no such incident or the time is none to come, AccessError
        where nobody says who calls.
        """
        home = parse_trail_arn(self._config.trails[0].trail_arn)
        caller = self._aws.caller(home.region if home else None)
        if caller is None:
            raise AccessError(
                "STS does not say who you are (sts:GetCallerIdentity), and what is acknowledged is "
                "so in somebody's name: try again"
            )
        given = give(caller.arn, reason, self._clock(), until)
        arns = [table.trail_arn for table in self._config.trails]
        return keep_acknowledgement(self.store, arns, start, given)

    def replay(self, letter_id: str | None) -> Delivered:
        """Try a letter that has not arrived again now, or all of them, and whatever else is due.

        Raises UsageError where there is no such letter.
        """
        now = self._clock()
        unsent = [one for one in self.store.unsent_letters() if letter_id in (None, one.id)]
        if letter_id is not None and not unsent:
            raise UsageError(
                f"no unsent message has the id {letter_id}: see `integrity outbox list`"
            )
        for letter in unsent:
            # What is due already may be on its way through another process: its lease stays.
            if letter.dead or letter.due > now:
                self.store.mark_failed(replace(letter, dead=False, due=now))
        # Who asks is told of a destination that nobody has.
        return self._open_outbox(timedelta()).deliver(now)

    @cached_property
    def store(self) -> StateStore:
        """Where checkpoints, incidents and letters are."""
        return open_state_store(self._config.state.place, self._open_aws)

    @cached_property
    def records(self) -> RecordStore:
        """Where records are."""
        records = self._config.records
        store = open_record_store(records.place, self._open_aws, kms_key_id=records.kms_key_id)
        if records.sign is None:
            return store
        sign = partial(open_signer, records.sign, os.environ, self._open_aws)
        return SignedRecords(store, sign, self._clock)

    @cached_property
    def outbox(self) -> Outbox:
        """What is on its way."""
        return self._open_outbox(_STRAY_AFTER)

    def _open_outbox(self, stray_after: timedelta) -> Outbox:
        return Outbox(
            self.store, self._destinations, give_up_after=GIVE_UP_AFTER, stray_after=stray_after
        )

    def _tick(self, table: TrailTable, stopping: Stopping) -> TrailTick:
        if stopping.is_set():
            error = "interrupted before its turn"
            return TrailTick(table.trail_arn, None, ExitStatus.INTERRUPTED, error)
        try:
            ticked = self._tick_of(table).run(stopping)
        except IntegrityError as error:
            _log.error("tick failed", extra={"trail": table.trail_arn, "error": str(error)})
            status = ExitStatus.USAGE if isinstance(error, UsageError) else ExitStatus.UNDETERMINED
            return TrailTick(table.trail_arn, None, status, str(error))
        run = whole(ticked.run)
        log_run(run)
        status = ExitStatus.INTERRUPTED if run.run.interrupted else exit_status(run)
        return TrailTick(table.trail_arn, run, status, ticked.trouble)

    def _tick_of(self, table: TrailTable) -> Tick:
        return Tick(
            watch_of(table, self._config, self._names),
            trails=WatchedTrail(table, self._config, self._clock, self._written),
            store=self.store,
            records=self.records,
            outbox=self.outbox,
            metrics=self._metrics,
            clock=self._clock,
            rules=self._hearing,
        )

    def _table(self, trail_arn: str | None) -> TrailTable:
        """The trail that is named, or without a name the only one."""
        for table in self._config.trails:
            if table.trail_arn == trail_arn:
                return table
        if trail_arn is None and len(self._config.trails) == 1:
            return self._config.trails[0]
        known = ", ".join(table.trail_arn for table in self._config.trails)
        if trail_arn is None:
            raise UsageError(f"the configuration has several trails, name one of them: {known}")
        raise UsageError(f"the configuration has no trail {trail_arn}; there are: {known}")

    def _deliver_anyway(self) -> None:
        """Older letters do not wait for a trail that cannot be verified."""
        try:
            self.outbox.deliver(self._clock())
        except IntegrityError as error:
            _log.error("messages not delivered", extra={"error": str(error)})

    def _open_aws(self) -> Aws:
        return self._aws

    @cached_property
    def _aws(self) -> Aws:
        return AwsRecipe().open()

    @cached_property
    def _metrics(self) -> MetricsSink | None:
        from integrity.deliver.cloudwatch import Metrics

        metrics = self._config.metrics
        return Metrics(self._aws, metrics.namespace, metrics.region) if metrics.enabled else None

    @cached_property
    def _destinations(self) -> Mapping[str, Destination]:
        destinations, _ = open_destinations(self._config, self._open_aws)
        rulebook = self._rulebook
        if not isinstance(rulebook, Rulebook):
            return destinations
        return {**destinations, **open_rule_destinations(rulebook, self._open_aws)}

    @cached_property
    def _rulebook(self) -> Rulebook | IntegrityError | None:
        """The rules; why they cannot be used, which no verdict waits for."""
        place = self._config.rules.file or find_rules(os.environ)
        if place is None:
            return None
        try:
            return load_rules(os.environ, place)
        except IntegrityError as error:
            return error

    @cached_property
    def _written(self) -> frozenset[str]:
        rulebook = self._rulebook
        return written_buckets(rulebook) if isinstance(rulebook, Rulebook) else frozenset()

    @cached_property
    def _hearing(self) -> Hearing | None:
        rulebook = self._rulebook
        if isinstance(rulebook, Rulebook):
            return Hearing(rulebook.rules, rulebook.open_programs)
        if rulebook is None:
            return None
        return Hearing((), partial(open_programs, ()), fault=str(rulebook))

    @cached_property
    def _names(self) -> Mapping[Audience, tuple[str, ...]]:
        return name_destinations(self._config)
