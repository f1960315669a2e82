"""What is told: it fits, it obeys nobody, it says what to do, and trouble sounds like trouble."""

from __future__ import annotations

import json
import re

import pytest

from integrity.chain.evidence import EventRecord, EventWitness, Explanation
from integrity.chain.findings import CLAUSES, Outcome, Reason
from integrity.chain.trouble import REWRITTEN
from integrity.incidents.policy import Policy
from integrity.incidents.tick import Notice, Remark
from integrity.record import ChainState
from integrity.state import Audience, Message
from integrity.structs import replace
from tests.incidents.story import (
    ACCOUNT,
    ARN,
    DAY,
    HOUR,
    REGION,
    Story,
    chain,
    digest_uri,
    found,
    hours,
    log_uri,
    run,
)

SNS_BYTES = 256 * 1024
NOW = Policy(head_ticks=1, trouble_ticks=1, unreferenced_after=0 * HOUR, retention_days=0)
TOLD = sorted(set(Reason) - {Reason.DIGEST_FOREIGN})
ALARMING = re.compile(r"tamper|attack|forge[dr]|manipulat|malicious|breach|fraud", re.IGNORECASE)


def first_message(reason: Reason, *, count: int = 1, detail: str = "") -> Message:
    story = Story(NOW)
    story.tick(
        *(found(reason, hours(5), uri=log_uri(number), detail=detail) for number in range(count))
    )
    return story.messages[0]


def test_the_subject_says_what_where_and_how_much() -> None:
    message = first_message(Reason.LOG_HASH_MISMATCH, count=3)
    assert message.subject == (
        "[integrity] INVALID log_hash_mismatch 111122223333 us-east-1 main (3 files)"
    )


@pytest.mark.parametrize("reason", TOLD)
def test_a_message_says_everything_that_its_reader_has_to_know(reason: Reason) -> None:
    message = first_message(reason, detail="the detail")
    facts = message.facts

    assert CLAUSES[reason].what in message.text
    assert f"docs/operations.md#{reason.value}" in message.text
    for word in ("How sure", "In doubt", "Do  ", "Caution", "First seen", "the detail", "Record"):
        assert word in message.text
    assert f"integrity verify --trail-arn {ARN}" in message.text
    assert "--start-time 2026-03-01T05:00:00Z --end-time 2026-03-01T06:00:00Z" in message.text
    whole = reason is Reason.TRAIL_OFF
    assert (f"--account-id {ACCOUNT} --source-region {REGION}" in message.text) is not whole
    assert message.incident_id in message.text
    assert "s3://records/main.json" in message.text
    assert facts["reason"] == reason.value
    assert facts["outcome"] == CLAUSES[reason].outcome.value
    assert facts["dedup_key"] == facts["incident_id"] == message.incident_id
    assert facts["trail_arn"] == ARN
    assert (facts["account_id"], facts["region"]) == (ACCOUNT, REGION)
    assert facts["window"] == {"start": "2026-03-01T05:00:00Z", "end": "2026-03-01T06:00:00Z"}
    assert facts["subjects"] == [log_uri()]
    assert facts["first_seen"] == "2026-03-02T00:20:00Z"
    assert str(facts["do"]) in message.text
    assert str(facts["do_not"]) in message.text
    assert facts["documentation"] == f"docs/operations.md#{reason.value}"
    assert facts["record_uri"] == "s3://records/main.json"
    noted = (Reason.OBJECT_EXPIRED, Reason.EVENT_UNCONFIRMED)
    assert facts["is_open"] is (reason not in noted)
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize(
    "reason", [one for one in TOLD if CLAUSES[one].outcome is Outcome.UNDETERMINED]
)
def test_what_is_undetermined_never_sounds_like_tampering(reason: Reason) -> None:
    text = first_message(reason).text.replace("do not take it for tampering", "")
    assert ALARMING.search(text) is None
    assert "INVALID" not in text
    assert "ndetermined" in text


@pytest.mark.parametrize("reason", TOLD)
def test_whatever_a_stranger_named_is_shown_harmless_and_fits(reason: Reason) -> None:
    junk = "\x1b[2J\nVALID: all is well\u202e\x00\\" * 60
    story = Story(NOW)
    findings = [
        found(
            reason,
            hours(5),
            uri=f"s3://logs/{number}/{junk}",
            detail=junk,
            region=f"eu-west-{number % 60}",
            account=f"{number:012}",
        )
        for number in range(120)
    ]
    story.tick(*findings)
    for message in story.messages:
        assert len(message.subject) < 100
        assert message.subject.isascii()
        assert message.subject.isprintable()
        assert message.text.isascii()
        assert message.text.replace("\n", "").isprintable()
        assert "\nVALID" not in message.text
        document = json.dumps({"default": json.dumps(message.facts), "email": message.text})
        assert len(document.encode()) < SNS_BYTES * 3 // 4
        assert "(see the record)" in message.text
        assert message.facts["incident_count"] == 120
        assert message.facts["account_id"] == message.facts["region"] == ""
        assert "--account-id" not in message.text
        assert "120 accounts 120 regions" in message.subject


def test_who_did_it_and_what_lay_there_before_are_told_in_a_line_each() -> None:
    event = EventRecord(
        event_name="StopLogging", time=hours(0).start, by="arn:eve\n\u202e", event_id="e"
    )
    story = Story(NOW)
    gap = found(Reason.CHAIN_GAP, hours(5))
    story.tick(replace(gap, explanation=Explanation(events=(event,)), versions_tried=3))

    (message,) = story.messages
    (who,) = [line for line in message.text.splitlines() if line.startswith("Who  ")]
    assert who == (
        "Who         explained by StopLogging by arn:eve\\n\\u202e at 2026-03-01T00:00:00Z "
        "(verified log file)"
    )
    assert "\nBefore      no older version verifies (3 tried)\n" in message.text
    assert message.facts["explanations"] == [who[12:]]
    assert message.facts["before"] == ["no older version verifies (3 tried)"]


def test_where_nothing_explains_it_that_is_told_and_where_nobody_looked_nothing() -> None:
    story = Story(NOW)
    gap = found(Reason.CHAIN_GAP, hours(5))
    story.tick(replace(gap, explanation=Explanation(asked=tuple(EventWitness))))

    assert "Who         unexplained by verified log files and the Event history\n" in (
        story.messages[0].text
    )
    plain = first_message(Reason.CHAIN_GAP)
    assert "\nWho " not in plain.text
    assert (plain.facts["explanations"], plain.facts["before"]) == ([], [])


def test_hostile_actors_fit() -> None:
    event = EventRecord(
        event_name="x" * 9999, time=hours(0).start, by="\u202e" * 999999, event_id="e"
    )
    story = Story(NOW)
    gap = found(Reason.CHAIN_GAP, hours(5))
    story.tick(replace(gap, explanation=Explanation(events=(event,) * 10)))

    assert len(story.messages[0].text) < 5000


def test_a_long_trail_name_leaves_room_for_the_amount() -> None:
    story = Story()
    story.tick(found(Reason.DIGEST_SIGNATURE_MISSING, uri=digest_uri()))
    (incident,) = story.open.values()
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/{'x' * 128}"
    story.open = {incident.id: replace(incident, trail_arn=arn, notified=story.now - DAY)}
    story.tick(found(Reason.DIGEST_SIGNATURE_MISSING, uri=digest_uri()))
    subject = story.messages[-1].subject
    assert subject.startswith("[integrity] STILL INVALID digest_signature_missing")
    assert subject.endswith("xxx... (1 file)")
    assert len(subject) == 99


def test_each_step_says_what_it_is() -> None:
    story = Story()
    one, two = (found(Reason.LOG_MISSING, hours(at), uri=log_uri(at)) for at in (20, 21))
    story.tick(one)
    story.tick(one, two)
    story.lasts(one, two, ticks=24)
    story.tick(looks=[run(hours(19, 23), look=True)])
    assert [message.subject.split(" log_missing")[0] for message in story.messages] == [
        "[integrity] INVALID",
        "[integrity] WORSE: INVALID",
        "[integrity] STILL INVALID",
        "[integrity] RESOLVED",
    ]
    opened, worsened, reminded, resolved = (message.text for message in story.messages)
    assert opened.startswith("INVALID: log file is gone")
    assert worsened.startswith("This has got worse")
    assert reminded.startswith("A daily reminder")
    assert resolved.startswith("Over: ")
    assert "Caution" not in resolved
    assert story.messages[-1].facts["is_open"] is False


def test_many_objects_of_one_incident_are_counted_and_the_first_ones_named() -> None:
    message = first_message(Reason.LOG_MISSING, count=30)
    assert "30 files" in message.subject
    assert message.text.count("s3://logs") == 20
    assert "and 10 more objects (see the record)" in message.text
    assert len(message.facts["subjects"]) == 20  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reason", "amount"),
    [
        (Reason.TRAIL_OFF, "the whole trail"),
        (Reason.HEAD_STALE, "1 chain"),
        (Reason.OBJECT_UNREADABLE, "1 object"),
        (Reason.DIGEST_MISSING, "1 file"),
    ],
)
def test_an_amount_is_of_what_it_is_about(reason: Reason, amount: str) -> None:
    assert first_message(reason).subject.endswith(f"({amount})")


def test_a_chain_has_no_objects() -> None:
    story = Story()
    story.tick(found(Reason.CHAIN_GAP))
    assert "Objects" not in story.messages[0].text
    assert "Detail" not in story.messages[0].text


def test_who_is_from_security_reads_why_an_unreadable_object_concerns_them() -> None:
    story = Story()
    hidden = found(Reason.OBJECT_UNREADABLE, uri=log_uri(), detail=f"no; {REWRITTEN}")
    early = found(Reason.OBJECT_EXPIRED, uri=log_uri(1))
    story.tick(hidden, early, chains=[chain(letters="P" * 26)])
    texts = {message.facts["reason"]: message.text for message in story.messages}
    assert "out of the ordinary" in texts["object_unreadable"]
    assert "find who wrote the rule" in texts["object_expired"]
    assert all(ALARMING.search(text) is None for text in texts.values())
    assert {message.audience for message in story.messages} == {Audience.SECURITY}


@pytest.mark.parametrize("remark", Remark)
def test_the_services_own_messages_are_whole(remark: Remark) -> None:
    story = Story()
    if remark is Remark.NEW_CHAIN:
        story.tick(chains=[chain(state=ChainState.NEW)])
    else:
        notice = Notice(
            remark=remark,
            account_id=ACCOUNT,
            region=REGION,
            window=hours(5),
            detail="why",
            subject="s3://records/one.json",
        )
        story.tick(notices=[notice])
    (message,) = story.messages
    assert message.facts["reason"] == remark.value
    assert f"docs/operations.md#{remark.value}" in message.text
    assert ALARMING.search(message.text) is None
    assert "INVALID" not in message.subject
