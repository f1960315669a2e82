"""E-mail: what SES is handed, and what its refusals mean."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from integrity.aws.session import Aws
from integrity.deliver.ses import MAX_CHARACTERS, Mail
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.state import DeliveryError, Message
from integrity.structs import replace
from tests.deliver.mailboxes import MailBox

TO = ("security@example.com", "on-call@example.com")


def test_a_person_gets_subject_and_text(aws: Aws, message: Message) -> None:
    box = MailBox(aws)

    Mail(aws, box.sender, TO).deliver(message)

    [mail] = box.received()
    assert mail["source"] == box.sender
    assert mail["destinations"]["ToAddresses"] == list(TO)
    assert (mail["subject"], mail["body"]) == (message.subject, message.text)


def test_any_language_and_headers_that_tell_a_repeat(aws: Aws, message: Message) -> None:
    mail = Mail(aws, "a@example.com", TO, configuration_set="alarms")

    request = mail._request(replace(message, subject="Prüfung fehlgeschlagen 検証"))

    simple = request["Content"]["Simple"]
    assert simple["Subject"] == {"Data": "Prüfung fehlgeschlagen 検証", "Charset": "UTF-8"}
    assert simple["Headers"] == [
        {"Name": "X-Integrity-Message", "Value": message.id},
        {"Name": "X-Integrity-Incident", "Value": message.incident_id},
    ]
    assert request["ConfigurationSetName"] == "alarms"


def test_it_is_sent_where_ses_knows_the_sender(aws: Aws, message: Message) -> None:
    box = MailBox(aws, "eu-west-1")

    Mail(aws, box.sender, TO, region="eu-west-1").deliver(message)
    with pytest.raises(DeliveryError, match="verify the sender's address or domain"):
        Mail(aws, box.sender, TO).deliver(message)

    assert len(box.received()) == 1


def test_what_is_too_long_is_cut_and_points_to_the_record(aws: Aws, message: Message) -> None:
    box = MailBox(aws)

    Mail(aws, box.sender, TO).deliver(replace(message, text="ä\x00" * 500_000))

    [mail] = box.received()
    assert len(mail["body"]) == MAX_CHARACTERS
    assert mail["body"].startswith("ä\N{REPLACEMENT CHARACTER}ä")
    assert mail["body"].endswith("s3://records/r.json]")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("MessageRejected", "verify the sender's address or domain in this region"),
        ("MailFromDomainNotVerifiedException", "lacks its DNS records"),
        ("AccountSuspendedException", "AWS has suspended sending"),
        ("SendingPausedException", "sending is paused"),
        ("LimitExceededException", "the sending quota is used up"),
        ("TooManyRequestsException", "SES asks for fewer messages"),
        ("NotFoundException", "the configuration set is not there"),
        ("InternalFailure", "AWS failed to answer ses:SendEmail from a@example.com"),
    ],
)
def test_a_refusal_says_what_would_help(
    aws: Aws, message: Message, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "words"}}, "SendEmail")

    monkeypatch.setattr(aws.client("sesv2"), "send_email", refuse)

    with pytest.raises(DeliveryError, match=said) as refused:
        Mail(aws, "a@example.com", TO).deliver(message)

    assert "ses:SendEmail from a@example.com" in str(refused.value)


def test_trouble_that_passes_is_waited_out(lab: LabServer, aws: Aws, message: Message) -> None:
    box = MailBox(aws)
    lab.faults.append(Fault("error", operation="POST", last=1))

    Mail(aws, box.sender, TO).deliver(message)

    assert len(box.received()) == 1
