"""Rules in the service: from lab events to what stands for Slack, SNS and SES; and SIGKILL."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrity.lab import attacks
from integrity.lab.naming import iso
from integrity.lab.server import serve
from tests.deliver.mailboxes import MailBox
from tests.deliver.receiver import receive
from tests.rules.samples import session
from tests.service.stage import HOUR, Stage, make_world
from tests.service.test_killed import Life, Lives

TATTLETAIL = """
[[rule]]
name = "Create AccessKey"
jq_match = 'select(.eventName == "CreateAccessKey")'
description = "A new access key has been made"
destinations = ["Topic", "Channel", "Mail"]

[[rule]]
name = "SSM session"
jq_match = 'select(.eventName == "StartSession") | "target: \\(.requestParameters.target)"'
description = "A session was started"
destinations = ["Channel"]

[[destination]]
id = "Topic"
type = "sns"
sns_arn = "{topic}"

[[destination]]
id = "Channel"
type = "slack_webhook"
webhook_url = "{url}/services/x"

[[destination]]
id = "Mail"
type = "ses"
to_emails = ["security@example.com"]
from_email = "{sender}"
"""


def write(path: Path, **values: str) -> Path:
    text = TATTLETAIL
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_tattletail_file_as_it_is_tells_of_keys_and_sessions(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = MailBox(stage.aws)
    with receive() as slack:
        path = write(
            tmp_path / "tattletail.toml",
            topic=stage.topics["operations"],
            url=slack.url,
            sender=mailbox.sender,
        )
        monkeypatch.setenv("INTEGRITY_RULES_FILE", str(path))
        stage.chain.announcements.append({**session(), "eventTime": iso(stage.world.now)})
        stage.pass_hours(2)
        first = stage.tick()
        stage.pass_hours()
        stage.tick()
        posted = [json.loads(request.body) for request in slack.requests]

    assert first.status == 0
    texts = Counter(one["blocks"][0]["text"]["text"].split(":")[0] for one in posted)
    assert texts["◆ SSM session"] == 1
    keys = texts["◆ Create AccessKey"]
    told = [json.loads(one["Message"]) for one in stage.mail("operations")]
    matched = [one for one in told if one["step"] == "matched"]
    assert len({one["event_id"] for one in matched}) == len(matched) == keys > 0
    assert all(one["proven"] and one["event"]["eventName"] == "CreateAccessKey" for one in matched)
    assert len(mailbox.received()) == keys
    assert any("target: i-0abc" in str(one) for one in posted)


@pytest.mark.slow
def test_an_endless_rule_delays_no_verdict_and_is_told(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nname = "endless"\nmatch = "def f: f; f"\n', encoding="utf-8")
    monkeypatch.setenv("INTEGRITY_RULES_FILE", str(path))
    stage.tick()
    attacks.edit_log(stage.world, stage.newest.log_files[0])
    stage.pass_hours()

    assert stage.tick().status == 1
    assert stage.news() == [("opened", "log_hash_mismatch")]
    assert ("opened", "rule_stopped") in stage.news("operations")


def test_a_rules_file_with_a_mistake_stops_no_verdict(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nname = "a"\nmatch = "{"\n', encoding="utf-8")
    monkeypatch.setenv("INTEGRITY_RULES_FILE", str(path))

    assert stage.tick().status == 0
    [news] = [one for one in stage.mail("operations") if "rule_stopped" in one["Message"]]
    assert "rule[0].match (a): it is no jq program" in news["Message"]


KILLED = ("recorded", "asked", "committing", "committed", "claimed", "taken", "marked", "beaten")
RULE_BOX = """
[[rule]]
name = "keys"
match = '.eventName == "CreateAccessKey"'
destinations = ["box"]
[[destination]]
id = "box"
type = "sns"
sns_arn = "{topic}"
"""


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Lives]:
    world = make_world(hours=8)
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield Lives("sqlite", world, server, tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_no_match_is_lost_wherever_a_tick_is_killed(
    lives: Lives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues: dict[str, str] = {}

    def begin(name: str) -> Life:
        life = lives.go_on(name)
        topic, queues[name] = life.open_box(f"{name}-rules")
        rules = RULE_BOX.replace("{topic}", topic)
        (tmp_path / f"{name}.toml").write_text(rules, encoding="utf-8")
        return use(life)

    def use(life: Life) -> Life:
        monkeypatch.setenv("INTEGRITY_RULES_FILE", str(tmp_path / f"{life.name}.toml"))
        return life

    undisturbed = begin("undisturbed")
    undisturbed.tick()
    killed = {}
    for number, point in enumerate(KILLED):
        killed[point] = begin(f"killed-{number}")
        process = killed[point].start(point)
        _, errors = process.communicate()
        assert process.returncode == -signal.SIGKILL, (point, errors)

    # What was claimed by the dead is free again.
    lives.world.advance(lives.world.now + HOUR)
    use(undisturbed).tick()
    expected = Counter(matched(undisturbed.aws, queues["undisturbed"]))
    assert set(expected.values()) == {1}
    for point, life in killed.items():
        use(life).tick()
        found = Counter(matched(life.aws, queues[life.name]))
        assert set(found) == set(expected), point
        # SNS may have had one of them when the process died.
        assert sum(found.values()) - len(found) <= 1, point


def matched(aws: Any, queue: str) -> Iterator[str]:
    """The ids of the events that arrived."""
    sqs = aws.client("sqs", "us-east-1")
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(json.loads(message["Body"])["Message"])["event_id"]


def test_rules_that_write_into_the_audited_bucket_are_refused(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rules.toml"
    archive = f"""
        [[rule]]
        name = "a"
        match = "true"
        destinations = ["d"]
        [[destination]]
        id = "d"
        type = "s3"
        bucket = "{stage.world.trails[0].bucket}"
        kms_key_id = "alias/x"
    """
    path.write_text(archive, encoding="utf-8")
    monkeypatch.setenv("INTEGRITY_RULES_FILE", str(path))
    tick = stage.tick()

    assert tick.status == 2
    assert "which is audited: they are no files of CloudTrail's" in tick.error
