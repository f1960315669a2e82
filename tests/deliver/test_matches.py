"""An event that a rule matched, in the words of the places that are told of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from integrity.chain.model import S3Location
from integrity.deliver.bounds import encode_facts
from integrity.deliver.slack import SlackChannel
from integrity.rules.messages import write_match
from integrity.rules.model import Match, Proof, Rule
from integrity.rules.reading import read_event
from integrity.state import Message
from tests.deliver.receiver import receive
from tests.rules.samples import login

NOW = datetime(2026, 3, 1, 5, tzinfo=UTC)
PROOF = Proof(S3Location("logs", "a log"), "ab" * 32, S3Location("logs", "a digest"))


def told(raw: bytes, *, proof: Proof | None = PROOF) -> Message:
    event = read_event(raw, proof)
    assert event is not None
    rule = Rule(name="Root <login>", match="true", description="Somebody *is* root.")
    return write_match(Match(rule, event), trail_arn="a trail", now=NOW)


def test_the_event_goes_along_letter_by_letter() -> None:
    raw = b'{"eventID": "1", "n": 12345678901234567890123, "f": 1.50, "s": "\xc3\xa9\\u0041"}'
    body = encode_facts(told(raw), 10_000)

    assert body.isascii()
    assert '"event":{"eventID": "1", "n": 12345678901234567890123, "f": 1.50' in body
    assert json.loads(body)["event"] == json.loads(raw)
    assert json.loads(body)["message_id"]


def test_an_event_that_is_too_large_is_left_out_and_that_is_said() -> None:
    large = told(json.dumps({"eventID": "1", "x": "y" * 5000}).encode())
    facts = json.loads(encode_facts(large, 4000))

    assert "event" not in facts
    assert (facts["cut"], facts["event_id"]) == (True, "1")


def test_slack_shows_what_it_is_and_that_it_is_proven() -> None:
    shown = slack(told(json.dumps(login()).encode()))

    assert shown["blocks"][0]["text"]["text"] == "◆ Root <login>: ConsoleLogin by alice"
    assert "Somebody *is* root." in shown["blocks"][1]["text"]["text"]
    assert shown["blocks"][1]["text"]["verbatim"] is True
    assert "Proven: it stands in a log file" in shown["blocks"][1]["text"]["text"]


def test_slack_shows_what_is_not_yet_proven() -> None:
    shown = slack(told(json.dumps(login()).encode(), proof=None))

    assert "Not yet proven: seen live" in shown["blocks"][1]["text"]["text"]


def slack(message: Message) -> dict[str, Any]:
    with receive() as receiver:
        SlackChannel(f"{receiver.url}/services/x").deliver(message)
        [request] = receiver.requests
    shown: dict[str, Any] = json.loads(request.body)
    return shown
