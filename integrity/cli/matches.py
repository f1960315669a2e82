"""What `integrity verify --rules` shows beside each record: the events that rules are about.

They are asked for after a verdict is made and shown behind it; no exit status is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec

from integrity.chain.limits import Limits
from integrity.chain.terminal import escape
from integrity.rules.matching import Matcher
from integrity.rules.messages import write_match
from integrity.rules.model import Event, Match
from integrity.rules.reading import read_verified
from integrity.state import Message

if TYPE_CHECKING:
    from integrity.verify.run import Verification
    from integrity.wiring.rules import Rulebook


def match_verified(rulebook: Rulebook, verification: Verification) -> list[tuple[Match, Message]]:
    """The matches of a verification, and what would be told of each; trouble goes to stderr."""
    run = verification.run
    if verification.dropped:
        warn(f"{verification.dropped} log files or events were left out: too large, or too many")
    events = list(read_verified(verification.asked))
    return match_events(rulebook, events, trail_arn=run.trail_arn, now=run.run.judged_at)


def match_events(
    rulebook: Rulebook,
    events: Iterable[Event],
    *,
    trail_arn: str,
    now: datetime,
) -> list[tuple[Match, Message]]:
    """The matches of these events, in their order."""
    with rulebook.open_programs() as programs:
        matcher = Matcher(rulebook.rules, programs, Limits())
        found = list(matcher.match(events))
    for stopped in matcher.disabled():
        warn(f"rule {stopped.rule} was stopped: {stopped.detail}")
    for name, count in matcher.counts().items():
        if count.failed:
            warn(f"rule {name} ended in an error for {count.failed} events: no match")
    return [(match, write_match(match, trail_arn=trail_arn, now=now)) for match in found]


def render_matches(found: Iterable[tuple[Match, Message]]) -> Iterator[str]:
    """A few lines each, for people: the rule, and what a message would say."""
    for match, message in found:
        yield escape(f"Rule       {match.rule.name}")
        for line in message.text.splitlines():
            yield escape(f"  {line}").rstrip()


def encode_match(message: Message) -> bytes:
    """The facts as one line of JSON, with the event as it stands in its log file."""
    event = msgspec.Raw(message.event.encode())
    facts = {"message_id": message.id, **message.facts, "event": event}
    return msgspec.json.format(msgspec.json.encode(facts), indent=-1)


def warn(text: str) -> None:
    """One line on standard error."""
    click.echo(escape(f"Warning: {text}"), err=True)
