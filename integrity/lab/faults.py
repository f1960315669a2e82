"""Trouble on demand: rules that make the server deny, throttle, break, delay, cut or drip.

    server.faults.append(Fault("deny", operation="GetObject", key="CloudTrail-Digest"))
    server.faults.append(Fault("throttle", operation="ListPublicKeys", last=2))   # twice, then well
    server.faults.append(Fault("cut", key="_20260301T0500Z_", size=100))

The first rule that matches a request is applied to it, and only that one. A rule counts the
requests that it matches and acts on those from the `first` to the `last` of them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

from integrity.lab.wire import Response, error_for

Action = Literal[
    "deny", "throttle", "error", "reset", "delay", "cut", "cut-short", "drip", "archive", "kms"
]
"""What a rule does to the request.

deny       403 AccessDenied
throttle   503 SlowDown from S3, 400 ThrottlingException elsewhere
error      500 InternalError
reset      the connection is reset before an answer
delay      the answer comes `seconds` later
cut        the body ends after `size` bytes, and Content-Length says just that
cut-short  the body ends after `size` bytes although Content-Length promised all of it
drip       the body comes in pieces of `size` bytes, one every `seconds`
archive    403 InvalidObjectState
kms        403 AccessDenied, because the key that encrypts the object may not be used
"""


@dataclass(slots=True)
class Fault:
    """One rule. What is None or "" matches everything; `key` matches as part of the key.

    `seen` is how many requests matched so far.
    """

    do: Action
    operation: str | None = None
    bucket: str | None = None
    key: str = ""
    region: str | None = None
    first: int = 1
    last: int | None = None
    seconds: float = 0.0
    size: int = 0
    seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def applies(self, operation: str, bucket: str, key: str, region: str) -> bool:
        """Count the request if it matches, and say whether the rule acts on it."""
        if self.operation not in (None, operation) or self.bucket not in (None, bucket):
            return False
        if self.key not in key or self.region not in (None, region):
            return False
        with self._lock:
            self.seen += 1
            return self.first <= self.seen and (self.last is None or self.seen <= self.last)

    def error(self, service: str) -> Response | None:
        """The error that the rule answers with; None for a rule that only spoils the answer."""
        throttled = (503, "SlowDown") if service == "s3" else (400, "ThrottlingException")
        denied = (400, "AccessDeniedException") if service not in ("s3", "sts", "ec2") else None
        answers: dict[str, tuple[tuple[int, str], str]] = {
            "deny": (denied or (403, "AccessDenied"), "Access Denied"),
            "throttle": (throttled, "Please reduce your request rate."),
            "error": ((500, "InternalError"), "We encountered an internal error."),
            "archive": (
                (403, "InvalidObjectState"),
                "The operation is not valid for the object's storage class",
            ),
            "kms": (
                (403, "AccessDenied"),
                "The ciphertext refers to a customer master key that does not exist, does not "
                "exist in this region, or you are not allowed to access.",
            ),
        }
        if self.do not in answers:
            return None
        (status, code), message = answers[self.do]
        return error_for(service, status, code, message)
