"""Who hears what AWS is handed: a queue behind a topic, a bus, SES's own outbox, a table, a bucket,
a stream before a bucket."""

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


class ItemBox:
    """A table by `eventID`, as the ledger's."""

    def __init__(self, aws: Aws, name: str = "ledger", region: str = "us-east-1") -> None:
        self._client = aws.client("dynamodb", region)
        self.table = name
        self._client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "eventID", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "eventID", "KeyType": "HASH"}],
        )

    def received(self) -> list[dict[str, Any]]:
        items = self._client.scan(TableName=self.table)["Items"]
        return [{name: next(iter(value.values())) for name, value in one.items()} for one in items]


class ObjectBox:
    """A bucket, and a KMS key for what is written there."""

    def __init__(self, aws: Aws, name: str = "archive", region: str = "us-east-1") -> None:
        self._client = aws.client("s3", region)
        self.bucket = name
        self.key: str = aws.client("kms", region).create_key()["KeyMetadata"]["Arn"]
        self._client.create_bucket(Bucket=name)

    def received(self) -> list[tuple[str, str]]:
        """Key and content of each object, in order."""
        listed = self._client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [(one["Key"], self._read(one["Key"])) for one in listed]

    def about(self, key: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.head_object(Bucket=self.bucket, Key=key)
        return answer

    def _read(self, key: str) -> str:
        body: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body.decode()


class StreamBox(ObjectBox):
    """A Firehose stream that writes to such a bucket."""

    def __init__(self, aws: Aws, name: str = "logins") -> None:
        super().__init__(aws)
        self.stream: str = aws.client("firehose", "us-east-1").create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::111122223333:role/logins",
                "BucketARN": f"arn:aws:s3:::{self.bucket}",
            },
        )["DeliveryStreamARN"]
