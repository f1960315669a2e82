"""A console login, and the message of a rule that is about it."""

from __future__ import annotations

import json
from typing import Any

from integrity.state import Message
from integrity.structs import replace

LOGIN: dict[str, Any] = {
    "eventVersion": "1.09",
    "userIdentity": {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com",
        "accountId": "111122223333",
    },
    "eventTime": "2024-03-30T09:45:53Z",
    "eventSource": "signin.amazonaws.com",
    "eventName": "ConsoleLogin",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.1",
    "userAgent": "Mozilla/5.0",
    "responseElements": {"ConsoleLogin": "Success"},
    "additionalEventData": {"MFAUsed": "No"},
    "eventID": "5f9a6a3b-1c2d-4e5f-8a9b-0c1d2e3f4a5b",
    "recipientAccountId": "111122223333",
}


def of_login(message: Message, **changes: Any) -> Message:
    """The message with a login, changed as given, for its event."""
    return replace(message, event=json.dumps(LOGIN | changes))
