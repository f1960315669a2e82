"""A message as an e-mail through SES: subject and text, in any language.

The headers `X-Integrity-Message` and `X-Integrity-Incident` let a mailbox sort, and tell a repeat.
Text alone is sent: nothing in it is loaded or followed. What is longer than a mail should be is cut
and names the record.
(AWS: SES API v2, API_SendEmail, API_MessageHeader; Troubleshooting Amazon SES sending errors.)
"""

from __future__ import annotations

from typing import Any

from integrity.aws.refusal import REFUSALS, Call, error_code, explain
from integrity.aws.session import Aws
from integrity.deliver.bounds import cut_line, cut_text, harmless, header_value
from integrity.errors import UsageError
from integrity.state import DeliveryError, Message

MAX_CHARACTERS = 128 * 1024
MOST_SUBJECT = 200

_HELP = {
    "MessageRejected": (
        "verify the sender's address or domain in this region; while the account is in the "
        "sandbox, the recipients' too"
    ),
    "MailFromDomainNotVerifiedException": "the sender's MAIL FROM domain lacks its DNS records",
    "AccountSuspendedException": "AWS has suspended sending for the account: see AWS Support",
    "SendingPausedException": "sending is paused for the account or the configuration set",
    "LimitExceededException": "the sending quota is used up: ask AWS for more",
    "TooManyRequestsException": "SES asks for fewer messages; it is sent later",
    "NotFoundException": "the configuration set is not there in this region",
}


class Mail:
    """A sender and its recipients. `region` is where SES knows the sender, None the service's."""

    def __init__(
        self,
        aws: Aws,
        sender: str,
        recipients: tuple[str, ...],
        *,
        configuration_set: str | None = None,
        region: str | None = None,
    ) -> None:
        self._aws, self._region = aws, region
        self._sender, self._recipients = sender, recipients
        self._configuration_set = configuration_set

    def deliver(self, message: Message) -> None:
        """Send it. Raises DeliveryError where SES did not take it."""
        call = Call("ses:SendEmail", f"from {self._sender}")
        try:
            self._aws.client("sesv2", self._region).send_email(**self._request(message))
        except REFUSALS as error:
            code = error_code(error)
            said = f"{call}: {_HELP[code]} ({code})" if code in _HELP else explain(error, call)
            raise DeliveryError(said) from error
        except UsageError as error:
            raise DeliveryError(str(error)) from error

    def _request(self, message: Message) -> dict[str, Any]:
        text = cut_text(harmless(message.text), MAX_CHARACTERS, message)
        headers = {
            "X-Integrity-Message": message.id,
            "X-Integrity-Incident": message.incident_id,
        }
        request: dict[str, Any] = {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": list(self._recipients)},
            "Content": {
                "Simple": {
                    "Subject": _in_utf8(cut_line(message.subject, MOST_SUBJECT)),
                    "Body": {"Text": _in_utf8(text)},
                    "Headers": [
                        {"Name": name, "Value": header_value(value) or "none"}
                        for name, value in headers.items()
                    ],
                }
            },
        }
        if self._configuration_set is not None:
            request["ConfigurationSetName"] = self._configuration_set
        return request


def _in_utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
