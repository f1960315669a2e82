"""One tick for one trail: look, write it down, decide, commit, tell, and say that it was all done.

1. load the state, and hold it against the newest record (`memory`)
2. verify from the attempted position, with an overlap (`window`), and look again at open incidents
3. write the record, which names its predecessor
4. decide incidents and messages (`incidents`)
5. commit checkpoint, incidents and letters, all or nothing, if nobody was faster
6. deliver what is due, this tick's letters and older ones (`outbox`)
7. put the numbers, and last the heartbeat

It may die anywhere: the next tick does the same again, and a message is repeated rather than lost.
A broken destination delays messages, never verdicts. It decides nothing about a trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from logging import getLogger

from integrity.chain.known import settle
from integrity.chain.model import TimeWindow, Trail
from integrity.errors import AccessError
from integrity.incidents.decide import Decision, decide
from integrity.incidents.looks import due_looks
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Notice, Recorded, Remark
from integrity.incidents.tick import Tick as Told
from integrity.metrics import Meter
from integrity.record import Run, encode
from integrity.service.memory import lost_memory, sha256_of
from integrity.service.outbox import Outbox, letters_of
from integrity.service.ports import MetricsSink, OpenTrail, RecordStore, StateStore, TrailOpener
from integrity.service.window import next_window
from integrity.state import (
    Audience,
    Checkpoint,
    Commit,
    ConflictError,
    DeliveryError,
    Incident,
    RunSummary,
    TrailState,
)
from integrity.verify.accept import accept
from integrity.verify.parallel import Stopping
from integrity.verify.run import Verification

_MOST_LOOKS = 20
"""Windows of open incidents that one tick looks at again; what is left over stays due."""

_log = getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How one trail is watched.

    Each tick looks `overlap` back behind where the last one stopped, the first one at
    `first_window`. `destinations` are names that the outbox knows.
    """

    trail_arn: str
    account_id: str
    home_region: str
    overlap: timedelta
    first_window: timedelta
    policy: Policy
    destinations: Mapping[Audience, tuple[str, ...]]
    per_chain_metrics: bool = False


@dataclass(frozen=True, slots=True)
class Accepting:
    """A person takes what the bucket holds now for the chains' truth, and says why."""

    reason: str


class Tick:
    """Everything that a tick of one trail works with."""

    def __init__(
        self,
        watch: Watch,
        *,
        trails: TrailOpener,
        store: StateStore,
        records: RecordStore,
        outbox: Outbox,
        metrics: MetricsSink | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._watch = watch
        self._trails = trails
        self._store = store
        self._records = records
        self._outbox = outbox
        self._metrics = metrics
        self._clock = clock

    def run(self, stopping: Stopping, *, accepting: Accepting | None = None) -> Run:
        """The record of what happened since the last tick.

        Raises IntegrityError where the trail, the store or the credentials stand in the way: then
        nothing was committed, and there is no heartbeat.
        """
        state, now = self._store.load(self._watch.trail_arn), self._clock()
        notices = list(self._check_memory(state, now))
        opened = self._trails.open(state.checkpoint.trail if state.checkpoint else None)
        verification = self._verify(opened, state, now, accepting, stopping)
        run = verification.run
        document = encode(run)
        uri = self._write(run, document, notices)
        main, looks = replace(run, looks=()), run.looks
        told = Told(
            main=Recorded(main, uri),
            looks=tuple(Recorded(look, uri) for look in looks),
            notices=tuple(notices),
        )
        decision = decide(told, state.incidents, policy=self._watch.policy, now=now)
        checkpoint = _checkpoint(state.checkpoint, verification, opened.trail)
        if uri:
            checkpoint = _recorded(checkpoint, uri, document)
        if not self._commit(state, run, checkpoint, decision) and accepting is not None:
            raise AccessError("another tick ended meanwhile: nothing was accepted; try again")
        self._tell(run, _standing(state.incidents, decision), stopping)
        return run

    # Looking

    def _check_memory(self, state: TrailState, now: datetime) -> Iterator[Notice]:
        try:
            newest = self._records.newest(self._watch.trail_arn)
        except AccessError as error:
            yield self._notice(Remark.RECORDS_UNREADABLE, str(error), now)
            return
        why = lost_memory(state.checkpoint, newest)
        if why:
            yield self._notice(Remark.STATE_LOST, why, now)

    def _notice(self, remark: Remark, detail: str, now: datetime) -> Notice:
        _log.error(remark.value, extra={"trail": self._watch.trail_arn, "detail": detail})
        return Notice(
            remark=remark,
            account_id=self._watch.account_id,
            region=self._watch.home_region,
            window=TimeWindow(now, now),
            detail=detail,
        )

    def _verify(
        self,
        opened: OpenTrail,
        state: TrailState,
        now: datetime,
        accepting: Accepting | None,
        stopping: Stopping,
    ) -> Verification:
        """The tick's window, and those of incidents that it has left behind, as one record."""
        watch, checkpoint = self._watch, state.checkpoint
        window = next_window(checkpoint, now, overlap=watch.overlap, first=watch.first_window)
        known = () if checkpoint is None else checkpoint.chains
        verification = opened.verify(
            window,
            known=known,
            previous_sha256=None if checkpoint is None else checkpoint.record_sha256,
            accepting=accepting is not None,
            stopping=stopping,
        )
        looks = [
            opened.look(look, stopping=stopping)
            for look in due_looks(state.incidents, window, now, limit=_MOST_LOOKS)
            if not stopping.is_set()
        ]
        run, known = replace(verification.run, looks=tuple(looks)), verification.known
        if accepting is not None:
            who = run.run.caller_arn or "unknown"
            given_up = accept(known, who=who, why=accepting.reason, at=run.run.judged_at)
            run, known = replace(run, accepted=given_up), tuple(settle(one) for one in known)
        return Verification(run, known)

    # Keeping

    def _write(self, run: Run, document: bytes, notices: list[Notice]) -> str:
        """Where the record lies; nowhere, if it could not be kept: that is told, not fatal."""
        arn, info = self._watch.trail_arn, run.run
        try:
            return self._records.write(arn, info.started_at, info.id, document)
        except AccessError as error:
            if not any(one.remark is Remark.RECORDS_UNREADABLE for one in notices):
                notice = self._notice(Remark.RECORDS_UNREADABLE, str(error), info.judged_at)
                notices.append(notice)
            return ""

    def _commit(
        self, state: TrailState, run: Run, checkpoint: Checkpoint, decision: Decision
    ) -> bool:
        """Whether it was kept: not if another tick was faster, which saw the same bucket."""
        destinations = self._watch.destinations
        letters = [
            letter
            for message in decision.messages
            for letter in letters_of(message, destinations.get(message.audience, ()))
        ]
        commit = Commit(
            trail_arn=self._watch.trail_arn,
            version=state.version,
            checkpoint=checkpoint,
            incidents=decision.incidents,
            letters=tuple(letters),
            run=_summary(run, checkpoint),
        )
        try:
            self._store.commit(commit)
        except ConflictError:
            _log.warning("another tick was faster", extra={"run": run.run.id})
            return False
        return True

    # Telling

    def _tell(self, run: Run, incidents: Sequence[Incident], stopping: Stopping) -> None:
        """Letters, numbers, and that the tick went through. Who was asked to stop has no time."""
        if stopping.is_set():
            return
        delivered = self._outbox.deliver(self._clock())
        if self._metrics is None:
            return
        meter = Meter(self._watch.trail_arn, run.run.judged_at)
        points = [
            *meter.verification(run, incidents),
            *meter.messages(due=delivered.due, sent=delivered.sent),
            *(meter.chains(run) if self._watch.per_chain_metrics else ()),
        ]
        try:
            self._metrics.put(points)
            self._metrics.put([meter.heartbeat()])
        except DeliveryError as error:
            # The missing heartbeat is what tells of it.
            _log.error("metrics not put", extra={"error": str(error)})


def _standing(before: Iterable[Incident], decision: Decision) -> tuple[Incident, ...]:
    """Every incident that was open or has changed, as it is now."""
    standing = {one.id: one for one in before} | {one.id: one for one in decision.incidents}
    return tuple(standing.values())


def _checkpoint(before: Checkpoint | None, verification: Verification, trail: Trail) -> Checkpoint:
    """As far as was attempted, which an interruption does not count as; it has no record yet.

    The trail is kept as AWS described it last.
    """
    run = verification.run
    attempted = run.requested.end
    if run.run.interrupted:
        attempted = run.requested.start if before is None else before.attempted
    if before is not None and before.trail is not None and not trail.looked_up:
        trail = before.trail
    return Checkpoint(
        trail_arn=run.trail_arn,
        attempted=attempted,
        chains=verification.known,
        record_sha256=None if before is None else before.record_sha256,
        record_uri="" if before is None else before.record_uri,
        previous_record_sha256=None if before is None else before.previous_record_sha256,
        trail=trail,
    )


def _recorded(checkpoint: Checkpoint, uri: str, document: bytes) -> Checkpoint:
    return replace(
        checkpoint,
        record_sha256=sha256_of(document),
        record_uri=uri,
        previous_record_sha256=checkpoint.record_sha256,
    )


def _summary(run: Run, checkpoint: Checkpoint) -> RunSummary:
    return RunSummary(
        run_id=run.run.id,
        started_at=run.run.started_at,
        finished_at=run.run.finished_at,
        window=run.requested.window,
        outcome=run.outcome,
        findings=sum(finding.count for finding in run.findings),
        record_uri=checkpoint.record_uri,
        record_sha256=checkpoint.record_sha256 or "",
    )
