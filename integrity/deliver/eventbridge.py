"""A message as an event on an EventBridge bus: the facts, for rules to match and route.

The source is `integrity`, the detail type tells the step (`CloudTrail Integrity Incident Opened`,
and `CloudTrail Integrity Event Matched` of an event that a rule is about), the trail is the event's
resource, and the detail are the facts with `message_id` before them, by which a repeat is told. An
entry may be refused in an answer that says 200.
(AWS: EventBridge API_PutEvents, API_PutEventsResultEntry; PutEvents event entry size.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from integrity.aws.refusal import REFUSALS, Call, explain
from integrity.aws.session import Aws
from integrity.deliver.bounds import cut_line, encode_facts
from integrity.errors import UsageError
from integrity.state import DeliveryError, Message, Step

SOURCE = "integrity"
DEFAULT_BUS = "default"
MAX_BYTES = 256 * 1024
_FOR_THE_REST = 4 * 1024
_MOST_ARN = 2048


class EventBus:
    """One bus, by its ARN, which says in which region it is asked, or `default`: the service's."""

    def __init__(self, aws: Aws, bus: str) -> None:
        self._aws, self._bus = aws, bus
        self._region = None if bus == DEFAULT_BUS else bus.split(":")[3]

    def deliver(self, message: Message) -> None:
        """Put it. Raises DeliveryError where EventBridge, or the entry's own result, refuses."""
        call = Call("events:PutEvents", f"on the event bus {self._bus}")
        try:
            client = self._aws.client("events", self._region)
            answer = client.put_events(Entries=[_entry(self._bus, message)])
            if answer.get("FailedEntryCount"):
                raise _refused(answer)
        except REFUSALS as error:
            raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error


def _entry(bus: str, message: Message) -> dict[str, Any]:
    what = "Event" if message.step is Step.MATCHED else "Incident"
    return {
        "EventBusName": bus,
        "Time": message.created_at,
        "Source": SOURCE,
        "DetailType": f"CloudTrail Integrity {what} {message.step.value.capitalize()}",
        "Detail": encode_facts(message, MAX_BYTES - _FOR_THE_REST),
        "Resources": [cut_line(message.trail_arn, _MOST_ARN // 4)],
    }


def _refused(answer: Mapping[str, Any]) -> ClientError:
    """The one entry's error as if it were the call's: the same words say what would mend it."""
    entries: list[dict[str, str]] = answer.get("Entries") or [{}]
    code = entries[0].get("ErrorCode") or "no code"
    said = entries[0].get("ErrorMessage") or ""
    return ClientError({"Error": {"Code": code, "Message": said}}, "PutEvents")
