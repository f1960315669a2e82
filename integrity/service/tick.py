"""One tick for one trail: look, write it down, decide, commit, tell, and say that it was all done.

1. load the state, and hold it against the newest record (`memory`)
2. verify from the attempted position, with an overlap (`window`), and look again at open incidents
   and at the past (`looking`)
3. write the record, which names its predecessor
4. ask the rules about the events (`hearing`), and decide incidents and messages (`incidents`)
5. commit checkpoint, incidents and letters, all or nothing, if nobody was faster
6. deliver what is due, this tick's letters and older ones (`outbox`)
7. put the numbers, and last the heartbeat (`telling`)

It may die anywhere: the next tick does the same again, and a message is repeated rather than lost.
A broken destination delays messages, never verdicts. It decides nothing about a trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from logging import getLogger

from msgspec import Struct

from integrity.chain.known import settle
from integrity.chain.model import TimeWindow
from integrity.chain.times import DAY
from integrity.errors import AccessError
from integrity.incidents.acknowledged import acknowledged
from integrity.incidents.decide import Decision, decide
from integrity.incidents.first_seen import date_findings
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Notice, Recorded, Remark
from integrity.incidents.tick import Tick as Told
from integrity.record import Run, encode
from integrity.service.checkpoint import next_checkpoint, summarize
from integrity.service.hearing import Heard, Hearing
from integrity.service.looking import Looked, Looking
from integrity.service.memory import lost_memory
from integrity.service.outbox import Outbox, address
from integrity.service.past import PastPolicy
from integrity.service.ports import MetricsSink, OpenTrail, RecordStore, StateStore, TrailOpener
from integrity.service.reconcile import Waiting
from integrity.service.telling import Telling
from integrity.service.window import next_window
from integrity.state import (
    Audience,
    Checkpoint,
    Commit,
    ConflictError,
    Incident,
    Letter,
    RunSummary,
    TrailState,
)
from integrity.structs import replace
from integrity.verify.accept import accept
from integrity.verify.parallel import Stopping
from integrity.verify.run import Verification

_MOST_DECISIONS = 5
"""So often does a tick decide again where persons were faster."""

_log = getLogger(__name__)


class Watch(Struct, frozen=True, kw_only=True):
    """How one trail is watched.

    Each tick looks `overlap` back behind where the last one stopped, the first one at
    `first_window`. `destinations` are names that the outbox knows. Without `past` no day is watched
    that the window has left behind.
    """

    trail_arn: str
    account_id: str
    home_region: str
    overlap: timedelta
    first_window: timedelta
    policy: Policy
    destinations: Mapping[Audience, tuple[str, ...]]
    per_chain_metrics: bool = False
    past: PastPolicy | None = None
    unconfirmed_after: timedelta = DAY


class Accepting(Struct, frozen=True):
    """A person takes what the bucket holds now for the chains' truth, and says why."""

    reason: str


class Ticked(Struct, frozen=True):
    """A tick that was made and kept. `trouble`: why it was not told to its end, or empty."""

    run: Run
    trouble: str = ""


class _Kept(Struct, frozen=True):
    """Every incident that was open or has changed, and whether that was committed."""

    incidents: tuple[Incident, ...]
    is_committed: bool


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
        rules: Hearing | None = None,
    ) -> None:
        self._watch = watch
        self._trails = trails
        self._store = store
        self._records = records
        self._clock = clock
        self._rules = rules
        self._telling = Telling(
            trail_arn=watch.trail_arn,
            store=store,
            outbox=outbox,
            metrics=metrics,
            clock=clock,
            per_chain=watch.per_chain_metrics,
        )

    def run(self, stopping: Stopping, *, accepting: Accepting | None = None) -> Ticked:
        """The record of what happened since the last tick.

        Raises IntegrityError where the trail, the store or the credentials stand in the way, or
        nothing could be accepted: then nothing was committed, and there is no heartbeat.
        """
        state, now = self._store.load(self._watch.trail_arn), self._clock()
        notices = list(self._check_memory(state, now))
        opened = self._trails.open(state.checkpoint.trail if state.checkpoint else None)
        waiting = Waiting(
            self._store.sightings,
            self._watch.trail_arn,
            after=self._watch.unconfirmed_after,
            now=now,
        )
        looked = self._look(opened, state, waiting, accepting, stopping)
        run = looked.verification.run
        if accepting is not None and run.run.interrupted:
            raise AccessError("interrupted before every chain was looked at: nothing was accepted")
        document = encode(run)
        uri = self._write(run, document, notices)
        heard = self._hear([looked.verification, *looked.looks], state, now, notices)
        main, looks = replace(run, looks=()), run.looks
        told = Told(
            main=Recorded(main, uri),
            looks=tuple(Recorded(look, uri) for look in looks),
            notices=tuple(notices),
        )
        checkpoint = next_checkpoint(
            state.checkpoint,
            looked.verification,
            opened.trail,
            rules=looked.rules,
            uri=uri,
            document=document,
            heard=heard,
        )
        summary = summarize(run, uri=uri, document=document)
        kept = self._keep(told, state, looked, checkpoint, summary, heard.letters)
        if not kept.is_committed and accepting is not None:
            raise AccessError("another tick ended meanwhile: nothing was accepted; try again")
        if stopping.is_set():  # who was asked to stop has no time for it
            return Ticked(run)
        return Ticked(run, self._telling.tell(run, kept.incidents, heard.totals, waiting))

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

    def _look(
        self,
        opened: OpenTrail,
        state: TrailState,
        waiting: Waiting,
        accepting: Accepting | None,
        stopping: Stopping,
    ) -> Looked:
        """The tick's window, and what it has left behind, as one record."""
        watch, now = self._watch, waiting.now
        months = () if watch.past is None else self._store.load_months(watch.trail_arn)
        window = next_window(state.checkpoint, now, overlap=watch.overlap, first=watch.first_window)
        looking = Looking(
            opened,
            state,
            months,
            past=watch.past,
            waiting=waiting,
            wanted=self._rules.wanted if self._rules is not None else (),
            stopping=stopping,
        )
        looked = looking.look(window, overlap=watch.overlap, accepting=accepting is not None)
        run, known = looked.verification.run, looked.verification.known
        run = date_findings(run, state.incidents, looked.policy(watch.policy), looked.at)
        run = replace(run, acknowledged=acknowledged(state.incidents))
        if accepting is not None:
            who = run.run.caller_arn or "unknown"
            given_up = accept(known, who=who, why=accepting.reason, at=run.run.judged_at)
            run, known = replace(run, accepted=given_up), tuple(settle(one) for one in known)
        verification = replace(looked.verification, run=run, known=known)
        return replace(looked, verification=verification)

    def _hear(
        self,
        verifications: list[Verification],
        state: TrailState,
        now: datetime,
        notices: list[Notice],
    ) -> Heard:
        """What the rules make of the events; of a service without rules, nothing."""
        if self._rules is None:
            return Heard()
        arn = self._watch.trail_arn
        heard = self._rules.hear(verifications, before=state.checkpoint, trail_arn=arn, now=now)
        if heard.trouble:
            notices.append(self._notice(Remark.RULE_STOPPED, "; ".join(heard.trouble), now))
        return heard

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

    def _keep(
        self,
        told: Told,
        state: TrailState,
        looked: Looked,
        checkpoint: Checkpoint,
        summary: RunSummary,
        matched: tuple[Letter, ...],
    ) -> _Kept:
        """Decide, and commit: not if another tick was faster, which saw the same bucket.

        A person who was faster, with an acknowledgement, saw none: it is decided again on that.
        """
        policy = looked.policy(self._watch.policy)
        begun_at, standing = state.checkpoint, state.incidents
        for _ in range(_MOST_DECISIONS):
            decision = decide(told, state.incidents, policy=policy, now=looked.at)
            commit = Commit(
                trail_arn=self._watch.trail_arn,
                version=state.version,
                checkpoint=checkpoint,
                incidents=decision.incidents,
                letters=(*address(decision.messages, self._watch.destinations), *matched),
                run=summary,
                months=looked.months,
            )
            standing = _standing(state.incidents, decision)
            try:
                self._store.commit(commit)
            except ConflictError:
                state = self._store.load(self._watch.trail_arn)
            else:
                return _Kept(standing, is_committed=True)
            if state.checkpoint != begun_at:
                break
        _log.warning("another tick was faster", extra={"run": summary.run_id})
        return _Kept(standing, is_committed=False)


def _standing(before: Iterable[Incident], decision: Decision) -> tuple[Incident, ...]:
    """Every incident that was open or has changed, as it is now."""
    standing = {one.id: one for one in before} | {one.id: one for one in decision.incidents}
    return tuple(standing.values())
