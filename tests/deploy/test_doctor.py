"""`integrity doctor` under the task role's policy: nothing of it is unneeded, nothing unnamed.

The policy and the configuration are the stack's own; moto's evaluation of policies stands before
the lab. What each examination prints as missing is held against what was taken away.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest

from integrity.cli import main
from integrity.lab.wire import Request, Response, json_response
from integrity.lab.world import World
from tests.deploy.guard import GuardedLab
from tests.deploy.stack import ACCOUNT, REGION, Stack, deployed
from tests.deploy.template import AUDITED, KEYS, OPERATIONS, ROLES, ROOT, fill, listed, statements
from tests.service.stage import HOUR, START

ORGANIZATION = "o-exampleorg1"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
GIVEN = OPERATIONS | {"TrailArn": TRAIL, "TrailBucket": "trail-logs"}
OWN = GIVEN | KEYS | {"OrganizationId": ORGANIZATION}
OTHERS = GIVEN | ROLES
EXTERNAL_ID = "of-the-secret"

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


def make_world() -> World:
    """An organization's trail in the task's own account, with a member and two regions."""
    world = World(seed=5, now=START + HOUR)
    trail = world.add_trail(account_id=ACCOUNT, organization_id=ORGANIZATION)
    trail.kms_key_id = KEYS["TrailKmsKeyArn"]
    for account, region in ((ACCOUNT, "us-east-1"), ("222233334444", "eu-west-1")):
        world.run_chain(
            trail, account_id=account, region=region, start=START, hours=1, logs_per_hour=1
        )
    world.advance(START + timedelta(hours=30))
    world.buckets[trail.bucket].kms_key_arn = KEYS["TrailKmsKeyArn"]
    return world


class Ward(GuardedLab):
    """moto has no history of alarms: here it is empty."""

    def _allowed(self, operation: str, request: Request, bucket: str, key: str) -> Response | None:
        if operation == "DescribeAlarmHistory":
            return json_response({"AlarmHistoryItems": []})
        return super()._allowed(operation, request, bucket, key)


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


@pytest.fixture(scope="module")
def own() -> Iterator[Clinic]:
    with deployed(OWN) as stack:
        task = task_of(stack)
    with Ward(make_world(), []) as lab:
        lab.keys = {
            "trail-logs": KEYS["TrailKmsKeyArn"],
            task.bucket: KEYS["RecordsKmsKeyArn"],
        }
        yield Clinic(task, lab)


@pytest.fixture
def others() -> Iterator[Clinic]:
    """The trail and its bucket are in two other accounts, whose roles are assumed."""
    world = World(seed=5, now=START + HOUR)
    trail = world.add_trail(account_id="444455556666")
    world.run_chain(trail, start=START, hours=1, logs_per_hour=1)
    world.advance(START + timedelta(hours=30))
    with deployed(OTHERS | {"TrailArn": trail.arn}) as stack:
        task = task_of(stack)
    audited = filled(
        {
            "TaskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/task",
            "ExternalId": EXTERNAL_ID,
            "TrailArn": trail.arn,
            "TrailBucket": "trail-logs",
        }
    )
    secrets = {
        f"INTEGRITY_TRAILS_0_{name}": EXTERNAL_ID for name in ("EXTERNAL_ID", "BUCKET_EXTERNAL_ID")
    }
    with Ward(world, []) as lab:
        for role in (ROLES["TrailRoleArn"], ROLES["BucketRoleArn"]):
            lab.roles.add(role, external_id=EXTERNAL_ID)
            lab.role_statements[role] = audited
        yield Clinic(task, lab, **secrets)


def filled(given: dict[str, str]) -> Statements:
    """The statements of the audited account's role, with any resource: its ARNs are references."""
    return [{**one, "Resource": "*"} for _, one in statements(fill(AUDITED, given))]


def granted(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for policy in document["missing_policies"].values() for one in policy["Statement"]]


def test_the_policy_is_enough_and_every_action_of_it_is_tried(
    own: Clinic, capsys: Captured
) -> None:
    status, document = own.examine(own.task.statements, capsys)

    assert [one for one in document["checks"] if one["outcome"] == "failed"] == []
    assert (status, document["missing_policies"]) == (0, {})
    assert {action for action, _ in own.lab.asked} >= set(own.task.actions())
    optional = {"s3:ListBucketVersions"}
    assert {action for action, _ in own.lab.denied} == optional


@pytest.mark.slow
def test_without_any_one_action_it_is_named(own: Clinic, capsys: Captured) -> None:
    for action in own.task.actions():
        status, document = own.examine(own.task.without(action), capsys)

        named = {one for statement in granted(document) for one in statement["Action"]}
        assert (action, status) == (action, 3)
        # Who cannot list cannot find a file to read either; that is said without a statement.
        assert named == {action}, action
        said = [one for one in document["checks"] if one["name"] == action]
        assert "failed" in {one["outcome"] for one in said}, action


def test_the_document_shows_what_it_prints(own: Clinic, capsys: Captured) -> None:
    document = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    shown = document.split("$ integrity doctor\n")[1].split("```")[0].splitlines()

    status, printed = own.print(
        [one for one in own.task.statements if one["Sid"] != "DecryptFiles"], capsys
    )

    assert status == 3
    begun = [line.removesuffix("…") for line in shown if line != "..."]
    assert [one for one in begun if not any(line.startswith(one) for line in printed)] == []


@pytest.mark.slow
def test_what_it_prints_from_nothing_on_becomes_the_policy(own: Clinic, capsys: Captured) -> None:
    allowed: list[dict[str, Any]] = []
    status = 3
    for _ in range(8):
        status, document = own.examine(allowed, capsys)
        if status == 0:
            break
        assert granted(document), document["checks"]
        allowed += granted(document)

    assert status == 0
    found = {action for one in allowed for action in one["Action"]}
    assert found == set(own.task.actions())


def test_roles_of_other_accounts_are_assumed_and_missed(others: Clinic, capsys: Captured) -> None:
    status, document = others.examine(others.task.statements, capsys)
    assert (status, document["missing_policies"]) == (0, {})
    assert {action for action, _ in others.lab.asked} >= set(others.task.actions())

    status, document = others.examine(others.task.without("sts:AssumeRole"), capsys)
    assert status == 3
    assert [one["Resource"] for one in granted(document)] == [
        [ROLES["TrailRoleArn"]],
        [ROLES["BucketRoleArn"]],
    ]
    [said] = {one["said"] for one in document["checks"] if one["name"] == "the trail"}
    assert "see what failed before" in said
    assert EXTERNAL_ID not in json.dumps(document)


@pytest.mark.slow
def test_what_a_role_lacks_is_missing_in_its_own_policy(others: Clinic, capsys: Captured) -> None:
    role = ROLES["BucketRoleArn"]
    others.lab.role_statements[role] = [
        {**one, "Action": [two for two in listed(one["Action"]) if two != "s3:GetObject"]}
        for one in others.lab.role_statements[role]
    ]

    status, document = others.examine(others.task.statements, capsys)

    assert status == 3
    assert document["missing_policies"][role]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::trail-logs/AWSLogs/*"],
        }
    ]
