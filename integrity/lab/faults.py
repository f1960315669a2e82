"""Trouble on demand: rules that make the server deny, throttle, break, delay, cut or drip.

    server.faults.append(Fault("deny", operation="GetObject", key="CloudTrail-Digest"))
    server.faults.append(Fault("throttle", operation="ListPublicKeys", last=2))   # twice, then well
    server.faults.append(Fault("cut", key="_20260301T0500Z_", size=100))
    server.faults.append(Fault("reset", operation="GetObject", last=1, per_key=True))
    server.faults.append(Fault("throttle", every=20))                   # 5 % of all answers

The first rule that matches a request is applied to it, and only that one. A rule counts the
requests that it matches, all together or those of each key by themselves, and acts on every one,
or every so many, from the `first` to the `last` of them.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from integrity.lab.wire import Response, error_for, speaks

Action = Literal[
    "deny",
    "throttle",
    "error",
    "reset",
    "delay",
    "cut",
    "cut-short",
    "drip",
    "archive",
    "kms",
    "expire",
    "skew",
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
expire     the credentials have expired
skew       the request was signed too long ago, or too far ahead
"""


@dataclass(slots=True)
class Fault:
    """One rule. What is None or "" matches everything; `key` matches as part of the key.

    `access_key` matches who signed the request; `message` is said by its error in place of the
    usual one. `seen` is how many requests matched so far.
    """

    do: Action
    operation: str | None = None
    bucket: str | None = None
    key: str = ""
    region: str | None = None
    access_key: str | None = None
    first: int = 1
    last: int | None = None
    every: int = 1
    per_key: bool = False
    seconds: float = 0.0
    size: int = 0
    message: str = ""
    seen: int = 0
    _seen_of: Counter[str] = field(default_factory=Counter, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def applies(self, operation: str, bucket: str, key: str, region: str, access_key: str) -> bool:
        """Count the request if it matches, and say whether the rule acts on it."""
        if self.operation not in (None, operation) or self.bucket not in (None, bucket):
            return False
        if self.key not in key or self.region not in (None, region):
            return False
        if self.access_key not in (None, access_key):
            return False
        with self._lock:
            self.seen += 1
            self._seen_of[key if self.per_key else ""] += 1
            number = self._seen_of[key if self.per_key else ""]
        inside = self.first <= number and (self.last is None or number <= self.last)
        return inside and (number - self.first) % self.every == 0

    def error(self, service: str) -> Response | None:
        """The error that the rule answers with; None for a rule that only spoils the answer."""
        protocol = speaks(service)
        answer = _ANSWERS.get((self.do, service)) or _ANSWERS.get((self.do, protocol))
        if answer is None:
            return None
        status, code = answer
        return error_for(service, status, code, self.message or _MESSAGES[self.do])


_MESSAGES: dict[str, str] = {
    "deny": "Access Denied",
    "throttle": "Please reduce your request rate.",
    "error": "We encountered an internal error. Please try again.",
    "archive": "The operation is not valid for the object's storage class",
    "expire": "The provided token has expired.",
    "skew": "Signature expired: 20260301T000000Z is now earlier than 20260301T004500Z",
    "kms": "The ciphertext refers to a customer master key that does not exist, does not exist in "
    "this region, or you are not allowed to access.",
}
# By service where it has a word of its own, otherwise by protocol.
_ANSWERS: dict[tuple[str, str], tuple[int, str]] = {
    ("deny", "s3"): (403, "AccessDenied"),
    ("deny", "query"): (403, "AccessDenied"),
    ("deny", "ec2"): (403, "UnauthorizedOperation"),
    ("deny", "json"): (400, "AccessDeniedException"),
    ("throttle", "s3"): (503, "SlowDown"),
    ("throttle", "query"): (400, "Throttling"),
    ("throttle", "ec2"): (503, "RequestLimitExceeded"),
    ("throttle", "json"): (400, "ThrottlingException"),
    ("error", "s3"): (500, "InternalError"),
    ("error", "query"): (500, "InternalFailure"),
    ("error", "json"): (500, "InternalFailure"),
    ("expire", "s3"): (400, "ExpiredToken"),
    ("expire", "query"): (403, "ExpiredToken"),
    ("expire", "json"): (400, "ExpiredTokenException"),
    ("skew", "s3"): (403, "RequestTimeTooSkewed"),
    ("skew", "query"): (403, "SignatureDoesNotMatch"),
    ("skew", "json"): (400, "InvalidSignatureException"),
    ("archive", "s3"): (403, "InvalidObjectState"),
    ("kms", "s3"): (403, "AccessDenied"),
}
