"""A match to what is told of it, and to letters: one for each destination that the rule names.

A message's id is made of the event's id and the rule, so the same event is told once to each
destination, from however many files, ticks and ways in it comes. It always says whether the event
stands in a log file that CloudTrail signed, whatever a template leaves out. What the event holds is
a stranger's text: places escape it where they show it, and it is bounded here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.events.fields import decode_fields, value_of
from integrity.events.templates import NOTHING, render_template, show_field
from integrity.rules.model import Event, Match, Rule
from integrity.state import Letter, Message, Step

DESTINATION_PREFIX = "rules:"
"""Before the id of a destination of the rules file, so that it is none of the alarms'."""

MOST_SUBJECT = 200
_MOST_TEXT = 32 * 1024
_MOST_FACT = 1000
_SHOWN = (
    ("User", "@userName"),
    ("Action", "eventName"),
    ("Service", "eventSource"),
    ("Time", "eventTime"),
    ("Account", "recipientAccountId"),
    ("Region", "awsRegion"),
    ("Source IP", "sourceIPAddress"),
    ("User agent", "userAgent"),
    ("Result", "@result"),
    ("Event", "eventID"),
)


def write_match(match: Match, *, trail_arn: str, now: datetime) -> Message:
    """What is told of a match."""
    rule, event = match.rule, match.event
    telling = _Telling(match)
    return Message(
        id=message_id(rule, event),
        trail_arn=trail_arn,
        incident_id="",
        audience=None,
        step=Step.MATCHED,
        subject=telling.subject(),
        text=telling.text(),
        facts=telling.facts(),
        created_at=now,
        event=event.raw.decode("utf-8", "replace"),
    )


def tell_text(match: Match) -> str:
    """What a message would say to people."""
    return _Telling(match).text()


def tell_facts(match: Match) -> dict[str, object]:
    """What a message would say to programs."""
    return _Telling(match).facts()


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


class _Telling:
    """One match in words."""

    def __init__(self, match: Match) -> None:
        self._match, self._rule = match, match.rule
        self._fields = decode_fields(match.event.raw)
        self._zone = ZoneInfo(match.rule.time_zone)

    @cached_property
    def _own(self) -> Mapping[str, str]:
        """What a template may name beside the event's fields."""
        return {
            "rule": self._rule.name,
            "description": self._rule.description,
            "text": self._match.text,
            "proof": prove(self._match.event),
        }

    def subject(self) -> str:
        """One line."""
        template = self._rule.subject or "{rule}: {eventName} by {@userName}"
        return " ".join(self._rendered(template).split())[:MOST_SUBJECT]

    def text(self) -> str:
        """The template's, or the usual lines; and always whether it is proven."""
        template = self._rule.template
        if template:
            body = self._rendered(template)
        else:
            shown = ((title, self._show(path)) for title, path in _SHOWN)
            lines = [f"{title}: {value}" for title, value in shown if value != NOTHING]
            body = "\n".join(
                part for part in (self._rule.description, self._match.text, *lines) if part
            )
        if len(body) > _MOST_TEXT:
            body = f"{body[: _MOST_TEXT - 1]}…"
        return body if "{proof}" in template else f"{body}\n\n{self._own['proof']}"

    def facts(self) -> dict[str, object]:
        """The same for machines; the event itself goes beside them, as it came."""
        rule, event, proof = self._rule, self._match.event, self._match.event.proof
        proven = {}
        if proof is not None:
            proven = {
                "log_file": proof.log.uri,
                "log_sha256": proof.sha256,
                "digest_file": proof.digest.uri,
            }
        return {
            "schema_version": 1,
            "step": Step.MATCHED.value,
            "rule": rule.name,
            "description": rule.description,
            "text": self._match.text,
            "event_id": event.id,
            "event_name": event.name,
            "event_source": event.source,
            "event_time": None if event.time is None else format_instant(event.time),
            "account_id": event.account_id,
            "region": event.region,
            "user_name": self._plain("@userName"),
            "user_type": self._plain("userIdentity.type"),
            "source_ip": self._plain("sourceIPAddress"),
            "user_agent": self._plain("userAgent"),
            "error_code": self._plain("errorCode"),
            "proven": event.is_proven,
            **proven,
        }

    def _rendered(self, template: str) -> str:
        return render_template(template, self._fields, self._own, self._zone)

    def _show(self, path: str) -> str:
        return show_field(self._fields, path, self._zone)

    def _plain(self, path: str) -> str:
        return value_of(self._fields, path, self._zone)[:_MOST_FACT]
