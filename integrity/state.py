"""What the service keeps between two ticks, and what its rooms hand to each other: checkpoints,
incidents, messages and their letters, datapoints.

Values only, and the errors that a store and a destination answer with. What becomes an incident is
`incidents`' to decide, how it is kept a store's, when it is told `service`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from integrity.chain.estate import ExpirationRule
from integrity.chain.findings import Finding, Outcome
from integrity.chain.known import KnownChain
from integrity.chain.model import TimeWindow, Trail
from integrity.chain.seal import SealedMonth
from integrity.record import Acknowledgement, PastCounts


class ConflictError(Exception):
    """Another tick has committed since this one loaded the state: nothing was written."""


class DeliveryError(Exception):
    """A destination did not take a message; the text says why and what would help."""


class Audience(StrEnum):
    """Whom an incident concerns. Both may be one topic."""

    SECURITY = "security"
    OPERATIONS = "operations"


class Step(StrEnum):
    """What there is to tell of an incident.

    `opened` is an audience's first news of it, whenever that comes. `worsened` is a graver outcome
    or twice as many objects. `noted` is told once, and neither reminded nor resolved. `drill` is
    told of no incident at all: somebody tries whether messages arrive. `matched` is of none either:
    an event that a rule is about.
    """

    OPENED = "opened"
    WORSENED = "worsened"
    REMINDED = "reminded"
    RESOLVED = "resolved"
    NOTED = "noted"
    DRILL = "drill"
    MATCHED = "matched"


class Incident(Struct, frozen=True, kw_only=True):
    """One cause, from the first finding of it until it is over.

    `reason` is a finding's, or what only the service can find (`state_lost`); `cause` is the family
    of reasons whose findings join it. `window` and `count` hold all its neighbouring findings,
    `subjects` the first few objects, `seen` when each of these was found first (null, or nothing,
    where that was not kept), `finding` the gravest one. `ticks` counts the ticks in a row that
    found it. `told` are the audiences that have been told, last at `notified` and with
    `told_count` objects; empty and null until the reason's patience is over. `look_again` is when
    its own window is verified again, where the tick's window has left it behind; `quiet_since` when
    a tick first saw nothing of it in a part of its window. Of `acknowledgements` the last counts.
    """

    id: str
    trail_arn: str
    reason: str
    cause: str = ""
    outcome: Outcome
    account_id: str
    region: str
    window: TimeWindow
    subjects: tuple[str, ...]
    seen: tuple[datetime | None, ...] = ()
    count: int
    finding: Finding | None
    detail: str = ""
    first_seen: datetime
    last_seen: datetime
    ticks: int = 1
    told: tuple[Audience, ...] = ()
    notified: datetime | None = None
    told_count: int = 0
    look_again: datetime
    quiet_since: datetime | None = None
    resolved: datetime | None = None
    acknowledgements: tuple[Acknowledgement, ...] = ()


class Message(Struct, frozen=True, kw_only=True):
    """News for an audience, ready to be read.

    `id` is the same for the same news, however often a tick is repeated, so that a reader can tell
    a repeat. `subject` is one line, an incident's at most 99 printable ASCII characters; `facts` is
    the same as `text` for machines: JSON types only.

    What tells of an event that a rule matched has no audience, for the rule names whom, and
    `event`: its JSON as it came. `incident_id` is empty then.
    """

    id: str
    trail_arn: str
    incident_id: str
    audience: Audience | None
    step: Step
    subject: str
    text: str
    facts: Mapping[str, object]
    created_at: datetime
    event: str = ""


class Letter(Struct, frozen=True, kw_only=True):
    """A message on its way to one destination, a configured name such as `sns:ARN`.

    `id` is made of the message's and the destination. It is tried again from `due` on; `dead` says
    that it will not be tried any more until a person replays it.
    """

    id: str
    message: Message
    destination: str
    due: datetime
    attempts: int = 0
    last_error: str = ""
    dead: bool = False


class Sighting(Struct, frozen=True, kw_only=True):
    """An event that was seen live, of a trail whose log files should hold it.

    `account_id` and `region` name the chain whose digests should come to sign it, `time` when it
    happened and `seen_at` when it was seen first.
    """

    trail_arn: str
    event_id: str
    event_name: str
    account_id: str
    region: str
    time: datetime
    seen_at: datetime


class ToldMatch(Struct, frozen=True):
    """A match that a tick has told, and that may come again: its message's id, and when."""

    message_id: str
    at: datetime


class RuleTotal(Struct, frozen=True, kw_only=True):
    """What one rule came to since it was first heard: seen == skipped + matched.

    `failed` of what is skipped ended in an error of the rule's own.
    """

    rule: str
    seen: int = 0
    skipped: int = 0
    matched: int = 0
    failed: int = 0


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far one trail was looked at, and what its chains were like then.

    The next tick begins at `attempted`, with an overlap. `record_sha256` is of the last record that
    was written before this checkpoint, `record_uri` where it lies; `previous_record_sha256` is of
    the one that it names as its predecessor, null at first. `rules` are the bucket's lifecycle
    rules that explain what is gone, null as long as nobody could read them. `rule_totals` are of
    the rules over events, `told` the matches that the next ticks may find again.
    """

    trail_arn: str
    attempted: datetime
    chains: tuple[KnownChain, ...]
    record_sha256: str | None
    record_uri: str
    previous_record_sha256: str | None = None
    trail: Trail | None = None
    rules: tuple[ExpirationRule, ...] | None = None
    rule_totals: tuple[RuleTotal, ...] = ()
    told: tuple[ToldMatch, ...] = ()


class RunSummary(Struct, frozen=True, kw_only=True):
    """A line of the history of ticks."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    window: TimeWindow
    outcome: Outcome
    findings: int
    record_uri: str
    record_sha256: str
    past: PastCounts | None = None


class TrailState(Struct, frozen=True, kw_only=True):
    """Everything that is kept of one trail and that decides what its next tick does.

    `version` counts commits; 0 and no checkpoint: nothing was ever kept. `incidents` are open.
    """

    version: int
    checkpoint: Checkpoint | None
    incidents: tuple[Incident, ...]


class Commit(Struct, frozen=True, kw_only=True):
    """What one tick changes, all or nothing, if the state still has `version`.

    `incidents` are those that changed, resolved ones included; `letters` are new ones; `months` are
    those of the watched past that changed, and one without a day is forgotten. Without a `run` no
    tick was made: a person has changed something, and the history of ticks stays.
    """

    trail_arn: str
    version: int
    checkpoint: Checkpoint
    incidents: tuple[Incident, ...]
    letters: tuple[Letter, ...]
    run: RunSummary | None
    months: tuple[SealedMonth, ...] = ()


class Unit(StrEnum):
    """CloudWatch's own names of units."""

    COUNT = "Count"
    SECONDS = "Seconds"
    BYTES = "Bytes"
    NONE = "None"


class Datapoint(Struct, frozen=True):
    """One value of one metric. `dimensions` are pairs of name and value, in CloudWatch's order."""

    name: str
    value: float
    unit: Unit
    at: datetime
    dimensions: tuple[tuple[str, str], ...]


class StoredRecord(Struct, frozen=True):
    """A record as it lies in its store. `document` is its bytes."""

    uri: str
    document: bytes


class Alarm(Struct, frozen=True, kw_only=True):
    """An alarm as CloudWatch shows it. `topics` are those of SNS that it tells when it goes off.

    `is_on`: its actions are not switched off. `state` is CloudWatch's word, `why` its reason.
    """

    name: str
    topics: tuple[str, ...]
    is_on: bool
    state: str
    why: str


class AlarmAction(Struct, frozen=True):
    """Whether what an alarm does when it goes off was done, in CloudWatch's words."""

    is_taken: bool
    words: str


class TopicState(Struct, frozen=True):
    """How many subscriptions of a topic were confirmed, and how many wait for it."""

    confirmed: int
    pending: int
