"""What a tick tells once it is kept: letters, numbers, and last that it went through to its end.

A broken destination delays messages and nothing else; whatever hinders it is said, and then there
is no heartbeat, which is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from logging import getLogger

from msgspec import Struct

from integrity.errors import IntegrityError
from integrity.metrics import Meter
from integrity.record import Run
from integrity.service.hearing import account
from integrity.service.outbox import Outbox
from integrity.service.ports import MetricsSink, StateStore
from integrity.service.reconcile import Waiting
from integrity.state import Datapoint, DeliveryError, Incident, RuleTotal

_log = getLogger(__name__)


class Telling(Struct, frozen=True, kw_only=True):
    """The ways out of one trail's ticks. Without `metrics` nobody is told numbers."""

    trail_arn: str
    store: StateStore
    outbox: Outbox
    metrics: MetricsSink | None
    clock: Callable[[], datetime]
    per_chain: bool

    def tell(
        self,
        run: Run,
        incidents: Sequence[Incident],
        rules: Sequence[RuleTotal],
        waiting: Waiting,
    ) -> str:
        """Why it was not told to its end; empty where it was."""
        meter, trouble = Meter(self.trail_arn, run.run.judged_at), []
        points = [*meter.verification(run, incidents)]
        if self.per_chain:
            points += meter.chains(run)
        try:
            waiting.settle()
            delivered = self.outbox.deliver(self.clock())
            points += meter.messages(due=delivered.due, sent=delivered.sent)
            unsent = self.store.unsent_letters() if rules else ()
            points += account(meter, rules, unsent, self.trail_arn)
        except IntegrityError as error:
            trouble.append(f"messages were not delivered: {error}")
        try:
            self._put(points)
            if not trouble:
                self._put([meter.heartbeat()])
        except DeliveryError as error:
            trouble.append(f"metrics were not put: {error}")
        for one in trouble:
            # The missing heartbeat tells of it.
            _log.error("tick not told", extra={"trail": self.trail_arn, "error": one})
        return "; ".join(trouble)

    def _put(self, points: Sequence[Datapoint]) -> None:
        if self.metrics is not None:
            self.metrics.put(points)
