"""A message to an SNS topic: text for people, JSON for machines, attributes for filter policies.

Each protocol of a topic's subscriptions gets what suits it (AWS: SNS API_Publish,
MessageStructure). What is longer than the 256 KiB that SNS takes is cut, and says where the whole
of it stands. On a FIFO topic the message's id keeps a repeat from arriving twice.
"""

from __future__ import annotations

from typing import Any

from integrity.aws.refusal import REFUSALS, Call, explain
from integrity.aws.session import Aws
from integrity.deliver.bounds import cut_line, cut_text, encode, encode_facts
from integrity.errors import UsageError
from integrity.state import DeliveryError, Message

MAX_BYTES = 256 * 1024
_FOR_ATTRIBUTES = 2 * 1024
_MOST_SUBJECT = 99
_ATTRIBUTES = ("outcome", "reason", "account_id", "region", "trail_arn")


class SnsTopic:
    """One topic. Its ARN says in which region it is asked."""

    def __init__(self, aws: Aws, arn: str) -> None:
        self._aws, self._arn = aws, arn

    def deliver(self, message: Message) -> None:
        """Publish it. Raises DeliveryError where SNS did not take it."""
        call = Call("sns:Publish", f"to {self._arn}")
        try:
            client = self._aws.client("sns", self._arn.split(":")[3])
            client.publish(**_request(self._arn, message))
        except REFUSALS as error:
            raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error


def _request(arn: str, message: Message) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TopicArn": arn,
        "Subject": _subject(message),
        "MessageStructure": "json",
        "Message": _body(message),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in _attributes(message)
        },
    }
    if arn.endswith(".fifo"):
        request["MessageGroupId"] = message.incident_id or message.id
        request["MessageDeduplicationId"] = message.id
    return request


def _attributes(message: Message) -> list[tuple[str, str]]:
    """What a filter policy can ask for. SNS refuses empty values: what is unknown is left out."""
    facts = [(name, str(message.facts.get(name) or "")) for name in _ATTRIBUTES]
    audience = "" if message.audience is None else message.audience.value
    own = [("audience", audience), ("step", message.step.value)]
    return [(name, cut_line(value, 256)) for name, value in (*facts, *own) if value]


def _body(message: Message) -> str:
    """Text by e-mail, a line by SMS, JSON for everything else; cut where they are too long."""
    room = MAX_BYTES - _FOR_ATTRIBUTES
    bodies = {
        "default": encode_facts(message, room, with_id=False),
        "email": message.text,
        "sms": message.subject,
    }
    if len(encode(bodies)) > room:
        # Quoted once more, ASCII grows to at most twice its length.
        share = room // 5
        plain = message.text.encode("ascii", "backslashreplace").decode()
        bodies["default"] = encode_facts(message, share, with_id=False)
        bodies["email"] = cut_text(plain, share, message)
        bodies["sms"] = _subject(message)
    return encode(bodies)


def _subject(message: Message) -> str:
    """SNS takes fewer than 100 characters of ASCII."""
    return cut_line(message.subject, _MOST_SUBJECT).encode("ascii", "replace").decode()
