"""A stack's task on the lab's AWS: its policy, its configuration, its places, and its doctor."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from integrity.cli import main
from integrity.lab.wire import Request, Response, json_response
from integrity.lab.world import World
from tests.deploy.guard import GuardedLab
from tests.deploy.stack import REGION, Stack
from tests.deploy.template import listed
from tests.topics import count_subscriptions

Statements = Sequence[dict[str, Any]]
Captured = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Task:
    """What the stack gives the task, and what it made for it."""

    statements: Statements
    configuration: str
    table: str
    bucket: str
    topics: tuple[str, ...]

    def actions(self) -> list[str]:
        return sorted({action for one in self.statements for action in listed(one["Action"])})

    def without(self, action: str) -> Statements:
        return [
            {**one, "Action": [other for other in listed(one["Action"]) if other != action]}
            for one in self.statements
        ]


def task_of(stack: Stack) -> Task:
    definition = stack.client("ecs").describe_task_definition(
        taskDefinition=stack.outputs["TaskDefinitionArn"]
    )["taskDefinition"]
    [container] = definition["containerDefinitions"]
    environ = {one["name"]: one["value"] for one in container["environment"]}
    [table] = stack.client("dynamodb").list_tables()["TableNames"]
    return Task(
        statements=stack.role(stack.outputs["TaskRoleArn"])[1],
        configuration=environ["INTEGRITY_CONFIG_TOML"],
        table=table,
        bucket=stack.outputs["RecordsPlace"].split("/")[2],
        topics=(stack.outputs["SecurityTopicArn"], stack.outputs["OperationsTopicArn"]),
    )


class Ward(GuardedLab):
    """moto has no history of alarms: here it is empty. And a key of KMS, which signs."""

    def __init__(self, world: World, statements: Statements) -> None:
        super().__init__(world, statements)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def _allowed(self, operation: str, request: Request, bucket: str, key: str) -> Response | None:
        if operation == "DescribeAlarmHistory":
            return json_response({"AlarmHistoryItems": []})
        if request.service == "kms":
            asked = json.loads(request.body)
            return json_response({"KeyId": asked["KeyId"], **self._of_key(operation, asked)})
        return super()._allowed(operation, request, bucket, key)

    def _of_key(self, operation: str, asked: dict[str, Any]) -> dict[str, str]:
        if operation == "GetPublicKey":
            public = self._key.public_key()
            der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return {"KeyUsage": "SIGN_VERIFY", "PublicKey": b64encode(der).decode()}
        assert (operation, asked["MessageType"]) == ("Sign", "DIGEST")
        signed = self._key.sign(b64decode(asked["Message"]), ec.ECDSA(Prehashed(SHA256())))
        return {"Signature": b64encode(signed).decode()}


class Clinic:
    """The lab's AWS with what the stack made in it, and the doctor with the task's environment."""

    def __init__(self, task: Task, lab: GuardedLab, **environment: str) -> None:
        self.task, self.lab = task, lab
        self._environment = {
            **lab.environment,
            "INTEGRITY_CONFIG_TOML": task.configuration,
            **environment,
        }
        lab.statements = None
        with self._entered():
            self._make_places()

    @contextmanager
    def _entered(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
                patch.delenv(name)
            for name, value in self._environment.items():
                patch.setenv(name, value)
            patch.setattr("integrity.cli.doctor.read_clock", lambda: self.lab.world.now)
            yield

    def _make_places(self) -> None:
        boto3.client("s3", region_name=REGION).create_bucket(Bucket=self.task.bucket)
        sns = boto3.client("sns", region_name=REGION)
        for topic in self.task.topics:
            sns.create_topic(Name=topic.rpartition(":")[2])
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
        count_subscriptions()
        boto3.client("cloudwatch", region_name=REGION).put_metric_alarm(
            AlarmName="integrity-drill",
            Namespace="CloudTrailIntegrity",
            MetricName="Drill",
            Dimensions=[{"Name": "Trail", "Value": self.lab.world.trails[0].arn}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
            Threshold=0,
        )
        boto3.client("dynamodb", region_name=REGION).create_table(
            TableName=self.task.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )

    def print(self, allowed: Statements, capsys: Captured) -> tuple[int, list[str]]:
        """The exit status, and the lines for people."""
        self.lab.statements = allowed
        with self._entered():
            status = main(["doctor"])
        return status, capsys.readouterr().out.splitlines()

    def examine(self, allowed: Statements, capsys: Captured) -> tuple[int, dict[str, Any]]:
        """The exit status, and the document."""
        self.lab.statements = allowed
        self.lab.asked.clear()
        self.lab.denied.clear()
        with self._entered():
            status = main(["doctor", "--format", "json"])
        shown = capsys.readouterr()
        assert shown.err == ""
        return status, json.loads(shown.out)
