"""A match to what is told of it, and to letters: one for each destination that the rule names.

A message's id is made of the event's id and the rule, so the same event is told once to each
destination, from however many files, ticks and ways in it comes. It always says whether the event
stands in a log file that CloudTrail signed, whatever a template leaves out. What the event holds is
a stranger's text: places escape it where they show it, and it is bounded here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.rules.model import Event, Match, Rule
from integrity.rules.reading import Json, event_fields, name_user, value_at
from integrity.rules.templates import render_template, show
from integrity.state import Letter, Message, Step

DESTINATION_PREFIX = "rules:"
"""Before the id of a destination of the rules file, so that it is none of the alarms'."""

MOST_SUBJECT = 200
_MOST_TEXT = 32 * 1024
_SHOWN = (
    ("User", "user"),
    ("Action", "eventName"),
    ("Service", "eventSource"),
    ("Time", "eventTime"),
    ("Account", "recipientAccountId"),
    ("Region", "awsRegion"),
    ("Source IP", "sourceIPAddress"),
    ("User agent", "userAgent"),
    ("Result", "responseElements.ConsoleLogin"),
    ("Error", "errorCode"),
    ("Event", "eventID"),
)


def write_match(match: Match, *, trail_arn: str, now: datetime) -> Message:
    """What is told of a match."""
    rule, event = match.rule, match.event
    fields = event_fields(event.raw) or {}
    own = {
        "rule": rule.name,
        "description": rule.description,
        "text": match.text,
        "user": name_user(fields) or "-",
        "proof": prove(event),
    }
    subject = render_template(rule.subject, fields, own) or f"{rule.name}: {_headline(fields)}"
    return Message(
        id=message_id(rule, event),
        trail_arn=trail_arn,
        incident_id="",
        audience=None,
        step=Step.MATCHED,
        subject=" ".join(subject.split())[:MOST_SUBJECT],
        text=_text(match, fields, own),
        facts=_facts(match, fields),
        created_at=now,
        event=event.raw.decode("utf-8", "replace"),
    )


def address_match(message: Message, rule: Rule) -> Iterator[Letter]:
    """A letter for each destination of the rule, due at once."""
    for destination in rule.destinations:
        name = f"{DESTINATION_PREFIX}{destination}"
        yield Letter(
            id=f"{message.id}>{name}", message=message, destination=name, due=message.created_at
        )


def message_id(rule: Rule, event: Event) -> str:
    """The same for the same event and rule; an event without an id is known by its bytes."""
    event_id = event.id or hashlib.sha256(event.raw).hexdigest()
    return hashlib.sha256(f"{event_id}\n{rule.name}".encode()).hexdigest()[:24]


def prove(event: Event) -> str:
    """Whether CloudTrail signed it, in a sentence."""
    proof = event.proof
    if proof is None:
        return "Not yet proven: seen live, before CloudTrail signed the log file that holds it."
    return (
        f"Proven: it stands in a log file that CloudTrail signed, {escape(proof.log.uri)} "
        f"(SHA-256 {proof.sha256}), named by the digest file {escape(proof.digest.uri)}."
    )


def _text(match: Match, fields: Json, own: dict[str, str]) -> str:
    rule = match.rule
    if rule.template:
        body = render_template(rule.template, fields, own)
    else:
        shown = ((title, _show(fields, own, path)) for title, path in _SHOWN)
        lines = [f"{title}: {value}" for title, value in shown if value != "-"]
        body = "\n".join(part for part in (rule.description, match.text, *lines) if part)
    if len(body) > _MOST_TEXT:
        body = f"{body[: _MOST_TEXT - 1]}…"
    return body if "{proof}" in rule.template else f"{body}\n\n{own['proof']}"


def _show(fields: Json, own: dict[str, str], path: str) -> str:
    return own[path] if path in own else show(value_at(fields, path))


def _headline(fields: Json) -> str:
    user = name_user(fields)
    return f"{show(fields.get('eventName'))}{f' by {show(user)}' if user else ''}"


def _facts(match: Match, fields: Json) -> dict[str, object]:
    """The same for machines; the event itself goes beside them, as it came."""
    rule, event = match.rule, match.event
    proof = event.proof
    proven = (
        {}
        if proof is None
        else {
            "log_file": proof.log.uri,
            "log_sha256": proof.sha256,
            "digest_file": proof.digest.uri,
        }
    )
    return {
        "schema_version": 1,
        "step": Step.MATCHED.value,
        "rule": rule.name,
        "description": rule.description,
        "text": match.text,
        "event_id": event.id,
        "event_name": event.name,
        "event_source": event.source,
        "event_time": None if event.time is None else format_instant(event.time),
        "account_id": event.account_id,
        "region": event.region,
        "user_name": name_user(fields),
        "user_type": _plain(fields, "userIdentity.type"),
        "source_ip": _plain(fields, "sourceIPAddress"),
        "user_agent": _plain(fields, "userAgent"),
        "error_code": _plain(fields, "errorCode"),
        "proven": event.is_proven,
        **proven,
    }


def _plain(fields: Json, path: str) -> str:
    found = value_at(fields, path)
    return "" if found is None else show(found)
