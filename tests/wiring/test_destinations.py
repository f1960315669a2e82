"""Who is told where, and under which names."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from integrity.aws.session import Aws
from integrity.config.parse import parse_config
from integrity.deliver.dynamodb import ItemTable
from integrity.deliver.eventbridge import EventBus
from integrity.deliver.firehose import DeliveryStream
from integrity.deliver.s3 import EventBucket
from integrity.deliver.ses import Mail
from integrity.deliver.slack import SlackChannel
from integrity.deliver.sns import SnsTopic
from integrity.deliver.webhook import Webhook
from integrity.state import Audience
from integrity.wiring.destinations import name_destinations, open_destinations

TOPIC = "arn:aws:sns:us-east-1:111122223333:security"
BUS = "arn:aws:events:eu-west-1:111122223333:event-bus/alarms"
HUSH = "hush" * 8
TRAIL = '[[trails]]\ntrail_arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"\n'
SECURITY = f"""
[audiences.security]
sns_topic_arns = ["{TOPIC}"]
slack_webhook_url = "https://hooks.example.com/hush"
eventbridge_bus_arns = ["{BUS}", "default"]
ses_from = "a@example.com"
ses_to = ["b@example.com"]
"""


STREAM = "arn:aws:firehose:us-east-1:111122223333:deliverystream/messages"
PLACES = f"""
[audiences.security]
dynamodb_tables = ["messages"]
firehose_stream_arns = ["{STREAM}"]
[[audiences.security.s3]]
bucket = "messages"
kms_key_id = "alias/messages"
time_zone = "Asia/Tokyo"
"""


def webhook(audience: str, url: str, secret: str = HUSH) -> str:
    return f'[[audiences.{audience}.webhooks]]\nurl = "{url}"\nsecret = "{secret}"\n'


def names(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    told = name_destinations(parse_config(TRAIL + text, {}))
    return told[Audience.SECURITY], told[Audience.OPERATIONS]


def no_aws() -> Aws:
    raise AssertionError("no destination of AWS's is configured")


def test_each_place_has_a_name_without_a_secret() -> None:
    text = SECURITY + webhook("security", "https://one.example.com:8443/hush?hush=hush")

    security, operations = names(text)

    assert security == operations
    assert security == (
        f"sns:{TOPIC}",
        "slack:security",
        f"eventbridge:{BUS}",
        "eventbridge:default",
        "ses:security",
        "webhook:one.example.com:8443#1",
    )


def test_what_keeps_messages_has_a_name_too() -> None:
    opened, told = open_destinations(parse_config(TRAIL + PLACES, {}), lambda: object())  # type: ignore[arg-type, return-value]

    names = ("dynamodb:messages", "s3:messages/integrity/", f"firehose:{STREAM}")
    assert tuple(opened) == told[Audience.SECURITY] == names
    assert [type(one) for one in opened.values()] == [ItemTable, EventBucket, DeliveryStream]


def test_what_both_have_is_one_destination_and_each_is_told_there_once() -> None:
    text = SECURITY + webhook("security", "https://one.example.com/hush")
    both = text + text.replace("audiences.security", "audiences.operations")

    security, operations = names(both)
    opened, told = open_destinations(parse_config(TRAIL + both, {}), lambda: object())  # type: ignore[arg-type, return-value]

    assert security == operations == told[Audience.SECURITY] == told[Audience.OPERATIONS]
    assert tuple(opened) == security
    assert len(set(security)) == len(security)


def test_a_webhook_that_is_written_twice_is_told_once() -> None:
    one = webhook("security", "https://one.example.com/hush")

    assert names(one + one)[0] == ("webhook:one.example.com#1",)


def test_other_places_have_other_names() -> None:
    text = (
        SECURITY
        + webhook("security", "https://one.example.com/hush")
        + webhook("security", "https://two.example.com/hush")
        + webhook("security", "https://ONE.example.com/hush2")
        + f'[audiences.operations]\nsns_topic_arns = ["{TOPIC}-2"]\n'
        + 'slack_webhook_url = "https://hooks.example.com/hush2"\n'
        + 'ses_from = "a@example.com"\nses_to = ["c@example.com"]\n'
        + webhook("operations", "https://one.example.com/hush3")
        + webhook("operations", "https://one.example.com/hush")
    )

    security, operations = names(text)

    assert security[-3:] == (
        "webhook:one.example.com#1",
        "webhook:two.example.com#1",
        "webhook:one.example.com#2",
    )
    assert operations == (
        f"sns:{TOPIC}-2",
        "slack:operations",
        "ses:operations",
        "webhook:one.example.com#3",
        "webhook:one.example.com#1",
    )


def test_a_new_secret_keeps_the_name() -> None:
    before = SECURITY + webhook("security", "https://one.example.com/hush")
    after = before.replace("/hush", "/new").replace(HUSH, "new" * 16)

    assert names(before) == names(after)


def test_they_are_opened_as_what_they_are_and_aws_once() -> None:
    opened_aws: list[Any] = []

    def open_aws() -> Any:
        opened_aws.append(object())
        return opened_aws[0]

    text = SECURITY + webhook("security", "https://one.example.com/hush")
    opened, _ = open_destinations(parse_config(TRAIL + text, {}), open_aws)

    assert [type(one) for one in opened.values()] == [
        SnsTopic,
        SlackChannel,
        EventBus,
        EventBus,
        Mail,
        Webhook,
    ]
    assert len(opened_aws) == 1
    assert "hush" not in repr(opened)


@pytest.mark.parametrize(
    "text",
    [
        'notify = "none"\n' + TRAIL,
        TRAIL + webhook("security", "https://one.example.com/hush"),
        TRAIL + '[audiences.security]\nslack_webhook_url = "https://one.example.com/hush"\n',
    ],
)
def test_without_a_destination_of_awss_it_is_not_opened(text: str) -> None:
    opened, told = open_destinations(parse_config(text, {}), no_aws)

    assert tuple(opened) == told[Audience.SECURITY] == told[Audience.OPERATIONS]


def test_to_name_them_needs_neither_aws_nor_http() -> None:
    program = (
        "import sys\n"
        "from integrity.config.parse import parse_config\n"
        "from integrity.wiring.destinations import name_destinations\n"
        f"name_destinations(parse_config({TRAIL + SECURITY!r}, {{}}))\n"
        "print(*{'botocore', 'urllib3'} & sys.modules.keys())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
