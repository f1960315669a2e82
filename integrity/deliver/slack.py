"""A message in a Slack channel, through an incoming webhook: blocks that a phone shows whole.

What it is, in a word and a mark of its own shape; how sure; where, which hours, how many; objects;
what to do and what not to; the command, the record and the incident's id. An incoming webhook can
neither answer in a thread nor change what it has posted: so the message that an incident is over
repeats what was told, struck through.

Every text is escaped as Slack asks (`&`, `<` and `>`), marked `verbatim`, so that no name in it
calls a person or makes a link, and cut to Slack's bounds: 50 blocks, 150 characters in a header,
3,000 in a text, 2,000 in a field.
(Slack: Sending messages using incoming webhooks; Formatting message text; Block Kit reference.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrity.deliver.bounds import cut_line, encode, harmless, record_of
from integrity.deliver.https import Endpoint
from integrity.state import Message, Step

MOST_HEADER, MOST_TEXT, MOST_FIELD = 150, 3000, 2000
_MOST_FACT = 900
"""Of what one fact says: no more of it helps on a phone."""

_MOST_SUBJECTS = 5
_MOST_IDS = 10
_MOST_LINE = 300
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

_MARKS = {"invalid": "✖", "undetermined": "▲", "valid": "●"}
_OVER, _EVENT = "✔", "◆"

_HELP = {
    "no_service": "the webhook is gone or disabled: make a new one and configure its URL",
    "no_service_id": "the URL is not whole: copy it again",
    "no_team": "the workspace is not there: copy the URL again",
    "team_disabled": "the workspace is disabled",
    "invalid_token": "the URL is not right, or was revoked: make a new webhook",
    "channel_not_found": "the channel is not there: make a webhook for another one",
    "channel_is_archived": "the channel is archived: unarchive it, or make another webhook",
    "action_prohibited": "an administrator has restricted the webhook: ask one to allow it",
    "posting_to_general_channel_denied": "the webhook may not post to #general: choose another",
    "user_not_found": "the person whom the webhook writes to is not there: make another webhook",
    "invalid_payload": "it does not take what was sent; a receiver that only resembles Slack does "
    "not know blocks",
    "invalid_blocks": "it does not take what was sent",
}

Block = dict[str, Any]


class SlackChannel:
    """One incoming webhook, to one channel. Raises UsageError where the URL is none."""

    def __init__(self, url: str) -> None:
        self._endpoint = Endpoint(url)

    def deliver(self, message: Message) -> None:
        """Post it. Raises DeliveryError where Slack did not take it."""
        body = encode(_payload(message)).encode()
        answer = self._endpoint.post(body, {"Content-Type": "application/json"})
        if not answer.is_taken:
            # Its own words are a stranger's: only those that are known are told.
            raise self._endpoint.refusal(answer, _HELP.get(answer.body.strip(), ""))


def _payload(message: Message) -> dict[str, Any]:
    return {
        # What a notification shows, and who reads aloud.
        "text": _escaped(_header(message), MOST_HEADER * 2),
        "blocks": list(_blocks(message)),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _blocks(message: Message) -> Iterator[Block]:
    facts = _Facts(message)
    title = {"type": "plain_text", "text": _header(message), "emoji": False}
    yield {"type": "header", "text": title}
    if message.step is Step.RESOLVED:
        yield _section("Over: these hours were verified again, and it was not found any more.")
        yield _section(_struck(facts.told()))
    elif facts.has_words:
        yield _section("\n".join(facts.words()))
        yield from _fields(facts)
        yield from _objects(facts)
        yield from _advice(facts)
    else:
        yield _section(_escaped(message.text, MOST_TEXT))
    if message.step is not Step.MATCHED:
        yield _context(facts)


class _Facts:
    """What the blocks say, a text each; empty where the facts do not say it."""

    def __init__(self, message: Message) -> None:
        self._facts, self._message = message.facts, message

    def text(self, name: str) -> str:
        return cut_line(str(self._facts.get(name) or ""), _MOST_FACT)

    @property
    def has_words(self) -> bool:
        return bool(self.text("what"))

    def words(self) -> Iterator[str]:
        yield f"*{self._outcome}{_escaped(self.text('what'), _MOST_FACT)}*"
        for name in ("how_sure", "detail"):
            if self.text(name):
                yield _escaped(self.text(name), _MOST_FACT)

    @property
    def _outcome(self) -> str:
        outcome = self.text("outcome")
        return f"{outcome.upper()}: " if outcome in _MARKS and outcome != "valid" else ""

    def places(self) -> list[tuple[str, str]]:
        """Where, when and how many, named."""
        window = self._facts.get("window")
        hours = ""
        if isinstance(window, dict):
            hours = cut_line(f"{window.get('start')} to {window.get('end')}", _MOST_FACT)
        account, region = self.text("account_id"), self.text("region")
        several = self._facts.get("incident_count", 1) != 1
        where = f"account {account or 'several'}, region {region or 'several'}"
        named = [
            ("Where", where if account or region or several else ""),
            ("Hours (UTC)", hours),
            ("Count", self.text("count")),
            ("Reason", self.text("reason")),
            ("Trail", cut_line(self._message.trail_arn, _MOST_FACT)),
        ]
        return [(name, value) for name, value in named if value]

    def told(self) -> list[str]:
        """What the opened message said, a line each."""
        what = self.text("what") or cut_line(self._message.subject, _MOST_FACT)
        return [
            f"{self._outcome}{what}",
            *(f"{name}: {value}" for name, value in self.places()),
            *self.objects(),
        ]

    def objects(self) -> list[str]:
        subjects = self._facts.get("subjects")
        if not isinstance(subjects, list | tuple):
            return []
        return [cut_line(str(uri), _MOST_LINE) for uri in subjects[:_MOST_SUBJECTS]]

    def ids(self) -> str:
        ids = self._facts.get("incident_ids")
        named = [str(one) for one in ids] if isinstance(ids, list | tuple) else []
        named = named or [self._message.incident_id]
        more = f" and {len(named) - _MOST_IDS} more" if len(named) > _MOST_IDS else ""
        return cut_line(", ".join(named[:_MOST_IDS]), _MOST_LINE) + more

    @property
    def record(self) -> str:
        return cut_line(record_of(self._message), _MOST_FACT * 2)


def _header(message: Message) -> str:
    mark = _MARKS.get(str(message.facts.get("outcome")), _MARKS["undetermined"])
    mark = {Step.RESOLVED: _OVER, Step.MATCHED: _EVENT}.get(message.step, mark)
    return cut_line(f"{mark} {message.subject.removeprefix('[integrity] ')}", MOST_HEADER)


def _fields(facts: _Facts) -> Iterator[Block]:
    fields = [
        _mrkdwn(f"*{name}*\n{_escaped(value, MOST_FIELD - 50)}") for name, value in facts.places()
    ]
    if fields:
        yield {"type": "section", "fields": fields}


def _objects(facts: _Facts) -> Iterator[Block]:
    lines = facts.objects()
    if lines:
        yield _section("\n".join(_code(line) for line in lines))


def _advice(facts: _Facts) -> Iterator[Block]:
    for title, name in (("Do", "do"), ("Caution", "do_not"), ("In doubt", "in_doubt")):
        if facts.text(name):
            yield _section(f"*{title}:* {_escaped(facts.text(name), MOST_TEXT - 50)}")
    if facts.text("next_command"):
        command = _escaped(facts.text("next_command").replace("`", "'"), MOST_TEXT - 100)
        yield _section(f"*Verify again:*\n```{command}```")


def _context(facts: _Facts) -> Block:
    lines = [("Incident", facts.ids()), ("Record", facts.record)]
    lines.append(("More", facts.text("documentation")))
    elements = [_mrkdwn(f"{name}: {_escaped(value, 1900)}") for name, value in lines if value]
    return {"type": "context", "elements": elements}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _struck(lines: list[str]) -> str:
    """Struck through line by line, as Slack does; a tilde inside would end it."""
    room = MOST_TEXT // (len(lines) or 1) - 3
    return "\n".join(f"~{_escaped(line.replace('~', '-'), room)}~" for line in lines)


def _code(text: str) -> str:
    return f"`{_escaped(text.replace('`', chr(39)), MOST_TEXT // _MOST_SUBJECTS - 3)}`"


def _escaped(text: str, most: int) -> str:
    """At most so many characters when escaped, and no escape cut in two."""
    pieces: list[str] = []
    room = most - 3
    for letter in harmless(text):
        piece = _ESCAPES.get(letter, letter)
        room -= len(piece)
        if room < 0:
            return "".join(pieces) + "..."
        pieces.append(piece)
    return "".join(pieces)
