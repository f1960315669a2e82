"""What there is to tell, gathered into as few messages as a person can read.

What one tick has to say to one audience in the same step for the same reason is one message: three
hours wiped in 17 regions is one message that lists them, and so is a night in which a bucket was
denied to 340 chains. The incidents stay apart: each has its id in the message, and its own end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from integrity.chain.times import format_instant
from integrity.incidents.facts import render_facts
from integrity.incidents.text import Matter, render_subject, render_text
from integrity.state import Audience, Incident, Message, Step


class News(Struct, frozen=True):
    """One incident, to be told to one audience; `record_uri` is where it was seen."""

    incident: Incident
    audience: Audience
    step: Step
    record_uri: str


def write_messages(news: Iterable[News], now: datetime) -> tuple[Message, ...]:
    """A message for each audience, step and reason, in the order in which they come."""
    groups: dict[tuple[Audience, Step, str, str], list[News]] = {}
    for one in news:
        key = (one.audience, one.step, one.incident.cause, one.incident.reason)
        groups.setdefault(key, []).append(one)
    return tuple(_message(group, now) for group in groups.values())


def _message(group: list[News], now: datetime) -> Message:
    group.sort(key=lambda one: _order(one.incident))
    first = group[0]
    matter = Matter(
        incidents=tuple(one.incident for one in group),
        audience=first.audience,
        step=first.step,
        record_uri=first.record_uri,
        now=now,
    )
    return Message(
        id=_id(group, now),
        trail_arn=first.incident.trail_arn,
        incident_id=first.incident.id,
        audience=first.audience,
        step=first.step,
        subject=render_subject(matter),
        text=render_text(matter),
        facts=render_facts(matter),
        created_at=now,
    )


def _order(incident: Incident) -> tuple[str, str, datetime, str]:
    return (incident.account_id, incident.region, incident.window.start, incident.id)


def _id(group: list[News], now: datetime) -> str:
    marks = [one.incident.id for one in group]
    marks += [group[0].audience.value, group[0].step.value, format_instant(now)]
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:24]
