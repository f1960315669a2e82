"""A message to any URL: its facts as JSON, signed, for a program of one's own.

    POST, Content-Type: application/json
    X-Integrity-Message: the message's id, the same however often it is repeated
    X-Integrity-Signature: t=<seconds since 1970>,v1=<hex>

`v1` is HMAC-SHA256 over `<t>.<body>` with the shared secret (RFC 2104). Who receives it computes
the same over the bytes that came, compares in constant time, refuses a `t` that is more than a few
minutes off, and takes each `message_id`, which the body has too, once. Any status from 200 to 299
means that it was taken; the answer's body means nothing and is told nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

from integrity.deliver.bounds import encode_facts, header_value
from integrity.deliver.https import Endpoint
from integrity.state import Message

MAX_BYTES = 256 * 1024


class Webhook:
    """One URL and the secret that it shares. Raises UsageError where the URL is none."""

    def __init__(self, url: str, secret: str, clock: Callable[[], datetime]) -> None:
        self._endpoint, self._secret, self._clock = Endpoint(url), secret.encode(), clock

    def deliver(self, message: Message) -> None:
        """Post it. Raises DeliveryError where it was not taken."""
        body = encode_facts(message, MAX_BYTES).encode()
        answer = self._endpoint.post(
            body,
            {
                "Content-Type": "application/json",
                "X-Integrity-Message": header_value(message.id),
                "X-Integrity-Signature": self._signature(body),
            },
        )
        if not answer.is_taken:
            raise self._endpoint.refusal(answer)

    def _signature(self, body: bytes) -> str:
        at = str(int(self._clock().timestamp()))
        signed = hmac.new(self._secret, at.encode() + b"." + body, hashlib.sha256)
        return f"t={at},v1={signed.hexdigest()}"
