"""What a tick needs of the world: verification, a memory, records, places to tell.

The interfaces belong here; `stores` and `deliver` fulfil them without importing this module. Each
has one contract suite that all its implementations pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from integrity.chain.estate import ExpirationRule, Unasked
from integrity.chain.known import KnownChain
from integrity.chain.model import TimeWindow, Trail
from integrity.chain.seal import SealedMonth
from integrity.events.search import Wanted
from integrity.incidents.looks import Look
from integrity.record import Run
from integrity.service.proofs import Proof
from integrity.state import (
    Commit,
    Datapoint,
    Incident,
    Letter,
    Message,
    RunSummary,
    Sighting,
    StoredRecord,
    TrailState,
)
from integrity.verify.days import DayKey, ListedDay
from integrity.verify.parallel import Stopping
from integrity.verify.run import Verification


class SightingStore(Protocol):
    """Events that were seen live and wait for the log file that confirms them.

    Every method raises AccessError where the store cannot be reached, refuses, or holds what this
    program did not write.
    """

    def remember(self, sightings: Iterable[Sighting]) -> None:
        """Keep those whose trail and event id are new; one that is known stays as it was.

        After an AccessError some of them may be kept: again, it keeps the rest.
        """

    def waiting(self, trail_arn: str, now: datetime) -> Sequence[Sighting]:
        """All that are kept and were not seen too long ago, oldest first."""

    def forget(self, trail_arn: str, event_ids: Iterable[str]) -> None:
        """They are confirmed, or were told. Again, or for what nobody knows, it changes nothing."""


class LetterStore(Protocol):
    """Letters on their way: what an outbox works with."""

    def claim_letters(
        self,
        now: datetime,
        *,
        lease: timedelta,
        limit: int,
        destinations: Collection[str] | None = None,
    ) -> Sequence[Letter]:
        """Letters of all trails that are due and not dead, oldest first, for this caller alone.

        Only those to `destinations`, where these are named: what one cannot deliver, another can.
        Nobody else is given them before `now` + `lease`. What is neither sent nor failed by then is
        given out again: a crash repeats a message rather than losing it.
        """

    def mark_sent(self, letter_id: str, now: datetime) -> None:
        """It has arrived. Its id is remembered for a while: a repeated commit sends nothing.

        Again, or for a letter that nobody knows, it changes nothing.
        """

    def mark_failed(self, letter: Letter) -> None:
        """It has not: `letter` has the new count of attempts, the error and the next due time.

        Its lease ends. So is a dead letter replayed: not dead, and due now. One that has arrived in
        the meantime stays so, and one that nobody knows is not made.
        """


class StateStore(LetterStore, Protocol):
    """Checkpoints, incidents, run history and the outbox. Used by several processes at once.

    Every method raises AccessError where the store cannot be reached, refuses, or holds what this
    program did not write; UsageError where a newer program wrote it.
    """

    @property
    def sightings(self) -> SightingStore:
        """What was seen live."""

    def load(self, trail_arn: str) -> TrailState:
        """What is kept of a trail; of one that nobody has heard of, version 0 and nothing."""

    def commit(self, commit: Commit) -> None:
        """All of it or nothing, and only if the version is still the one it was loaded with.

        The state then has the next version. A letter that is there already (by id), sent or not, is
        left as it is. Raises ConflictError where another tick was faster. After an AccessError it
        is kept whole or not at all: `load` tells which.
        """

    def keep_letters(self, letters: Sequence[Letter]) -> None:
        """Keep those that are new, of no commit; one that is there already is left as it is.

        After an AccessError some of them may be kept: again, it keeps the rest.
        """

    def unsent_letters(self) -> Sequence[Letter]:
        """All letters that have not arrived, dead ones included, oldest first."""

    def list_incidents(self, trail_arn: str, *, since: datetime) -> Sequence[Incident]:
        """Open incidents, and those resolved at `since` or later, oldest first."""

    def load_months(self, trail_arn: str) -> Sequence[SealedMonth]:
        """The months of the trail's watched past, by account, region and month.

        Read beside `load`: a commit on that version says that both were of one state.
        """

    def list_runs(self, trail_arn: str, *, limit: int) -> Sequence[RunSummary]:
        """The newest ticks, newest first."""

    def close(self) -> None:
        """Let go of files and connections."""


class RecordStore(Protocol):
    """Where records are kept: a folder, or a bucket that is not the audited one.

    Raises AccessError where it cannot be reached or refuses.
    """

    def write(self, trail_arn: str, started_at: datetime, run_id: str, document: bytes) -> str:
        """Keep a record for ever; its URI.

        Never overwrites: the same one again changes nothing, another one of the same name is an
        AccessError. Raises UsageError for an ARN or a run id that is none.
        """

    def write_drill(
        self, trail_arn: str, started_at: datetime, drill_id: str, document: bytes
    ) -> str:
        """Keep how a drill ended, where `newest` does not look; its URI. Otherwise as `write`."""

    def newest(self, trail_arn: str) -> StoredRecord | None:
        """The record that was started last, to the second, or None."""

    def read(self, trail_arn: str, started_at: datetime, run_id: str) -> StoredRecord | None:
        """The record of that run, or None where there is none. Raises UsageError as `write`."""


class Destination(Protocol):
    """A place to tell people."""

    def deliver(self, message: Message) -> None:
        """Hand it over. Raises DeliveryError where it was not taken."""


class MetricsSink(Protocol):
    """Where a tick's numbers go."""

    def put(self, datapoints: Iterable[Datapoint]) -> None:
        """Put them all. Raises DeliveryError where they were not taken."""


class OpenTrail(Protocol):
    """The watched trail with the credentials of one tick. Raises IntegrityError where it cannot."""

    @property
    def trail(self) -> Trail:
        """As AWS describes it now, or as it was remembered."""

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
        """All of it over a window, held against what is known unless a person settles that now.

        It brings the events along that the rules ask for. With an `overlap` what the last tick
        proved is not read again while its listing is unchanged.
        """

    def look(
        self,
        look: Look,
        *,
        known: tuple[KnownChain, ...],
        known_rules: tuple[ExpirationRule, ...] | None,
        rules: tuple[Wanted, ...],
        stopping: Stopping,
    ) -> Verification:
        """One account's region over the window of an open incident.

        Lifecycle rules that are none of `known_rules` explain nothing; None: all of them do.
        """

    def prove(
        self,
        proof: Proof,
        *,
        known: tuple[KnownChain, ...],
        known_rules: tuple[ExpirationRule, ...] | None,
        stopping: Stopping,
    ) -> Run:
        """Regions of an account over past days, in the same way."""

    def list_days(
        self, days: Sequence[DayKey], *, stopping: Stopping
    ) -> Mapping[DayKey, ListedDay | None]:
        """Each day as its folders show it; None where one gave no answer.

        Nothing where it was stopped.
        """

    def fetch_rules(self) -> tuple[ExpirationRule, ...] | Unasked:
        """The lifecycle rules of the trail's bucket."""


class TrailOpener(Protocol):
    """The way to the watched trail."""

    def open(self, remembered: Trail | None) -> OpenTrail:
        """Find credentials and trail; one that AWS does not show any more is the remembered one.

        Raises IntegrityError where there are no credentials, or nothing is remembered either.
        """
