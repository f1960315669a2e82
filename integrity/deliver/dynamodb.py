"""A message as an item of a DynamoDB table, put only if it is new.

An event becomes the fields that the configuration names, by default those of a ledger of logins; an
incident its subject and its facts. `eventID` is the key, an event's own or the message's, so that a
repeat changes nothing. `unixtime` is when DynamoDB may let go of the item: the event's time, and
the days that it is kept. (AWS: API_PutItem, condition expressions; TTL in DynamoDB; item size.)
"""

from __future__ import annotations

from datetime import UTC, timedelta, tzinfo
from typing import Any

from integrity.aws.refusal import REFUSALS, Call, error_code, explain
from integrity.aws.session import Aws
from integrity.deliver.bounds import cut_line, encode_facts
from integrity.errors import UsageError
from integrity.events.fields import LOGIN_LEDGER, Field, decode_fields, time_of, value_of
from integrity.state import DeliveryError, Message

KEY, EXPIRES = "eventID", "unixtime"
KEEP = timedelta(days=90)
MAX_FACTS = 256 * 1024
_MOST_KEY = 512
_MOST_VALUE = 1024
"""In letters, of which one takes up to four bytes: fifty such fields are half of an item."""
_THERE = "ConditionalCheckFailedException"


class ItemTable:
    """One table: by its ARN, which says in which region it is asked, or by name in `region`."""

    def __init__(
        self,
        aws: Aws,
        table: str,
        *,
        fields: tuple[Field, ...] = LOGIN_LEDGER,
        zone: tzinfo = UTC,
        keep: timedelta = KEEP,
        region: str | None = None,
    ) -> None:
        self._aws, self._table = aws, table
        self._fields, self._zone, self._keep = fields, zone, keep
        self._region = table.split(":")[3] if table.startswith("arn:") else region

    def deliver(self, message: Message) -> None:
        """Put it, unless it is there. Raises DeliveryError where DynamoDB did not take it."""
        call = Call("dynamodb:PutItem", f"on the table {self._table}")
        try:
            self._aws.client("dynamodb", self._region).put_item(
                TableName=self._table.rpartition("/")[2],
                Item=self._item(message),
                ConditionExpression=f"attribute_not_exists({KEY})",
            )
        except REFUSALS as error:
            if error_code(error) != _THERE:
                raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error

    def _item(self, message: Message) -> dict[str, Any]:
        event, at, key = decode_fields(message.event), message.created_at, message.id
        if not event:
            told = {
                "subject": cut_line(message.subject, _MOST_VALUE),
                "facts": encode_facts(message, MAX_FACTS),
            }
        else:
            told = {
                field.name: cut_line(value_of(event, field.path, self._zone), _MOST_VALUE)
                for field in self._fields
            }
            key, at = str(event.get(KEY) or key), time_of(event) or at
        item = {name: {"S": value} for name, value in told.items() if value}
        expires = int((at + self._keep).timestamp())
        return {**item, KEY: {"S": cut_line(key, _MOST_KEY)}, EXPIRES: {"N": str(expires)}}
