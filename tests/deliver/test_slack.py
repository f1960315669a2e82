"""Slack: what a person reads on a phone, and what Slack's own refusals mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from integrity.deliver.slack import MOST_FIELD, MOST_HEADER, MOST_TEXT, SlackChannel
from integrity.state import DeliveryError, Message, Step
from integrity.structs import replace
from tests.deliver.receiver import Receiver, receive


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as running:
        yield running


@pytest.fixture
def channel(receiver: Receiver) -> SlackChannel:
    return SlackChannel(f"{receiver.url}/services/T0/B0/token")


@pytest.fixture
def whole(message: Message) -> Message:
    """With everything that an incident's facts say."""
    facts: dict[str, object] = {
        **message.facts,
        "what": "log file whose content is not the signed one",
        "how_sure": "Confirmed: read a second time",
        "in_doubt": "the events in these log files",
        "do": "copy all versions of it elsewhere",
        "do_not": "do not restore anything in place",
        "detail": "the sizes differ",
        "window": {"start": "2026-03-01T05:00:00Z", "end": "2026-03-01T06:00:00Z"},
        "next_command": "integrity verify --trail-arn 'a&b'",
        "documentation": "docs/operations.md#log_hash_mismatch",
        "incident_count": 1,
        "incident_ids": ["0123456789ab"],
    }
    return replace(message, facts=facts)


def posted(receiver: Receiver) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(receiver.requests[-1].body)
    return document


def texts(blocks: list[dict[str, Any]]) -> list[str]:
    found = []
    for block in blocks:
        inner = block.get("fields") or block.get("elements") or [block["text"]]
        found += [one["text"] for one in inner]
    return found


def check_limits(blocks: list[dict[str, Any]]) -> None:
    """Slack's, as its Block Kit reference has them."""
    assert 0 < len(blocks) <= 50
    for block in blocks:
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
            assert 0 < len(block["text"]["text"]) <= MOST_HEADER == 150
        elif block["type"] == "context":
            assert 0 < len(block["elements"]) <= 10
            assert all(0 < len(one["text"]) <= MOST_TEXT for one in block["elements"])
        elif "fields" in block:
            assert 0 < len(block["fields"]) <= 10
            assert all(0 < len(one["text"]) <= MOST_FIELD == 2000 for one in block["fields"])
        else:
            assert 0 < len(block["text"]["text"]) <= MOST_TEXT == 3000


def test_what_is_opened_says_all_that_a_person_needs(
    channel: SlackChannel, receiver: Receiver, whole: Message
) -> None:
    channel.deliver(whole)

    document = posted(receiver)
    check_limits(document["blocks"])
    assert document["text"].startswith("✖ INVALID log_hash_mismatch")
    assert texts(document["blocks"]) == [
        "✖ INVALID log_hash_mismatch 111122223333 us-east-1 main",
        "*INVALID: log file whose content is not the signed one*\nConfirmed: read a second time\n"
        "the sizes differ",
        "*Where*\naccount 111122223333, region us-east-1",
        "*Hours (UTC)*\n2026-03-01T05:00:00Z to 2026-03-01T06:00:00Z",
        "*Count*\n1",
        "*Reason*\nlog_hash_mismatch",
        "*Trail*\narn:aws:cloudtrail:us-east-1:111122223333:trail/main",
        "`s3://logs/a.json.gz`",
        "*Do:* copy all versions of it elsewhere",
        "*Caution:* do not restore anything in place",
        "*In doubt:* the events in these log files",
        "*Verify again:*\n```integrity verify --trail-arn 'a&amp;b'```",
        "Incident: 0123456789ab",
        "Record: s3://records/r.json",
        "More: docs/operations.md#log_hash_mismatch",
    ]


def test_the_end_repeats_what_was_told_struck_through(
    channel: SlackChannel, receiver: Receiver, whole: Message
) -> None:
    subject = "[integrity] RESOLVED log_hash_mismatch 111122223333 us-east-1 main"

    channel.deliver(replace(whole, step=Step.RESOLVED, subject=subject))

    blocks = posted(receiver)["blocks"]
    check_limits(blocks)
    header, over, struck, *_ = texts(blocks)
    assert header == "✔ RESOLVED log_hash_mismatch 111122223333 us-east-1 main"
    assert over.startswith("Over: ")
    lines = struck.split("\n")
    assert lines[0] == "~INVALID: log file whose content is not the signed one~"
    assert "~Where: account 111122223333, region us-east-1~" in lines
    assert "~s3://logs/a.json.gz~" in lines
    assert all(line[0] == line[-1] == "~" and "~" not in line[1:-1] for line in lines)
    assert "Incident: 0123456789ab" in texts(blocks)
    assert not any("Verify again" in text for text in texts(blocks))


@pytest.mark.parametrize(
    ("outcome", "mark"), [("invalid", "✖"), ("undetermined", "▲"), ("valid", "●"), ("?", "▲")]
)
def test_each_outcome_has_a_mark_of_its_own_shape(
    channel: SlackChannel, receiver: Receiver, whole: Message, outcome: str, mark: str
) -> None:
    channel.deliver(replace(whole, facts={**whole.facts, "outcome": outcome}))

    assert posted(receiver)["text"].startswith(f"{mark} ")


def test_several_places_are_said_to_be_several(
    channel: SlackChannel, receiver: Receiver, whole: Message
) -> None:
    facts = {
        **whole.facts,
        "account_id": "",
        "incident_count": 60,
        "incident_ids": [f"id{number}" for number in range(60)],
    }

    channel.deliver(replace(whole, facts=facts))

    said = texts(posted(receiver)["blocks"])
    assert "*Where*\naccount several, region us-east-1" in said
    assert any(text.startswith("Incident: id0, ") and "and 50 more" in text for text in said)


def test_without_words_in_the_facts_the_text_is_shown(
    channel: SlackChannel, receiver: Receiver, message: Message
) -> None:
    channel.deliver(message)

    blocks = posted(receiver)["blocks"]
    check_limits(blocks)
    assert "One log file was changed after CloudTrail delivered it." in texts(blocks)[1]


def test_names_call_nobody_and_link_nowhere(
    channel: SlackChannel, receiver: Receiver, whole: Message
) -> None:
    hostile = "<!channel> <https://evil.example|AWS> @here & ` ~x~ :fire:"

    channel.deliver(replace(whole, facts={**whole.facts, "what": hostile, "subjects": [hostile]}))

    document = posted(receiver)
    inner = [one for block in document["blocks"] for one in block.get("fields", [])]
    inner += [block["text"] for block in document["blocks"] if "text" in block]
    for one in inner:
        assert "<" not in one["text"]
        assert ">" not in one["text"]
        assert one.get("verbatim", one["type"] == "plain_text") is True
    said = texts(document["blocks"])
    assert "`&lt;!channel&gt; &lt;https://evil.example|AWS&gt; @here &amp; ' ~x~ :fire:`" in said
    assert (document["unfurl_links"], document["unfurl_media"]) == (False, False)


@pytest.mark.parametrize("step", [Step.OPENED, Step.RESOLVED])
@pytest.mark.parametrize("letter", ["x", "&", "~", "`", "ä", "\n", "\x00"])
def test_whatever_comes_stays_within_the_limits(
    channel: SlackChannel, receiver: Receiver, whole: Message, step: Step, letter: str
) -> None:
    long = letter * 10_000
    facts: dict[str, object] = dict.fromkeys(whole.facts, long)
    facts |= {
        "subjects": [long] * 50,
        "incident_ids": [long] * 50,
        "window": {"start": long, "end": long},
    }

    for planted in (facts, {}, {"what": long}):
        channel.deliver(
            replace(whole, facts=planted, step=step, subject=long, text=long, incident_id=long)
        )
        check_limits(posted(receiver)["blocks"])
        # No escape is cut in two.
        assert "&am..." not in receiver.requests[-1].body.decode()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"no_service", "the webhook is gone or disabled: make a new one"),
        (410, b"channel_is_archived", "the channel is archived: unarchive it"),
        (404, b"channel_not_found", "the channel is not there"),
        (403, b"action_prohibited", "an administrator has restricted the webhook"),
        (403, b"invalid_token\n", "the URL is not right, or was revoked"),
        (400, b"invalid_payload", "it does not take what was sent"),
        (404, b"<html>hush</html>", "nobody is there: check the URL"),
        (500, b"rollup_error", "a fault of its own"),
        (302, b"", "a redirect, which is not followed"),
    ],
)
def test_what_slack_refuses_is_told_with_what_helps(
    channel: SlackChannel,
    receiver: Receiver,
    message: Message,
    status: int,
    body: bytes,
    said: str,
) -> None:
    receiver.answer(status, body)

    with pytest.raises(DeliveryError, match=said) as refused:
        channel.deliver(message)

    assert f"status {status}" in str(refused.value)
    assert "hush" not in str(refused.value)
    assert "token" not in str(refused.value) or b"invalid_token" in body


def test_slack_says_how_long_to_wait(
    channel: SlackChannel, receiver: Receiver, message: Message
) -> None:
    receiver.answer(429, b"rate_limited", Retry_After="30")

    with pytest.raises(DeliveryError, match="it asks for fewer messages, in 30 s"):
        channel.deliver(message)
