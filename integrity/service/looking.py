"""All that one tick looks at: its own window, those of open incidents, and the watched past.

The runs come back as one record, with what the next tick is to know. What is found is judged by
`verify`, which days of the past are due is `past`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from integrity.chain.model import TimeWindow
from integrity.chain.retention import describe
from integrity.chain.seal import SealedMonth
from integrity.chain.times import HOUR
from integrity.events.search import Wanted
from integrity.incidents.looks import due_looks
from integrity.incidents.policy import Policy
from integrity.record import Run
from integrity.service.past import PastPolicy
from integrity.service.ports import OpenTrail
from integrity.service.reconcile import Waiting
from integrity.service.watching import PastWatch, Rules, believed_rules, learn_rules
from integrity.state import TrailState
from integrity.structs import replace
from integrity.verify.parallel import Stopping
from integrity.verify.run import Verification

_MOST_LOOKS = 20
"""Windows of open incidents that one tick looks at again; what is left over stays due."""

_LONGEST_SPREAD = 5 * HOUR


class Looked(Struct, frozen=True, kw_only=True):
    """What a tick saw that looked `at` this time, and what of the watched past changed by it.

    `looks` are those at open incidents, with the events that the rules ask for. `rules` are the
    lifecycle rules that explain what is gone, `believed` those of them that the bucket has now;
    None where nobody may say.
    """

    at: datetime
    verification: Verification
    looks: tuple[Verification, ...] = ()
    months: tuple[SealedMonth, ...] = ()
    rules: Rules | None = None
    believed: Rules | None = None

    def policy(self, policy: Policy) -> Policy:
        """What expires under another rule is no retention."""
        if self.rules is None:
            return policy
        known = dict.fromkeys(describe(rule) for rule in (*self.rules, *(self.believed or ())))
        return replace(policy, known_rules=tuple(known))


class Looking:
    """One tick's look at an opened trail, and what rules and waiting events want of it.

    Without `past` no past day is watched.
    """

    def __init__(
        self,
        opened: OpenTrail,
        state: TrailState,
        months: Iterable[SealedMonth],
        *,
        past: PastPolicy | None,
        waiting: Waiting,
        wanted: tuple[Wanted, ...],
        stopping: Stopping,
    ) -> None:
        self._opened, self._state, self._months = opened, state, months
        self._past, self._now, self._stopping = past, waiting.now, stopping
        self._waiting, self._wanted = waiting, wanted

    def look(self, window: TimeWindow, *, overlap: timedelta, accepting: bool) -> Looked:
        """With `accepting` what is known is settled: nothing but the window is looked at."""
        checkpoint = self._state.checkpoint
        verification = self._opened.verify(
            window,
            known=() if checkpoint is None else checkpoint.chains,
            previous_sha256=None if checkpoint is None else checkpoint.record_sha256,
            accepting=accepting,
            rules=(*self._wanted, *self._waiting.wanted),
            # Where no day is read whole once it is over, every tick reads what it looks at.
            overlap=None if self._past is None else overlap,
            stopping=self._stopping,
        )
        self._waiting.hear(verification)
        looked = self._with_rules(verification, accepting=accepting)
        looked = self._with_incidents(looked, window, accepting=accepting)
        looked = self._with_waiting(looked)
        if self._past is None:
            return looked
        return self._with_past(looked, self._past, overlap=overlap, accepting=accepting)

    def _with_rules(self, verification: Verification, *, accepting: bool) -> Looked:
        checkpoint = self._state.checkpoint
        rules = None if checkpoint is None else checkpoint.rules
        if self._past is None:
            return Looked(at=self._now, verification=verification, rules=rules)
        told = self._opened.fetch_rules()
        rules = learn_rules(rules, told, accepting=accepting)
        believed = believed_rules(rules, told)
        return Looked(at=self._now, verification=verification, rules=rules, believed=believed)

    def _with_incidents(self, looked: Looked, window: TimeWindow, *, accepting: bool) -> Looked:
        """The windows of open incidents that this tick's has left behind."""
        # A look that knew less would take what went with a head for a hole of its own.
        seen = () if accepting else looked.verification.known
        looks = tuple(
            self._opened.look(
                look,
                known=seen,
                known_rules=looked.rules,
                rules=self._wanted,
                stopping=self._stopping,
            )
            for look in due_looks(self._state.incidents, window, self._now, limit=_MOST_LOOKS)
            if not self._stopping.is_set()
        )
        return replace(_with_runs(looked, (look.run for look in looks)), looks=looks)

    def _with_waiting(self, looked: Looked) -> Looked:
        """The hours of events that were seen live and wait too long for their log file."""
        checkpoint = self._state.checkpoint
        runs = self._waiting.look_again(
            self._opened,
            looked.verification,
            None if checkpoint is None else checkpoint.attempted,
            known_rules=looked.rules,
            stopping=self._stopping,
        )
        return _with_runs(looked, runs)

    def _with_past(
        self, looked: Looked, policy: PastPolicy, *, overlap: timedelta, accepting: bool
    ) -> Looked:
        watch = PastWatch(
            self._months,
            policy,
            opened=self._opened,
            incidents=self._state.incidents,
            known_rules=looked.rules,
            now=self._now,
            stopping=self._stopping,
        )
        if accepting:
            past = watch.settle()
        else:
            checkpoint, known = self._state.checkpoint, looked.verification.known
            since = self._now if checkpoint is None else checkpoint.attempted
            # By then the window has left none of the day's hours for longer than a day.
            spread = min(overlap - HOUR, _LONGEST_SPREAD)
            past = watch.watch(known, looked.believed, elapsed=self._now - since, spread=spread)
        main = looked.verification.run
        looks = (*map(watch.tell, main.looks), *past.runs)
        run = replace(watch.tell(main), looks=looks, past=past.counts)
        verification = replace(looked.verification, run=run)
        return replace(looked, verification=verification, months=past.months)


def _with_runs(looked: Looked, runs: Iterable[Run]) -> Looked:
    """With further runs in the one record."""
    run = looked.verification.run
    run = replace(run, looks=(*run.looks, *runs))
    return replace(looked, verification=replace(looked.verification, run=run))
