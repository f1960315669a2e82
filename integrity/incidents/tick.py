"""What a tick hands over to be decided, and what only the service itself can find."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from integrity.chain.findings import Outcome
from integrity.chain.model import TimeWindow
from integrity.incidents.causes import Cause
from integrity.record import Run


class Remark(StrEnum):
    """What no run finds: the service's own reasons, beside those of the findings."""

    NEW_CHAIN = "new_chain"
    STATE_LOST = "state_lost"
    RECORDS_UNREADABLE = "records_unreadable"
    RULE_STOPPED = "rule_stopped"


_CAUSES = {
    Remark.NEW_CHAIN: Cause.NEW_CHAIN,
    Remark.STATE_LOST: Cause.STATE_LOST,
    Remark.RECORDS_UNREADABLE: Cause.RECORDS,
    Remark.RULE_STOPPED: Cause.RULES,
}


class Notice(Struct, frozen=True, kw_only=True):
    """Something about the trail that the service found by itself, given as long as it is so.

    `account_id` and `region` are the trail's own where it is about the trail. `state_lost` and
    `new_chain` are told once; the others are reminded of, and resolved by the first tick without
    them. `subject` names what it is about, a URI or nothing.
    """

    remark: Remark
    account_id: str
    region: str
    window: TimeWindow
    detail: str
    subject: str = ""

    @property
    def cause(self) -> Cause:
        return _CAUSES[self.remark]

    @property
    def outcome(self) -> Outcome:
        """Nobody can tell any more what was known; a new chain is only a note."""
        return Outcome.VALID if self.remark is Remark.NEW_CHAIN else Outcome.UNDETERMINED


class Recorded(Struct, frozen=True):
    """A run, and where its record lies."""

    run: Run
    uri: str


class Tick(Struct, frozen=True, kw_only=True):
    """All that one tick of one trail has seen.

    `main` verified up to now, every chain that the configuration asks for; `looks` are narrow runs
    over the windows of open incidents, as `due_looks` named them.
    """

    main: Recorded
    looks: tuple[Recorded, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def runs(self) -> tuple[Recorded, ...]:
        return (self.main, *self.looks)
