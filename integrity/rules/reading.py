"""An event's JSON to the little that rules choose and name it by.

The bytes may hold anything. What is not there, or of another type than CloudTrail documents, is
empty; only what is no JSON object at all is no event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from integrity.chain.model import VerifiedEvent
from integrity.events.fields import decode_fields, time_of
from integrity.rules.model import Event, Proof


def read_event(raw: bytes, proof: Proof | None = None) -> Event | None:
    """The event; None where the bytes are no JSON object with anything in it."""
    fields = decode_fields(raw)
    if not fields:
        return None

    def text(name: str) -> str:
        found = fields.get(name)
        return found if isinstance(found, str) else ""

    return Event(
        raw=raw,
        id=text("eventID"),
        name=text("eventName"),
        source=text("eventSource"),
        time=time_of(fields),
        account_id=text("recipientAccountId"),
        region=text("awsRegion"),
        category=text("eventCategory"),
        proof=proof,
    )


def read_verified(events: Iterable[VerifiedEvent]) -> Iterator[Event]:
    """Events out of log files whose hash has matched; what is no event is left out."""
    for verified in events:
        proof = Proof(verified.log, verified.sha256, verified.digest)
        event = read_event(verified.event, proof)
        if event is not None:
            yield event
