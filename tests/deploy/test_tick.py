"""The task's whole tick, with the role's policy and the configuration as the stack has them.

A clean tick, an attack, and the tick that tells of it: all that AWS is asked for is allowed, and
where one action is not, the ticks come to something else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

import boto3
import pytest

from integrity.config.parse import parse_config
from integrity.errors import IntegrityError
from integrity.lab import attacks
from integrity.lab.world import World
from integrity.wiring.service import Service
from tests.deploy.guard import GuardedLab
from tests.deploy.stack import REGION, deployed
from tests.deploy.template import OPERATIONS, listed
from tests.service.stage import HOUR, make_world

ACTIONS = (
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "s3:PutObject",
    "sns:Publish",
    "cloudwatch:PutMetricData",
)

Statements = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """What the stack gives a task: permissions, a configuration, and places of its own."""

    command: tuple[str, ...]
    environment: dict[str, str]
    statements: Statements
    configuration: str
    table: str
    bucket: str
    topics: tuple[str, ...]

    def without(self, action: str) -> Statements:
        """What it is allowed, without one action."""
        return [
            {**one, "Action": [other for other in listed(one["Action"]) if other != action]}
            for one in self.statements
        ]


@pytest.fixture(scope="module")
def task() -> Task:
    with deployed(OPERATIONS | {"TrailBucket": "trail-logs"}) as stack:
        definition = stack.client("ecs").describe_task_definition(
            taskDefinition=stack.outputs["TaskDefinitionArn"]
        )["taskDefinition"]
        [container] = definition["containerDefinitions"]
        environ = {one["name"]: one["value"] for one in container["environment"]}
        [table] = stack.client("dynamodb").list_tables()["TableNames"]
        return Task(
            command=tuple(container["command"]),
            environment=environ,
            statements=stack.role(stack.outputs["TaskRoleArn"])[1],
            configuration=environ["INTEGRITY_CONFIG_TOML"],
            table=table,
            bucket=stack.outputs["RecordsPlace"].split("/")[2],
            topics=(stack.outputs["SecurityTopicArn"], stack.outputs["OperationsTopicArn"]),
        )


@contextmanager
def running(task: Task, world: World, statements: Statements) -> Iterator[GuardedLab]:
    """The lab's AWS, with what the stack made in it, and the task's environment."""
    with GuardedLab(world, statements) as lab, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        for name, value in lab.environment.items():
            patch.setenv(name, value)
        lab.statements = None
        boto3.client("s3", region_name=REGION).create_bucket(Bucket=task.bucket)
        for topic in task.topics:
            boto3.client("sns", region_name=REGION).create_topic(Name=topic.rpartition(":")[2])
        boto3.client("dynamodb", region_name=REGION).create_table(
            TableName=task.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        lab.statements = statements
        yield lab


def tick(task: Task, world: World) -> tuple[int, str]:
    """Its status, and why it could not be made."""
    service = Service(parse_config(task.configuration, {}), lambda: world.now)
    try:
        [made] = service.tick(Event())
    except IntegrityError as error:
        return 2, str(error)
    return made.status, made.error


def story(task: Task, statements: Statements) -> tuple[list[tuple[int, str]], GuardedLab]:
    """A clean tick, an hour, an attack, a tick."""
    world = make_world(hours=6)
    with running(task, world, statements) as lab:
        ticks = [tick(task, world)]
        world.advance(world.now + HOUR)
        digests = [one for one in world.chains[0].digests if one.last_modified <= world.now]
        attacks.edit_log(world, digests[-1].log_files[0])
        ticks.append(tick(task, world))
    return ticks, lab


def test_the_policy_is_enough_for_a_tick(task: Task) -> None:
    ticks, lab = story(task, task.statements)

    assert ticks == [(0, ""), (1, "")]
    assert lab.denied == set()
    assert {action for action, _ in lab.asked} >= set(ACTIONS)
    told = {resource for action, resource in lab.asked if action == "sns:Publish"}
    assert told == set(task.topics), "operations of the new chain, security of the attack"


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
def test_without_one_action_a_tick_is_refused_something(task: Task, action: str) -> None:
    _, lab = story(task, task.without(action))

    assert action in {denied for denied, _ in lab.denied}
