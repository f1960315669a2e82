"""What one CloudTrail event says, field by field: for a table's item, a mail's lines, a file's day.

A field is a path of names through the event (`userIdentity.arn`), or one of the few that no single
path has, written with an `@`: who did it, when by the clock of a place, how it ended, whether with
a second factor. An event that does not say so has no such field; nothing is made up.
(AWS: CloudTrail userIdentity element; AWS Management Console sign-in events.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

import msgspec
from msgspec import Struct

from integrity.chain.times import parse_instant

Event = Mapping[str, Any]

_FIELD = re.compile(r"(?:([A-Za-z][A-Za-z0-9_-]{0,63})=)?(@?[A-Za-z][A-Za-z0-9_.:-]{0,254})")
_LOCAL_TIME = "%Y/%m/%d %H:%M:%S"


class Field(Struct, frozen=True):
    """A name, and where in an event its value stands."""

    name: str
    path: str


def parse_field(text: str) -> Field | None:
    """`NAME=PATH`, or `PATH` alone, whose last name it then has; None where it is neither."""
    match = _FIELD.fullmatch(text)
    if match is None or (match[2].startswith("@") and match[2] not in _DERIVED):
        return None
    return Field(match[1] or match[2].rpartition(".")[2].lstrip("@"), match[2])


def decode_fields(raw: str | bytes) -> Event:
    """An event by its names; without any where the text is none."""
    try:
        event = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def one_line(raw: str) -> str:
    """The event on one line and otherwise as it stands there; empty where it is no JSON."""
    try:
        return msgspec.json.format(raw, indent=-1)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""


def value_of(event: Event, path: str, zone: tzinfo) -> str:
    """The value as text, what is no text as JSON; empty where the event does not have it."""
    derived = _DERIVED.get(path)
    value = derived(event, zone) if derived is not None else _at(event, path)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def time_of(event: Event) -> datetime | None:
    """When it happened, or None where it does not say so."""
    return parse_instant(str(event.get("eventTime")))


def _at(event: Event, path: str) -> Any:
    value: Any = event
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _user_name(event: Event, _: tzinfo) -> str | None:
    """`Root`; a user by its name; whoever has a session, a federated person too, by its name."""
    who = event.get("userIdentity")
    if not isinstance(who, dict):
        return None
    if who.get("type") == "Root":
        return "Root"
    resource = str(who.get("arn") or "").rpartition(":")[2]
    if resource.startswith(("assumed-role/", "federated-user/")):
        return resource.rpartition("/")[2]
    ways = ("userName", "invokedBy", "onBehalfOf.userId", "principalId", "accountId")
    values = (_at(who, way) for way in ways)
    return next((str(value) for value in values if value), None)


def _local_time(event: Event, zone: tzinfo) -> str | None:
    time = time_of(event)
    try:
        return None if time is None else time.astimezone(zone).strftime(_LOCAL_TIME)
    except OverflowError:  # the first and the last day that there are
        return None


def _result(event: Event, _: tzinfo) -> str | None:
    """What a sign-in answers (`Success`, `Failure`); of any other call its error, or `Success`."""
    said = _at(event, f"responseElements.{event.get('eventName')}")
    if isinstance(said, str):
        return said
    return str(event.get("errorCode") or "Success")


def _mfa_used(event: Event, _: tzinfo) -> str | None:
    """As a sign-in says it (`Yes`, `No`); of any other call what its session says."""
    said = _at(event, "additionalEventData.MFAUsed")
    if isinstance(said, str):
        return said
    session = _at(event, "userIdentity.sessionContext.attributes.mfaAuthenticated")
    return {"true": "Yes", "false": "No"}.get(str(session).lower())


_DERIVED: dict[str, Callable[[Event, tzinfo], str | None]] = {
    "@userName": _user_name,
    "@localTime": _local_time,
    "@result": _result,
    "@mfaUsed": _mfa_used,
}

LOGIN_LEDGER = tuple(
    Field(name, path)
    for name, path in (
        ("eventID", "eventID"),
        ("accountId", "recipientAccountId"),
        ("userName", "@userName"),
        ("eventTime", "@localTime"),
        ("eventSource", "eventSource"),
        ("eventName", "eventName"),
        ("awsRegion", "awsRegion"),
        ("sourceIPAddress", "sourceIPAddress"),
        ("userAgent", "userAgent"),
        ("result", "@result"),
        ("mfaUsed", "@mfaUsed"),
    )
)
"""The fields of a ledger of console logins."""
