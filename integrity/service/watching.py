"""The watched past in one tick: listed, held against its seals, and read where that is due.

1. the days that `past` says are listed, each before it is read: what changes in between differs
   from its seal at the next listing
2. a day that differs from its seal is verified at once, and so is one that could not be listed, or
   was not found valid and has no open incident that is looked at
3. what is due to be read is read: days that ended lately, then those whose turn it is
4. what came of it is sealed; that less is left than there was is told with every run over the day

What one tick cannot do stays due. It decides nothing about a day: a run does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from logging import getLogger

from msgspec import Struct

from integrity.chain.estate import ExpirationRule, Unasked
from integrity.chain.findings import Outcome
from integrity.chain.known import KnownChain
from integrity.chain.model import Root
from integrity.chain.names import digest_folder, log_folder
from integrity.chain.population import Pair
from integrity.chain.retention import is_covered, left_alone
from integrity.chain.seal import SealedMonth
from integrity.chain.times import DAY
from integrity.incidents.causes import NATURES, Cause
from integrity.record import PastCounts, Run
from integrity.service.past import Past, PastPolicy
from integrity.service.ports import OpenTrail
from integrity.service.proofs import Proof, add_missed, make_proofs, proven, unread
from integrity.state import Incident
from integrity.structs import replace
from integrity.verify.days import DayKey, ListedDay
from integrity.verify.parallel import Stopping

MARGIN = 3 * DAY
"""Days that retention takes so soon are left alone: expiry rounds to midnight and runs late."""

_MOST_PROOFS = 100

_log = getLogger(__name__)

Rules = tuple[ExpirationRule, ...]


class PastWatched(Struct, frozen=True, kw_only=True):
    """What a tick did for the past: its runs, the months that changed, and how much it was."""

    runs: tuple[Run, ...]
    months: tuple[SealedMonth, ...]
    counts: PastCounts


def learn_rules(known: Rules | None, told: Rules | Unasked, *, accepting: bool) -> Rules | None:
    """The lifecycle rules that explain what is gone: those that were there first, or accepted."""
    if isinstance(told, Unasked):
        return known
    return told if known is None or accepting else known


def believed_rules(known: Rules | None, told: Rules | Unasked) -> Rules | None:
    """Those of the bucket's rules that the store knew, as they are now; None: nobody may say."""
    if isinstance(told, Unasked) or known is None:
        return None
    return tuple(rule for rule in told if is_covered(rule, known))


class PastWatch:
    """One tick's watch over the past of one trail."""

    def __init__(
        self,
        months: Iterable[SealedMonth],
        policy: PastPolicy,
        *,
        opened: OpenTrail,
        incidents: Sequence[Incident],
        known_rules: Rules | None,
        now: datetime,
        stopping: Stopping,
    ) -> None:
        self._past = Past(months, policy, now)
        self._policy, self._opened, self._incidents = policy, opened, incidents
        self._rules, self._now, self._stopping = known_rules, now, stopping
        self._roots: dict[Pair, Root] = {}
        self._listed: Mapping[DayKey, ListedDay | None] = {}
        self._counts = PastCounts()

    def settle(self) -> PastWatched:
        """A person takes what there is for the truth; nothing is listed or read."""
        self._past.settle()
        return self._result([])

    def watch(
        self,
        chains: Sequence[KnownChain],
        believed: Rules | None,
        *,
        elapsed: timedelta,
        spread: timedelta,
    ) -> PastWatched:
        """List and read what is due. `believed` are the lifecycle rules that take days away."""
        self._roots = {(one.chain.account_id, one.chain.region): one.chain.root for one in chains}
        self._past.renew(chains, self._floors(believed), spread=spread)
        again, first = self._past.due_again(elapsed), self._past.due_first()
        listing = self._past.due_listings()
        wanted = {*listing, *again, *first}
        if wanted and not self._stopping.is_set():
            self._listed = self._opened.list_days(sorted(wanted), stopping=self._stopping)
        if not self._listed:
            return self._result([])
        changed = [key for key in listing if self._is_to_verify(key)]
        reading = sorted({*first, *self._readable(again)} - set(changed))
        proofs = [
            *make_proofs(changed, self._now, wide=True),
            *make_proofs(reading, self._now, wide=False),
        ]
        differing = sum(self._differs(key) for key in changed)
        runs, done = self._prove(proofs[:_MOST_PROOFS], chains)
        self._past.note_listed(listing, set(changed) - done)
        self._counts = replace(
            self._counts,
            listed=len(listing),
            differing=differing,
            read=len(done),
        )
        return self._result(runs)

    def tell(self, run: Run) -> Run:
        """A run, with what the seals miss of its days."""
        return add_missed(run, self._past.days, self._roots)

    def _floors(self, believed: Rules | None) -> dict[Pair, datetime | None]:
        """Before when retention takes what was written, by account and region."""
        if believed is None:
            gone = self._now - self._policy.retention_days * DAY + MARGIN
            return dict.fromkeys(self._roots, gone)
        floors: dict[Pair, datetime | None] = {}
        for pair, root in self._roots.items():
            folders = (digest_folder(root, *pair), log_folder(root, *pair))
            times = [left_alone(believed, one, self._now, margin=MARGIN) for one in folders]
            floors[pair] = max((time for time in times if time is not None), default=None)
        return floors

    def _is_to_verify(self, key: DayKey) -> bool:
        day, listed = self._past.days[key], self._listed[key]
        if listed is not None and listed.seal != day.seal:
            return True
        if listed is not None and day.outcome in (Outcome.VALID, None):
            return False
        return not any(
            (one.account_id, one.region) == key[:2]
            and not NATURES[Cause(one.cause)].by_tick
            and one.window.overlaps(day.window)
            for one in self._incidents
        )

    def _differs(self, key: DayKey) -> bool:
        listed = self._listed[key]
        return listed is not None and listed.seal != self._past.days[key].seal

    def _readable(self, keys: Iterable[DayKey]) -> list[DayKey]:
        """What lies in an archive is watched, and not read in vain."""
        readable = []
        for key in keys:
            listed = self._listed[key]
            if listed is not None and listed.archived:
                self._past.put(key, unread(self._past.days[key], listed.seal, self._now))
            else:
                readable.append(key)
        return readable

    def _prove(
        self, proofs: Iterable[Proof], chains: Sequence[KnownChain]
    ) -> tuple[list[Run], set[DayKey]]:
        """The runs, and the days that they went over to their end."""
        runs: list[Run] = []
        done: set[DayKey] = set()
        for proof in proofs:
            if self._stopping.is_set():
                break
            run = self._opened.prove(
                proof, known=tuple(chains), known_rules=self._rules, stopping=self._stopping
            )
            runs.append(run)
            if run.run.interrupted:
                break
            for key in proof.days:
                listed = self._listed[key]
                seal = None if listed is None else listed.seal
                self._past.put(key, proven(self._past.days[key], run, key, seal, self._now))
                done.add(key)
        return runs, done

    def _result(self, runs: Iterable[Run]) -> PastWatched:
        sealed = sum(day.seal is not None for day in self._past.days.values())
        counts = replace(self._counts, watched=len(self._past.days), sealed=sealed)
        _log.debug("past", extra={"listed": counts.listed, "read": counts.read})
        return PastWatched(
            runs=tuple(self.tell(run) for run in runs),
            months=self._past.changed(),
            counts=counts,
        )
