"""A message as a record of a Data Firehose stream: an event, or an incident's facts, on one line.

A record a request: the outbox has a letter for each, so that one which is refused is sent again and
its neighbours are not. Where the line goes, its dates and its encryption are the stream's.
(AWS: Firehose API_PutRecord, whose data may have 1,000 KiB.)
"""

from __future__ import annotations

from integrity.aws.refusal import REFUSALS, Call, explain
from integrity.aws.session import Aws
from integrity.deliver.bounds import encode_facts
from integrity.errors import UsageError
from integrity.events.fields import one_line
from integrity.state import DeliveryError, Message

MAX_BYTES = 1000 * 1024 - 1


class DeliveryStream:
    """One stream: by its ARN, which says in which region it is asked, or by name in `region`."""

    def __init__(self, aws: Aws, stream: str, region: str | None = None) -> None:
        self._aws, self._stream = aws, stream
        self._region = stream.split(":")[3] if stream.startswith("arn:") else region

    def deliver(self, message: Message) -> None:
        """Put it. Raises DeliveryError where Firehose did not take it."""
        call = Call("firehose:PutRecord", f"on the stream {self._stream}")
        try:
            self._aws.client("firehose", self._region).put_record(
                DeliveryStreamName=self._stream.rpartition("/")[2],
                Record={"Data": _line(message) + b"\n"},
            )
        except REFUSALS as error:
            raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error


def _line(message: Message) -> bytes:
    event = one_line(message.event).encode()
    return event if 0 < len(event) <= MAX_BYTES else encode_facts(message, MAX_BYTES).encode()
