"""Who hears what AWS is handed: a queue behind a topic, a bus, SES's own outbox."""

from __future__ import annotations

import json
from typing import Any

import urllib3

from integrity.aws.session import Aws


class Queue:
    """An SQS queue; `received` takes what is there."""

    def __init__(self, aws: Aws, name: str, region: str = "us-east-1") -> None:
        self._sqs = aws.client("sqs", region)
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        self._url = self._sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self.arn: str = answer["Attributes"]["QueueArn"]

    def received(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


class TopicBox(Queue):
    """A topic and a queue that hears it."""

    def __init__(self, aws: Aws, name: str = "security", *, policy: Any = None) -> None:
        super().__init__(aws, name)
        fifo = {"FifoTopic": "true"} if name.endswith(".fifo") else {}
        sns = aws.client("sns", "us-east-1")
        self.topic = sns.create_topic(Name=name, Attributes=fifo)["TopicArn"]
        sns.subscribe(
            TopicArn=self.topic,
            Protocol="sqs",
            Endpoint=self.arn,
            Attributes={"FilterPolicy": json.dumps(policy)} if policy else {},
        )


class BusBox:
    """An event bus, and what it was asked to take. moto's targets need a package of their own."""

    def __init__(self, aws: Aws, name: str = "alarms", region: str = "us-east-1") -> None:
        events = aws.client("events", region)
        self.bus = "default"
        if name != "default":
            self.bus = events.create_event_bus(Name=name)["EventBusArn"]
        self._put: list[dict[str, Any]] = []
        events.meta.events.register("before-call.events.PutEvents", self._record)

    def _record(self, params: dict[str, Any], **_: Any) -> None:
        self._put += json.loads(params["body"])["Entries"]

    def received(self) -> list[dict[str, Any]]:
        return [{**entry, "Detail": json.loads(entry["Detail"])} for entry in self._put]


class MailBox:
    """A verified sender. SES keeps no mail that could be read: moto shows what was sent."""

    def __init__(self, aws: Aws, region: str = "us-east-1") -> None:
        self.sender = "integrity@example.com"
        self._endpoint = aws.client("sesv2", region).meta.endpoint_url
        aws.client("ses", region).verify_email_identity(EmailAddress=self.sender)

    def received(self) -> list[dict[str, Any]]:
        answer = urllib3.request("GET", f"{self._endpoint}/moto-api/data.json")
        sent: list[dict[str, Any]] = answer.json()["ses"]["Message"]
        return sent
