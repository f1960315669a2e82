"""A live payload to its parts: events as they came, new log files to be read, queued payloads.

What Lambda is handed by a subscription of CloudWatch Logs (base64 of gzip of JSON; a control
message has no parts), by a notification of S3 (the key URL-encoded, a blank as `+`), by SQS with
one of these in each record, or by a schedule (no parts either). All of it is a stranger's and
bounded. Whether a part is of any use is not decided here. (AWS: Real-time processing of log data
with subscriptions; S3 event message structure; Using Lambda with Amazon SQS.)
"""

from __future__ import annotations

import binascii
import zlib
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct

from integrity.chain.limits import Limits
from integrity.chain.model import S3Location

_GZIP_WBITS = 31
_QUEUE = "aws:sqs"
_BUCKET = "aws:s3"
_SCHEDULE = "aws.events"
_TEST = "s3:TestEvent"
_CREATED = "ObjectCreated:"
_EXPECTED = (
    "expected a payload of a CloudWatch Logs subscription, a notification of S3, or SQS with these"
)


class PayloadError(Exception):
    """It is none that is known here; the text says why. To be handed it again does not help."""


class LogsBatch(Struct, frozen=True):
    """What one log group was written, a CloudTrail event each. `owner` is the group's account."""

    owner: str
    log_group: str
    messages: tuple[bytes, ...]


class Queued(Struct, frozen=True):
    """A payload that came through SQS, by the id under which it is taken or returned."""

    message_id: str
    body: bytes


Part = LogsBatch | S3Location | Queued


class _Logs(msgspec.Struct):
    data: str


class _Payload(msgspec.Struct):
    awslogs: _Logs | None = None
    Records: list[msgspec.Raw] | None = None
    source: str = ""
    Event: str = ""


class _LogEvent(msgspec.Struct):
    message: str


class _Batch(msgspec.Struct):
    messageType: str  # noqa: N815 - AWS's own field names, here and below
    owner: str = ""
    logGroup: str = ""  # noqa: N815
    logEvents: list[_LogEvent] = []  # noqa: N815


class _Bucket(msgspec.Struct):
    name: str


class _Object(msgspec.Struct):
    key: str


class _Stored(msgspec.Struct):
    bucket: _Bucket
    object: _Object


class _Record(msgspec.Struct):
    eventSource: str  # noqa: N815
    eventName: str = ""  # noqa: N815
    messageId: str = ""  # noqa: N815
    body: str = ""
    s3: _Stored | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)
_BATCH = msgspec.json.Decoder(_Batch)
_RECORD = msgspec.json.Decoder(_Record)
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)


def decode_payload(raw: bytes, limits: Limits) -> tuple[Part, ...]:
    """Its parts, in their order. Raises PayloadError."""
    try:
        payload = _PAYLOAD.decode(raw)
        if payload.awslogs is not None:
            return _decode_logs(payload.awslogs.data, limits)
        if payload.Records is not None:
            return tuple(part for one in payload.Records for part in _decode_record(one))
    except _UNREADABLE as error:
        raise PayloadError(f"{_EXPECTED} ({error})") from error
    if payload.source == _SCHEDULE or payload.Event == _TEST:
        return ()
    raise PayloadError(_EXPECTED)


def _decode_logs(data: str, limits: Limits) -> tuple[Part, ...]:
    batch = _BATCH.decode(_inflate(data, limits.max_payload_bytes))
    if batch.messageType == "CONTROL_MESSAGE":
        return ()
    if batch.messageType != "DATA_MESSAGE":
        raise PayloadError(f"expected a data message, not {batch.messageType[:80]!r}")
    messages = tuple(event.message.encode() for event in batch.logEvents)
    return (LogsBatch(batch.owner, batch.logGroup, messages),)


def _inflate(data: str, most_bytes: int) -> bytes:
    """One whole gzip member, and nothing behind it."""
    stream = zlib.decompressobj(_GZIP_WBITS)
    try:
        content = stream.decompress(binascii.a2b_base64(data, strict_mode=True), most_bytes + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise PayloadError(f"expected base64 of gzip ({error})") from error
    if len(content) > most_bytes:
        raise PayloadError(f"it inflates to more than {most_bytes} bytes")
    if not stream.eof or stream.unused_data:
        raise PayloadError("expected base64 of one whole gzip stream")
    return content


def _decode_record(raw: msgspec.Raw) -> tuple[Part, ...]:
    record = _RECORD.decode(raw)
    if record.eventSource == _QUEUE and record.messageId:
        return (Queued(record.messageId, record.body.encode()),)
    if record.eventSource == _BUCKET and record.s3 is not None:
        if not record.eventName.startswith(_CREATED):
            return ()
        key = unquote_plus(record.s3.object.key, errors="strict")
        return (S3Location(record.s3.bucket.name, key),)
    raise PayloadError(f"{_EXPECTED}; there is a record of {record.eventSource[:80]!r}")
