"""The examples as live functions: events come in, and the thing arrives with the right content."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import quote_plus

import pytest

from integrity.aws.session import Aws
from integrity.errors import ConfigError, UsageError
from integrity.events.payloads import PayloadError
from integrity.lab.faults import Fault
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.wiring.live import open_live
from tests.deliver.events import LOGIN
from tests.deliver.mailboxes import ItemBox, MailBox, ObjectBox, TopicBox
from tests.deliver.receiver import receive
from tests.deploy.examples import LOGIN_LEDGER, TATTLETAIL, USER_WATCH, environment
from tests.lab_aws import NOW, aws, bare_environment, lab, recipe, world
from tests.stores.specimens import DAY, letter
from tests.wiring.live_stage import control, hand, logs, make_state, notice, opened, queue

__all__ = ["aws", "bare_environment", "lab", "recipe", "world"]

TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/05/"
ID = LOGIN["eventID"]


def log_file(world: World, key: str, *events: dict[str, Any]) -> None:
    content = gzip.compress(json.dumps({"Records": list(events)}).encode())
    world.objects["trail-logs", key] = StoredObject(content, NOW)


def watched(name: str = "operator", **changes: Any) -> dict[str, Any]:
    identity = {"type": "IAMUser", "userName": name, "accountId": "111122223333"}
    return LOGIN | {"userIdentity": identity, "eventName": "RunInstances"} | changes


def test_user_watch_mails_what_the_user_does(aws: Aws) -> None:
    box = TopicBox(aws)
    environ = environment(USER_WATCH, {"Topic": box.topic, "StateTable": make_state(aws)})

    with opened(environ, NOW) as live:
        assert hand(live, logs(watched(), watched("somebody", eventID="x"))) == {
            "batchItemFailures": []
        }
        hand(live, logs(watched()))

    [envelope] = box.received()
    assert envelope["Subject"] == "RunInstances by operator"
    facts = json.loads(envelope["Message"])
    assert facts["proven"] is False
    assert facts["source_ip"] == "192.0.2.1"


def test_alarms_that_wait_in_the_same_table_are_left_to_the_service(aws: Aws) -> None:
    box = TopicBox(aws)
    environ = environment(USER_WATCH, {"Topic": box.topic, "StateTable": make_state(aws)})

    with opened(environ, NOW + 4 * DAY) as live:
        live._store.keep_letters([letter("alarm")])
        hand(live, logs(watched()))
        assert list(live._store.unsent_letters()) == [letter("alarm")]

    assert len(box.received()) == 1


def test_user_watchs_mail_has_time_action_source_and_agent(aws: Aws, lab: LabServer) -> None:
    box = TopicBox(aws)
    environ = environment(USER_WATCH, {"Topic": box.topic, "StateTable": make_state(aws)})
    lab.faults.append(Fault("deny", operation="Publish"))

    with opened(environ, NOW) as live:
        hand(live, logs(watched()))
        [letter] = live._store.unsent_letters()

    for line in (
        "Time: 2024/03/30 18:45:53 (Asia/Tokyo)",
        "User: operator",
        "Action: RunInstances (signin.amazonaws.com)",
        "Source IP: 192.0.2.1",
        "User agent: Mozilla/5.0",
        "Not yet proven",
    ):
        assert line in letter.message.text


def test_what_could_not_be_told_is_told_by_the_schedules_call(aws: Aws, lab: LabServer) -> None:
    box = TopicBox(aws)
    environ = environment(USER_WATCH, {"Topic": box.topic, "StateTable": make_state(aws)})
    lab.faults.append(Fault("deny", operation="Publish"))
    with opened(environ, NOW) as live:
        hand(live, logs(watched()))
    lab.faults.clear()

    with opened(environ, NOW.replace(hour=13)) as live:
        hand(live, {"source": "aws.events", "detail-type": "Scheduled Event"})

    assert len(box.received()) == 1


def test_login_ledger_keeps_each_login_once_and_mails_it(aws: Aws) -> None:
    box, ledger = TopicBox(aws), ItemBox(aws)
    environ = environment(
        LOGIN_LEDGER, {"Topic": box.topic, "Ledger": ledger.table, "StateTable": make_state(aws)}
    )
    root = {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"}
    failed = LOGIN | {
        "eventID": "failed",
        "userIdentity": root,
        "responseElements": {"ConsoleLogin": "Failure"},
    }

    with opened(environ, NOW) as live:
        hand(live, logs(LOGIN, failed))
        hand(live, logs(LOGIN | {"userAgent": "another"}))

    items = {item["eventID"]: item for item in ledger.received()}
    assert items[ID] == {
        "eventID": ID,
        "accountId": "111122223333",
        "userName": "alice@example.com",
        "eventTime": "2024/03/30 18:45:53",
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "Mozilla/5.0",
        "result": "Success",
        "mfaUsed": "No",
        "unixtime": str(1711791953 + 90 * 86400),
    }
    assert (items["failed"]["userName"], items["failed"]["result"]) == ("Root", "Failure")
    assert len(box.received()) == 2


def test_an_archive_by_rule_has_the_events_under_their_local_date(aws: Aws) -> None:
    box = ObjectBox(aws)
    rules = f"""
        [[rule]]
        name = "logins"
        match = '.eventName == "ConsoleLogin"'
        destinations = ["archive"]
        [[destination]]
        id = "archive"
        type = "s3"
        bucket = "{box.bucket}"
        kms_key_id = "{box.key}"
        prefix = "consolelogin/"
        error_prefix = "consolelogin-errors/"
        time_zone = "Asia/Tokyo"
    """
    environ = settings(make_state(aws), rules)
    before = LOGIN | {"eventID": "before", "eventTime": "2024-03-30T14:59:59Z"}
    after = LOGIN | {"eventID": "after", "eventTime": "2024-03-30T15:00:00Z"}

    with opened(environ, NOW) as live:
        hand(live, logs(before, after, LOGIN | {"eventName": "ListUsers"}))

    kept = dict(box.received())
    assert kept.keys() == {
        "consolelogin/2024/03/30/before.json",
        "consolelogin/2024/03/31/after.json",
    }
    for key, content in kept.items():
        assert content.count("\n") == 1
        assert json.loads(content)["eventName"] == "ConsoleLogin"
        about = box.about(key)
        assert (about["ServerSideEncryption"], about["SSEKMSKeyId"]) == ("aws:kms", box.key)


TATTLETAIL_TOML = """
[[rule]]
name = "Access key created"
jq_match = '.eventName == "CreateAccessKey"'
description = "An access key was created"
destinations = ["slack", "topic", "mail"]

[[rule]]
name = "Session"
jq_match = 'if .eventName == "StartSession" then "by " + .userIdentity.arn else false end'
destinations = ["slack"]

[[destination]]
id = "slack"
type = "slack_webhook"
webhook_url = "URL"

[[destination]]
id = "topic"
type = "sns"
sns_arn = "TOPIC"

[[destination]]
id = "mail"
type = "ses"
to_emails = ["security@example.com"]
from_email = "integrity@example.com"
"""


def test_tattletail_tells_slack_sns_and_mail_of_new_log_files(aws: Aws, world: World) -> None:
    topic, mail = TopicBox(aws), MailBox(aws)
    s3 = aws.client("s3", "us-east-1")
    s3.create_bucket(Bucket="settings")
    key = f"{FOLDER}111122223333_CloudTrail_us-east-1_20260305T1145Z_abcdefghijklmnop.json.gz"
    session = LOGIN | {"eventName": "StartSession", "eventID": "session"}
    log_file(world, key, LOGIN | {"eventName": "CreateAccessKey"}, session, LOGIN)
    with receive() as receiver:
        rules = TATTLETAIL_TOML.replace("URL", f"{receiver.url}/services/T0/B0/x")
        s3.put_object(
            Bucket="settings", Key="tattletail.toml", Body=rules.replace("TOPIC", topic.topic)
        )
        environ = environment(TATTLETAIL, {"StateTable": make_state(aws)})
        with opened(environ, NOW) as live:
            answer = hand(live, queue(notice("trail-logs", quote_plus(key))))

        assert answer == {"batchItemFailures": []}
        said = sorted(json.loads(request.body)["text"] for request in receiver.requests)
        blocks = b"".join(request.body for request in receiver.requests).decode()
    assert said == [
        "◆ Access key created: CreateAccessKey by alice@example.com",
        "◆ Session: StartSession by alice@example.com",
    ]
    assert "by arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com" in blocks
    assert "Not yet proven" in blocks
    assert json.loads(topic.received()[0]["Message"])["rule"] == "Access key created"
    [sent] = mail.received()
    assert "An access key was created" in sent["body"]


RULES = """
[[rule]]
name = "logins"
match = '.eventName == "ConsoleLogin"'
destinations = ["ledger"]
[[destination]]
id = "ledger"
type = "dynamodb"
table = "ledger"
"""


def settings(table: str, rules: str = RULES, trail: str = "") -> dict[str, str]:
    config = f"""
        notify = "none"
        [[trails]]
        trail_arn = "{TRAIL}"
        s3_bucket = "trail-logs"
        {trail}
        [state]
        dynamodb_table = "{table}"
    """
    return {"INTEGRITY_CONFIG_TOML": config, "INTEGRITY_RULES_TOML": rules}


def test_of_a_batch_only_what_is_bad_is_returned(aws: Aws, world: World) -> None:
    ledger = ItemBox(aws)
    odd = f"a b=c/{FOLDER}111122223333_CloudTrail_us-east-1_20260305T1145Z_abcdefghijklmnop.json.gz"
    log_file(world, odd, LOGIN | {"eventID": "odd key"})
    large = [
        LOGIN | {"eventID": f"large {number}", "requestParameters": {"x": "y" * 90_000}}
        for number in range(11)
    ]
    assert len(json.dumps(large)) > 990_000
    encoded = quote_plus(odd, safe="/")
    assert "+" in encoded
    assert "%3D" in encoded

    with opened(settings(make_state(aws)), NOW) as live:
        answer = hand(
            live,
            queue(
                control(),
                logs(*large),
                "not JSON",
                notice("trail-logs", encoded),
                logs(LOGIN | {"eventID": "beside"}, "no event"),
                notice("trail-logs", f"{FOLDER}nothing.txt"),
            ),
        )

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m4"}]}
    kept = {item["eventID"] for item in ledger.received()}
    assert kept == {"odd key", "beside", *(f"large {number}" for number in range(11))}


def test_without_a_queue_the_invocation_fails_and_its_neighbours_arrive(
    aws: Aws,
    world: World,
) -> None:
    ledger = ItemBox(aws)
    name = f"{FOLDER}111122223333_CloudTrail_us-east-1_20260305T1145Z_{{}}.json.gz"
    log_file(world, name.format("there"), LOGIN)
    world.objects["trail-logs", name.format("broken")] = StoredObject(b"no gzip", NOW)
    records = [
        notice("trail-logs", name.format(one))["Records"][0] for one in ("gone", "broken", "there")
    ]

    with opened(settings(make_state(aws)), NOW) as live:
        with pytest.raises(PayloadError, match=r"gone.json.gz, s3://.*broken.json.gz: not taken"):
            hand(live, {"Records": records})
        with pytest.raises(PayloadError, match="log group trail"):
            hand(live, logs("no event", LOGIN | {"eventID": "beside"}))
        with pytest.raises(PayloadError, match="expected a payload"):
            hand(live, {})

    assert {item["eventID"] for item in ledger.received()} == {ID, "beside"}


UUID = "5f9a6a3b-1c2d-4e5f-8a9b-0c1d2e3f4a5b"


@pytest.mark.parametrize(
    ("trail", "payload", "remembered"),
    [
        ('log_group = "trail"', logs(LOGIN), True),
        ('log_group = "trail"', logs(LOGIN, group="other"), False),
        ('log_group = "trail"', logs(LOGIN, owner="999988887777"), False),
        ("", logs(LOGIN), False),
        ("sole_writer = true", "CloudTrail", True),
        ("sole_writer = true", "CloudTrail-Insight", False),
        ("", "CloudTrail", False),
    ],
)
def test_what_the_trail_alone_writes_is_remembered(
    aws: Aws,
    world: World,
    trail: str,
    payload: Any,
    remembered: bool,  # noqa: FBT001
) -> None:
    ItemBox(aws)
    if isinstance(payload, str):
        folder = FOLDER.replace("CloudTrail", payload)
        key = f"{folder}111122223333_{payload}_us-east-1_20260305T1145Z_abcdefghijklmnop.json.gz"
        log_file(world, key, LOGIN)
        payload = notice("trail-logs", key)

    with opened(settings(make_state(aws), trail=trail), NOW) as live:
        hand(live, payload)
        seen = live._store.sightings.waiting(TRAIL, NOW)

    assert [one.event_id for one in seen] == ([UUID] if remembered else [])


def test_mistakes_keep_it_from_starting() -> None:
    with pytest.raises(ConfigError, match="jq program"):
        open_live(settings("state", RULES.replace("==", "=!")), lambda: NOW)
    archive = '[[destination]]\nid = "a"\ntype = "s3"\nbucket = "trail-logs"\nkms_key_id = "k"\n'
    with pytest.raises(UsageError, match="written to trail-logs, which is audited"):
        open_live(settings("state", RULES + archive), lambda: NOW)
