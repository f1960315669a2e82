"""An event's JSON to the little that is read of it: what it is called, where and when, who did it.

The bytes may hold anything. What is not there, or of another type than CloudTrail documents, is
empty; only what is no JSON object at all is no event.
(AWS: CloudTrail record contents; CloudTrail userIdentity element.)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from integrity.chain.model import VerifiedEvent
from integrity.chain.times import parse_instant
from integrity.rules.model import Event, Proof

Json = Mapping[str, Any]

ROOT = "Root"
_UNREADABLE = (ValueError, RecursionError)
"""What the standard library raises for what is not JSON, in any encoding."""


def read_event(raw: bytes, proof: Proof | None = None) -> Event | None:
    """The event; None where the bytes are no JSON object."""
    fields = event_fields(raw)
    if fields is None:
        return None
    return Event(
        raw=raw,
        id=text_at(fields, "eventID"),
        name=text_at(fields, "eventName"),
        source=text_at(fields, "eventSource"),
        time=parse_instant(text_at(fields, "eventTime")),
        account_id=text_at(fields, "recipientAccountId"),
        region=text_at(fields, "awsRegion"),
        category=text_at(fields, "eventCategory"),
        proof=proof,
    )


def read_verified(events: Iterable[VerifiedEvent]) -> Iterator[Event]:
    """Events out of log files whose hash has matched; what is no event is left out."""
    for verified in events:
        proof = Proof(verified.log, verified.sha256, verified.digest)
        event = read_event(verified.event, proof)
        if event is not None:
            yield event


def event_fields(raw: bytes) -> Json | None:
    """The fields of an event, numbers as they are spelt; None where it is no JSON object."""
    try:
        fields = json.loads(raw, parse_float=Spelt, parse_int=Spelt)
    except _UNREADABLE:
        return None
    return fields if isinstance(fields, dict) else None


class Spelt(str):
    """A number, letter by letter: none of them is rounded for being shown."""

    __slots__ = ()


def text_at(fields: Json, path: str) -> str:
    """The text at a dotted path; empty where there is none."""
    found = value_at(fields, path)
    return found if isinstance(found, str) else ""


def value_at(fields: Json, path: str) -> Any:
    """What lies at a dotted path; None where nothing does."""
    found: Any = fields
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def name_user(fields: Json) -> str:
    """Who did it, as a person is called: root as `Root`, who has a session by the session's name.

    AWS itself withholds the name of a user that does not exist.
    """
    if text_at(fields, "userIdentity.type") == "Root":
        return ROOT
    own = text_at(fields, "userIdentity.userName")
    if own:
        return own
    arn, principal = (text_at(fields, f"userIdentity.{key}") for key in ("arn", "principalId"))
    if ":assumed-role/" in arn or ":federated-user/" in arn:
        return arn.rpartition("/")[2]
    session = principal.partition(":")[2]
    service = text_at(fields, "userIdentity.invokedBy")
    return session or arn.rpartition("/")[2] or principal or service
