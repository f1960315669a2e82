"""Items of a table: the ledger's fields, once each, and for how long."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from integrity.aws.session import Aws
from integrity.deliver.dynamodb import ItemTable
from integrity.events.fields import Field
from integrity.state import Message
from integrity.structs import replace
from tests.deliver.events import LOGIN, of_login
from tests.deliver.mailboxes import ItemBox
from tests.lab_aws import NOW


def test_a_login_becomes_the_ledgers_item(aws: Aws, message: Message) -> None:
    box = ItemBox(aws)

    ItemTable(aws, box.table, zone=ZoneInfo("Asia/Tokyo")).deliver(of_login(message))

    [item] = box.received()
    expires = datetime(2024, 3, 30, 9, 45, 53, tzinfo=UTC) + timedelta(days=90)
    assert item == {
        "eventID": LOGIN["eventID"],
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
        "unixtime": str(int(expires.timestamp())),
    }


def test_an_item_is_written_once(aws: Aws, message: Message) -> None:
    box = ItemBox(aws)
    table = ItemTable(aws, box.table)

    table.deliver(of_login(message))
    table.deliver(of_login(replace(message, id="again"), userAgent="another one"))

    [item] = box.received()
    assert item["userAgent"] == "Mozilla/5.0"


def test_fields_zone_and_span_are_chosen(aws: Aws, message: Message) -> None:
    box = ItemBox(aws, region="eu-west-1")
    arn = f"arn:aws:dynamodb:eu-west-1:111122223333:table/{box.table}"
    fields = (Field("who", "@userName"), Field("arn", "userIdentity.arn"), Field("no", "none"))

    ItemTable(aws, arn, fields=fields, keep=timedelta(days=1)).deliver(
        of_login(message, eventTime="2024-03-30T00:00:00Z")
    )

    [item] = box.received()
    assert item == {
        "eventID": LOGIN["eventID"],
        "who": "alice@example.com",
        "arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com",
        "unixtime": str(int(datetime(2024, 3, 31, tzinfo=UTC).timestamp())),
    }


def test_an_event_without_id_and_time_is_the_messages(aws: Aws, message: Message) -> None:
    box = ItemBox(aws)

    ItemTable(aws, box.table).deliver(of_login(message, eventID=None, eventTime="soon"))

    [item] = box.received()
    assert item["eventID"] == message.id
    assert item["unixtime"] == str(int((NOW + timedelta(days=90)).timestamp()))


def test_an_incident_is_its_facts(aws: Aws, message: Message) -> None:
    box = ItemBox(aws)

    ItemTable(aws, box.table).deliver(message)

    [item] = box.received()
    assert (item["eventID"], item["subject"]) == (message.id, message.subject)
    assert json.loads(item["facts"]) == {"message_id": message.id, **message.facts}
    assert set(item) == {"eventID", "subject", "facts", "unixtime"}


def test_hostile_events_go_through_and_are_bounded(aws: Aws, message: Message) -> None:
    box = ItemBox(aws)
    hostile = "\u202e\x00" + "ä" * 2_000_000

    ItemTable(aws, box.table).deliver(of_login(message, eventID=hostile, userAgent=hostile))

    [item] = box.received()
    assert len(json.dumps(item, ensure_ascii=False).encode()) < 16 * 1024
    assert "\x00" not in item["userAgent"]
