"""A tick's findings and the open incidents, to what changed of these and what there is to tell.

1. Every finding joins the open incident of its matter, or opens one.
2. An incident that was not found is over only where the tick answers for all of its window and
   nothing hides it. One that nobody was told of ends without a word.
3. An audience is told when a route to it has run out of patience, and only of what was found in
   this very tick; who was told hears when it gets worse, daily that it lasts, and that it is over.
   An acknowledgement quiets the daily reminder until it ends, and nothing else.
4. What the tick's window has left behind is looked at again when there may be something to tell,
   and never within the hour.

To decide the same tick again, on what came of it, changes nothing and tells nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from integrity.chain.findings import Outcome, worst
from integrity.chain.times import HOUR, format_instant
from integrity.incidents.acknowledged import has_run_out, in_force
from integrity.incidents.answers import Answers
from integrity.incidents.causes import NATURES, Cause, Nature
from integrity.incidents.joining import hull_of, join_traces
from integrity.incidents.messages import News, write_messages
from integrity.incidents.named import name_more, named_by
from integrity.incidents.policy import Policy, Route, routes
from integrity.incidents.tick import Tick
from integrity.incidents.traces import Trace, find_traces
from integrity.state import Audience, Incident, Message, Step
from integrity.structs import replace

EARLY = timedelta(minutes=30)
"""A daily reminder may come so much early, or it would come an hour later every day."""

_RARELY = timedelta(days=30)


class Decision(Struct, frozen=True):
    """What changed, resolved incidents included, and what is to be told."""

    incidents: tuple[Incident, ...]
    messages: tuple[Message, ...]


def decide(tick: Tick, incidents: Sequence[Incident], *, policy: Policy, now: datetime) -> Decision:
    """What one tick of one trail makes of the incidents that are open."""
    return _Decider(tick, incidents, policy, now).decide()


class _Decider:
    def __init__(
        self, tick: Tick, incidents: Sequence[Incident], policy: Policy, now: datetime
    ) -> None:
        self._tick, self._incidents = tick, incidents
        self._policy, self._now = policy, now
        self._answers = Answers(tick)
        self._changed: list[Incident] = []
        self._news: list[News] = []

    def decide(self) -> Decision:
        traces_found = find_traces(self._tick, self._incidents, self._policy, self._now)
        joined = join_traces(traces_found, self._incidents)
        for incident in self._incidents:
            traces = joined.open.get(incident.id, [])
            if traces or incident.id in joined.shown:
                self._settle(incident, self._found(incident, traces), traces)
            else:
                self._unseen(incident)
        for traces in joined.new:
            fresh = self._fresh(traces)
            self._settle(fresh, fresh, traces)
        before = {one.id: one for one in self._incidents}
        changed = tuple(one for one in self._changed if before.get(one.id) != one)
        return Decision(changed, write_messages(self._news, self._now))

    # What was found

    def _fresh(self, traces: Sequence[Trace]) -> Incident:
        first, gravest = traces[0], _gravest(traces)
        place, arn = first.place, self._tick.main.run.trail_arn
        window = hull_of(trace.window for trace in traces)
        named = name_more({}, (trace.subject for trace in traces), self._now)
        marks = (
            arn,
            first.cause.value,
            place.account_id,
            place.region,
            format_instant(window.start),
            first.subject,
            format_instant(self._now),
        )
        return Incident(
            id=hashlib.sha256("\n".join(marks).encode(errors="replace")).hexdigest()[:12],
            trail_arn=arn,
            reason=gravest.reason,
            cause=first.cause.value,
            outcome=gravest.outcome,
            account_id=place.account_id,
            region=place.region,
            window=window,
            subjects=tuple(named),
            seen=tuple(named.values()),
            count=_count(traces),
            finding=gravest.finding,
            detail=gravest.detail,
            first_seen=self._now,
            last_seen=self._now,
            look_again=self._now,
        )

    def _found(self, incident: Incident, traces: Sequence[Trace]) -> Incident:
        again = self._now > incident.last_seen
        seen = replace(
            incident, last_seen=self._now, ticks=incident.ticks + 1 if again else incident.ticks
        )
        if not traces:
            return seen
        gravest, count = _gravest(traces), _count(traces)
        named = name_more(named_by(incident), (trace.subject for trace in traces), self._now)
        outcome = worst((incident.outcome, gravest.outcome))
        if outcome is gravest.outcome:
            is_graver = outcome is not incident.outcome
            seen = replace(
                seen,
                reason=gravest.reason if is_graver else incident.reason,
                finding=gravest.finding,
                detail=gravest.detail,
            )
        return replace(
            seen,
            outcome=outcome,
            window=hull_of((incident.window, *(trace.window for trace in traces))),
            subjects=tuple(named),
            seen=tuple(named.values()),
            count=count if self._answers.is_whole(incident) else max(incident.count, count),
            quiet_since=None if any(trace.by_main for trace in traces) else seen.quiet_since,
        )

    def _settle(self, before: Incident, after: Incident, traces: Sequence[Trace]) -> None:
        """Tell of an incident that was found, and keep it."""
        nature, told = NATURES[Cause(after.cause)], set(after.told)
        is_worse = after.outcome is not before.outcome or (
            nature.grows and after.count >= 2 * after.told_count
        )
        step = self._step_for_told(after, nature, is_worse=is_worse)
        steps = [(audience, step) for audience in after.told if step is not None]
        opening = Step.NOTED if nature.is_noted else Step.OPENED
        for route in routes(Cause(after.cause), after.reason, self._policy):
            if route.audience not in told and self._is_due(route, before, after, traces):
                told.add(route.audience)
                steps.append((route.audience, opening))
        after = self._told(after, steps, traces)
        self._changed.append(replace(after, look_again=self._next_look(after, nature)))

    def _is_due(
        self, route: Route, before: Incident, after: Incident, traces: Sequence[Trace]
    ) -> bool:
        now = self._now
        if after.ticks < route.ticks or now < after.first_seen + route.age:
            return False
        if route.closed is not None and now < _first_hour(after) + route.closed:
            return False
        if not route.is_single:
            return True
        return before.last_seen < now and any(
            trace.is_single
            and trace.subject in before.subjects
            and trace.window.end + route.age <= now
            for trace in traces
        )

    # What was not found

    def _unseen(self, incident: Incident) -> None:
        cause, answers, now = Cause(incident.cause), self._answers, self._now
        if cause in (Cause.EXPIRED, Cause.UNCONFIRMED):
            if now - incident.last_seen > timedelta(days=self._policy.past_days):
                self._changed.append(replace(incident, resolved=now))
            return
        is_hidden = answers.is_hidden(incident)
        is_whole = answers.is_whole(incident)
        if is_whole and not is_hidden:
            told = () if NATURES[cause].is_noted else incident.told
            over = replace(incident, resolved=now)
            self._changed.append(self._told(over, [(one, Step.RESOLVED) for one in told], ()))
            return
        self._changed.append(self._silent(incident, is_hidden=is_hidden, is_whole=is_whole))

    def _silent(self, incident: Incident, *, is_hidden: bool, is_whole: bool) -> Incident:
        """One that nobody can call over, nor say that it was found."""
        answers, nature, now = self._answers, NATURES[Cause(incident.cause)], self._now
        is_quiet = not is_hidden and answers.is_quiet(incident)
        after = replace(incident, ticks=0) if is_quiet else incident
        step = self._step_for_told(after, nature, is_worse=False)
        after = self._told(after, [(one, step) for one in after.told if step is not None], ())
        if is_whole:
            return replace(after, look_again=self._next_look(after, nature))
        if after.quiet_since is None and is_quiet:
            return replace(after, quiet_since=now, look_again=now + HOUR)
        if answers.was_looked_for(incident):
            return replace(after, look_again=now + HOUR)
        return after

    # What is told, and when it is looked at again

    def _step_for_told(self, after: Incident, nature: Nature, *, is_worse: bool) -> Step | None:
        """What there is to say to audiences that know of it."""
        if after.notified is None or nature.is_noted:
            return None
        if is_worse:
            return Step.WORSENED
        if in_force(after, self._now) is not None:
            return None
        waited = self._now - after.notified
        is_due = waited >= self._policy.remind_every - EARLY and not self._is_old(after, nature)
        if not is_due and not has_run_out(after, self._now):
            return None
        if self._answers.is_asked(after) or waited >= 2 * self._policy.remind_every:
            return Step.REMINDED
        return None

    def _is_old(self, incident: Incident, nature: Nature) -> bool:
        """A fact of the past that has been told often enough."""
        return nature.is_past and self._now - incident.first_seen > timedelta(
            days=self._policy.past_days
        )

    def _told(
        self, incident: Incident, steps: Sequence[tuple[Audience, Step]], traces: Sequence[Trace]
    ) -> Incident:
        if not steps:
            return incident
        uri = next((trace.record_uri for trace in traces), self._tick.main.uri)
        self._news += [News(incident, audience, step, uri) for audience, step in steps]
        return replace(
            incident,
            told=tuple(dict.fromkeys((*incident.told, *(audience for audience, _ in steps)))),
            notified=self._now,
            told_count=incident.count,
        )

    def _next_look(self, incident: Incident, nature: Nature) -> datetime:
        """When there may be news of it, but not within the hour."""
        now, every = self._now, self._policy.remind_every
        times, usual, known = [], now + _RARELY, in_force(incident, self._now)
        if not self._is_old(incident, nature):
            times, usual = [*self._thresholds(incident)], now + every
            if incident.notified is not None and known is None:
                times.append(incident.notified + every - EARLY)
        if known is not None:
            # What is quiet may get worse, or be over, as well as anything.
            times += [known.until, usual]
        return max(min(times, default=usual), now + HOUR)

    def _thresholds(self, incident: Incident) -> Iterator[datetime]:
        for route in routes(Cause(incident.cause), incident.reason, self._policy):
            if route.audience in incident.told:
                continue
            if incident.ticks < route.ticks:
                # The next tick sees it again by itself, unless it is about to leave it behind.
                if incident.window.end <= self._tick.main.run.requested.start + HOUR:
                    yield self._now
            elif route.closed is not None:
                yield _first_hour(incident) + route.closed
            elif not route.is_single or self._now < incident.first_seen + route.age:
                yield incident.first_seen + route.age


def _first_hour(incident: Incident) -> datetime:
    return incident.window.start + HOUR


def _gravest(traces: Iterable[Trace]) -> Trace:
    """Of several the earliest."""
    order = list(Outcome)
    return max(reversed(list(traces)), key=lambda trace: order.index(trace.outcome))


def _count(traces: Iterable[Trace]) -> int:
    """Findings that were folded into one may be told again, in part, by another run."""
    single = sum(trace.count for trace in traces if trace.count == 1)
    return single + max((trace.count for trace in traces if trace.count > 1), default=0)
