"""What is laid beside a finding so that somebody can act on it: who did it, what was there, and
since when it is known.

Plain nouns. None of them changes an outcome: a gap that an event explains is uncovered all the
same, and a file is missing though an older version of it is good.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from integrity.chain.times import format_instant


class EventWitness(StrEnum):
    """Whose word an event is: a log file with a signed hash, or what AWS keeps for 90 days."""

    LOG_FILE = "log_file"
    EVENT_HISTORY = "event_history"


class EventRecord(Struct, frozen=True, kw_only=True):
    """An event that explains something: who called what, and whose word that is.

    Of a verified log file, `sha256` is of its content, as a digest signs it; CloudTrail's Event
    history (LookupEvents) has neither place nor hash.
    """

    event_name: str
    time: datetime
    by: str
    event_id: str
    s3_uri: str | None = None
    sha256: str | None = None
    witness: EventWitness = EventWitness.LOG_FILE

    def __str__(self) -> str:
        return f"{self.event_name} by {self.by or 'nobody named'} at {format_instant(self.time)}"


class Explanation(Struct, frozen=True, kw_only=True):
    """What was looked for around a finding's edges. Without `events` it is unexplained.

    `events` could have brought it about, in order of time; `near` lie beside them, touch the same
    trail or bucket, and explain nothing by themselves. `asked` are those who answered; `unread`
    counts log files and events near the edges that could not be searched, where more may stand.
    """

    events: tuple[EventRecord, ...] = ()
    near: tuple[EventRecord, ...] = ()
    asked: tuple[EventWitness, ...] = ()
    unread: int = 0


class Fate(StrEnum):
    """What has become of an original since."""

    REPLACED = "replaced"
    DELETED = "deleted"


class Original(Struct, frozen=True, kw_only=True):
    """A version that is what CloudTrail delivered, though another one lies above it.

    `gone_at` is when the next version or delete marker was put upon it. `markers` are the ids of
    the delete markers above it, the newest first, where there is nothing else above it. Encryption
    is S3's word for it (`aws:kms`), empty where it could not be asked.
    """

    s3_uri: str
    version_id: str
    written_at: datetime
    gone_at: datetime
    fate: Fate
    markers: tuple[str, ...] = ()
    storage_class: str = ""
    encryption: str = ""
    kms_key_id: str = ""


class SeenOf(StrEnum):
    """What was first seen then: what the finding is about, or the incident that it belongs to."""

    FINDING = "finding"
    INCIDENT = "incident"


class FirstSeen(Struct, frozen=True):
    """When a service learned of something. Of an `incident` this one finding may be younger."""

    at: datetime
    of: SeenOf
