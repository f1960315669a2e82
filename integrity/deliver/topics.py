"""What SNS and SQS show of where messages go: a topic's subscriptions, and a queue that has them.

A topic is only looked at. A queue is emptied: it has to be one of a drill's own, and belongs to
nobody else. (AWS: SNS API_GetTopicAttributes; Amazon SNS message and JSON formats; SQS
API_ReceiveMessage.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from integrity.aws.refusal import REFUSALS, Call, error_code, explain
from integrity.aws.session import Aws
from integrity.errors import UsageError
from integrity.state import DeliveryError, TopicState

_GONE = frozenset({"NotFound", "NotFoundException"})
_MOST_AT_ONCE = 10
_MOST_ROUNDS = 100


class Topics:
    """Topics of any region. AWS is opened when the first one is looked at."""

    def __init__(self, open_aws: Callable[[], Aws]) -> None:
        self._open_aws = open_aws

    def state(self, topic_arn: str) -> TopicState | None:
        """None where there is no such topic. Raises DeliveryError where it is not shown."""
        call = Call("sns:GetTopicAttributes", f"on {topic_arn}")
        try:
            client = self._open_aws().client("sns", topic_arn.split(":")[3])
            told = client.get_topic_attributes(TopicArn=topic_arn)["Attributes"]
        except REFUSALS as error:
            if error_code(error) in _GONE:
                return None
            raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error
        return TopicState(
            confirmed=int(told.get("SubscriptionsConfirmed", 0)),
            pending=int(told.get("SubscriptionsPending", 0)),
        )


class DrillQueue:
    """A queue of SQS by its URL, which names its region. What lies in it at first is thrown away.

    Raises DeliveryError where it cannot be emptied.
    """

    def __init__(self, aws: Aws, url: str) -> None:
        self.place = url
        self._aws, self._region = aws, _region_of(url)
        for _ in range(_MOST_ROUNDS):
            if not self._take():
                return
        raise DeliveryError(f"{url} does not become empty: a drill needs a queue of its own")

    def receive(self, marks: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Which marks (a drill's id, an alarm's name) have come since, and by which topic."""
        found: dict[str, str] = {}
        for body in self._take():
            topic, said = _opened(body)
            found |= {mark: topic for mark in marks if mark in said}
        return list(found.items())

    def _take(self) -> list[str]:
        """What is there, taken out."""
        answer = self._ask("receive_message", MaxNumberOfMessages=_MOST_AT_ONCE)
        messages = answer.get("Messages", [])
        for message in messages:
            self._ask("delete_message", ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def _ask(self, method: str, **asked: Any) -> dict[str, Any]:
        operation = "".join(map(str.capitalize, method.split("_")))
        try:
            client = self._aws.client("sqs", self._region)
            answer: dict[str, Any] = getattr(client, method)(QueueUrl=self.place, **asked)
        except REFUSALS as error:
            call = Call(f"sqs:{operation}", f"on {self.place}")
            raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error
        return answer


def _region_of(url: str) -> str | None:
    """`https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`; None for the service's own."""
    host = (urlsplit(url).hostname or "").split(".")
    return host[1] if len(host) > 2 and host[0] == "sqs" else None


def _opened(body: str) -> tuple[str, frozenset[str]]:
    """The topic of SNS's envelope, and what a message is marked with. Strangers may write there."""
    envelope = _object(body)
    message = _object(envelope.get("Message"))
    if not message:
        # Raw delivery has no envelope, and names no topic.
        message, envelope = envelope, {}
    marks = {str(message.get("incident_id"))} if message.get("is_drill") is True else set()
    if message.get("NewStateValue") == "ALARM":
        marks.add(str(message.get("AlarmName")))
    return str(envelope.get("TopicArn", "")), frozenset(marks)


def _object(text: object) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
