"""What `integrity verify --rules` shows beside each record: the events that rules are about.

They are asked for after a verdict is made and shown behind it; no exit status is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
import msgspec

from integrity.chain.limits import Limits
from integrity.chain.terminal import escape
from integrity.rules.matching import Matcher
from integrity.rules.messages import message_id, tell_facts, tell_text
from integrity.rules.model import Event, Match
from integrity.rules.reading import read_verified

if TYPE_CHECKING:
    from integrity.verify.run import Verification
    from integrity.wiring.rules import Rulebook


def match_verified(rulebook: Rulebook, verification: Verification) -> list[Match]:
    """The matches of a verification; trouble goes to stderr."""
    if verification.dropped:
        warn(f"{verification.dropped} log files or events were left out: too large, or too many")
    return match_events(rulebook, read_verified(verification.asked))


def match_events(rulebook: Rulebook, events: Iterable[Event]) -> list[Match]:
    """The matches of these events, in their order."""
    with rulebook.open_programs() as programs:
        matcher = Matcher(rulebook.rules, programs, Limits())
        found = list(matcher.match(events))
    for stopped in matcher.disabled():
        warn(f"rule {stopped.rule} was stopped: {stopped.detail}")
    for name, count in matcher.counts().items():
        if count.failed:
            warn(f"rule {name} ended in an error for {count.failed} events: no match")
    return found


def render_matches(found: Iterable[Match]) -> Iterator[str]:
    """A few lines each, for people: the rule, and what a message would say."""
    for match in found:
        yield escape(f"Rule       {match.rule.name}")
        for line in tell_text(match).splitlines():
            yield escape(f"  {line}").rstrip()


def encode_matches(found: Iterable[Match]) -> Iterator[bytes]:
    """Of each the facts as a line of JSON, with the event as it stands in its log file."""
    for match in found:
        facts = {
            "message_id": message_id(match.rule, match.event),
            **tell_facts(match),
            "event": msgspec.Raw(match.event.raw),
        }
        yield msgspec.json.format(msgspec.json.encode(facts), indent=-1)
        yield b"\n"


def warn(text: str) -> None:
    """One line on standard error."""
    click.echo(escape(f"Warning: {text}"), err=True)
