"""A message as an object of its own in a bucket: an event as CloudTrail wrote it, on one line.

An event lies under the date that its own time has in the configured zone, whenever it is told:
`PREFIX2024/03/30/EVENTID.json`; one without a time or an id, or too large, under the error prefix
and the date of the message; an incident's facts under the message's date and id. So a repeat writes
the same object again. Objects are encrypted with the named KMS key.
(AWS: API_PutObject; Using server-side encryption with AWS KMS keys.)
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from integrity.aws.refusal import REFUSALS, Call, explain
from integrity.aws.session import Aws
from integrity.deliver.bounds import encode_facts
from integrity.errors import UsageError
from integrity.events.fields import decode_fields, one_line, time_of
from integrity.state import DeliveryError, Message

MAX_BYTES = 1024 * 1024
_EVENT_ID = re.compile(r"[A-Za-z0-9-]{1,128}")
_UNSAFE = re.compile(r"[^A-Za-z0-9-]")
_MOST_NAME = 200


class EventBucket:
    """Two folders of a bucket that is not the audited one; `region` None is the service's own."""

    def __init__(
        self,
        aws: Aws,
        bucket: str,
        *,
        prefix: str,
        error_prefix: str,
        kms_key_id: str,
        zone: tzinfo,
        region: str | None = None,
    ) -> None:
        self._aws, self._bucket, self._region = aws, bucket, region
        self._prefix, self._error_prefix = prefix, error_prefix
        self._kms_key_id, self._zone = kms_key_id, zone

    def deliver(self, message: Message) -> None:
        """Write it. Raises DeliveryError where S3 or KMS did not take it."""
        key, line = self._object(message)
        try:
            self._aws.client("s3", self._region).put_object(
                Bucket=self._bucket,
                Key=key,
                Body=line + b"\n",
                ContentType="application/json",
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=self._kms_key_id,
            )
        except REFUSALS as error:
            call = Call("s3:PutObject", f"on arn:aws:s3:::{self._bucket}/{key}")
            raise DeliveryError(explain(error, call)) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error

    def _object(self, message: Message) -> tuple[str, bytes]:
        name, day = _UNSAFE.sub("-", message.id[:_MOST_NAME]), self._day(message.created_at)
        facts = encode_facts(message, MAX_BYTES).encode()
        if not message.event:
            return f"{self._prefix}{day}{name}.json", facts
        event, line = decode_fields(message.event), one_line(message.event).encode()
        event_id, time = str(event.get("eventID") or ""), time_of(event)
        own_day = "" if time is None else self._day(time)
        if own_day and _EVENT_ID.fullmatch(event_id) and len(line) <= MAX_BYTES:
            return f"{self._prefix}{own_day}{event_id}.json", line
        kept = line if 0 < len(line) <= MAX_BYTES else facts
        return f"{self._error_prefix}{day}{name}.json", kept

    def _day(self, time: datetime) -> str:
        """The folders of the day that a clock of the zone shows; empty where there is none."""
        try:
            return f"{time.astimezone(self._zone):%Y/%m/%d}/"
        except OverflowError:  # the first and the last day that there are
            return ""
