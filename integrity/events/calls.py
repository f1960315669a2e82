"""One event of CloudTrail's, decoded: a call, who made it, and what was asked and answered.

Only the fields that somebody here reads; what has another form is no call. Whose word the event is,
and what the call did, is not known here. (AWS: CloudTrail record contents.)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from integrity.chain.model import Trail
from integrity.chain.times import parse_instant

CLOUDTRAIL = "cloudtrail.amazonaws.com"
S3 = "s3.amazonaws.com"


class Identity(msgspec.Struct):
    """Who called."""

    arn: str | None = None
    principalId: str | None = None  # noqa: N815 - CloudTrail's own field names, here and below
    invokedBy: str | None = None  # noqa: N815


class Request(msgspec.Struct):
    """What was asked of CloudTrail or S3."""

    name: str | None = None
    trailName: str | None = None  # noqa: N815
    isMultiRegionTrail: bool | None = None  # noqa: N815
    isOrganizationTrail: bool | None = None  # noqa: N815
    enableLogFileValidation: bool | None = None  # noqa: N815
    bucketName: str | None = None  # noqa: N815
    key: str | None = None


class Response(msgspec.Struct):
    """What CloudTrail answered."""

    trailARN: str | None = None  # noqa: N815
    isMultiRegionTrail: bool | None = None  # noqa: N815
    isOrganizationTrail: bool | None = None  # noqa: N815
    logFileValidationEnabled: bool | None = None  # noqa: N815


class Resource(msgspec.Struct):
    """What a data event says that it touched."""

    ARN: str | None = None


class Call(msgspec.Struct):
    """An event."""

    eventTime: str  # noqa: N815
    eventName: str  # noqa: N815
    eventSource: str  # noqa: N815
    awsRegion: str  # noqa: N815
    recipientAccountId: str  # noqa: N815
    eventID: str = ""  # noqa: N815
    errorCode: Any = None  # noqa: N815
    userIdentity: Identity | None = None  # noqa: N815
    requestParameters: Request | None = None  # noqa: N815
    responseElements: Response | None = None  # noqa: N815
    resources: list[Resource] | None = None

    @property
    def time(self) -> datetime | None:
        return parse_instant(self.eventTime)

    @property
    def by(self) -> str:
        """The caller's ARN."""
        identity = self.userIdentity or Identity()
        return identity.arn or identity.principalId or identity.invokedBy or ""


_DECODER = msgspec.json.Decoder(Call)


def decode_call(event: bytes) -> Call | None:
    """The call, or None for what has no such form. Never raises for what an event may hold."""
    try:
        return _DECODER.decode(event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def is_about(call: Call, trail: Trail) -> bool:
    """Whether it succeeded on this very trail, as its owner received it in the home region."""
    request, response = call.requestParameters, call.responseElements
    if call.errorCode is not None or request is None or call.eventSource != CLOUDTRAIL:
        return False
    if (call.recipientAccountId, call.awsRegion) != (trail.account_id, trail.home_region):
        return False
    answered = response.trailARN if response is not None else None
    asked = {request.name, request.trailName} - {None}
    return bool(asked) and asked <= {trail.name, trail.arn} and answered in (None, trail.arn)
