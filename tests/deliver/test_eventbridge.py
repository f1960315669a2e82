"""EventBridge: what a bus is handed, and what its refusals mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrity.aws.session import Aws
from integrity.deliver.eventbridge import MAX_BYTES, EventBus, _entry
from integrity.state import DeliveryError, Message, Step
from integrity.structs import replace
from tests.deliver.mailboxes import BusBox
from tests.lab_aws import NOW


def test_the_bus_gets_the_facts(aws: Aws, message: Message) -> None:
    box = BusBox(aws)

    EventBus(aws, box.bus).deliver(message)

    [event] = box.received()
    assert event == {
        "EventBusName": box.bus,
        "Time": NOW.timestamp(),
        "Source": "integrity",
        "DetailType": "CloudTrail Integrity Incident Opened",
        "Resources": [message.trail_arn],
        "Detail": {"message_id": message.id, **message.facts},
    }


@pytest.mark.parametrize("step", Step)
def test_the_detail_type_tells_the_step(message: Message, step: Step) -> None:
    entry = _entry("default", replace(message, step=step))

    what = "Event" if step is Step.MATCHED else "Incident"
    assert entry["DetailType"] == f"CloudTrail Integrity {what} {step.value.capitalize()}"


def test_a_bus_is_asked_in_its_own_region(aws: Aws, message: Message) -> None:
    box = BusBox(aws, "far", "eu-west-1")

    EventBus(aws, box.bus).deliver(message)

    assert len(box.received()) == 1


def test_the_default_bus_is_that_of_the_services_region(aws: Aws, message: Message) -> None:
    box = BusBox(aws, "default")

    EventBus(aws, "default").deliver(message)

    assert len(box.received()) == 1


@pytest.mark.parametrize("wide", ["ä", '"', "x", "🔥"])
def test_what_is_too_long_is_cut_and_points_to_the_record(message: Message, wide: str) -> None:
    facts = {**message.facts, "subjects": [wide * 400_000]}

    entry = _entry("default", replace(message, facts=facts))

    size = sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))
    assert size + len(entry["Resources"][0].encode()) + 14 <= MAX_BYTES
    detail = json.loads(entry["Detail"])
    assert (detail["cut"], detail["record_uri"]) == (True, "s3://records/r.json")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"ErrorCode": "ThrottlingException"}, "AWS throttled events:PutEvents"),
        ({"ErrorCode": "InternalFailure", "ErrorMessage": "x"}, "AWS failed to answer"),
        ({"ErrorCode": "AccessDeniedException"}, "on the event bus default is not allowed"),
        ({"ErrorCode": "Odd", "ErrorMessage": "\x1bwords"}, r"refused \(Odd: \?words\)"),
        ({}, r"refused \(no code\)"),
    ],
)
def test_an_entry_that_failed_is_a_refusal(
    aws: Aws,
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
    entry: dict[str, Any],
    said: str,
) -> None:
    client = aws.client("events")
    answer = {"FailedEntryCount": 1, "Entries": [entry] if entry else []}
    monkeypatch.setattr(client, "put_events", lambda **_: answer)

    with pytest.raises(DeliveryError, match=said):
        EventBus(aws, "default").deliver(message)


def test_a_service_without_a_region_says_so(aws: Aws, message: Message) -> None:
    aws.region = None

    with pytest.raises(DeliveryError, match="region"):
        EventBus(aws, "default").deliver(message)
