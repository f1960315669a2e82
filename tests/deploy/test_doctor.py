"""`integrity doctor` under the task role's policy: nothing of it is unneeded, nothing unnamed.

The policy and the configuration are the stack's own; moto's evaluation of policies stands before
the lab. What each examination prints as missing is held against what was taken away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from integrity.lab.world import World
from tests.deploy.clinic import Captured, Clinic, Statements, Ward, task_of
from tests.deploy.stack import ACCOUNT, deployed
from tests.deploy.template import AUDITED, KEYS, OPERATIONS, ROLES, ROOT, fill, listed, statements
from tests.service.stage import HOUR, START

ORGANIZATION = "o-exampleorg1"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
GIVEN = OPERATIONS | {"TrailArn": TRAIL, "TrailBucket": "trail-logs"}
OWN = GIVEN | KEYS | {"OrganizationId": ORGANIZATION}
OTHERS = GIVEN | ROLES
EXTERNAL_ID = "of-the-secret"
OPTIONAL = {"cloudtrail:LookupEvents", "s3:ListBucketVersions", "s3:GetObjectVersion"}
"""What no verdict needs: its absence is told, with the statement, and fails nothing."""


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


def optional(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of what may be missing."""
    return [
        one["missing_statement"]
        for one in document["checks"]
        if one["missing_statement"] and not one["fault"]
    ]


def test_the_policy_is_enough_and_every_action_of_it_is_tried(
    own: Clinic, capsys: Captured
) -> None:
    status, document = own.examine(own.task.statements, capsys)

    assert [one for one in document["checks"] if one["outcome"] == "failed"] == []
    assert (status, document["missing_policies"]) == (0, {})
    assert {action for action, _ in own.lab.asked} >= set(own.task.actions())
    assert own.lab.denied == set()


@pytest.mark.slow
def test_without_any_one_action_it_is_named(own: Clinic, capsys: Captured) -> None:
    for action in own.task.actions():
        status, document = own.examine(own.task.without(action), capsys)

        needed = {one for statement in granted(document) for one in statement["Action"]}
        may_be_missing = {one for two in optional(document) for one in two["Action"]}
        said = {one["outcome"] for one in document["checks"] if one["name"] == action}
        if action in OPTIONAL:
            assert (action, status, needed, may_be_missing) == (action, 0, set(), {action})
            assert said == {"skipped"}, action
        else:
            # Who cannot list cannot find a file to read either; that is said without a statement.
            assert (action, status, needed, may_be_missing) == (action, 3, {action}, set())
            assert "failed" in said, action


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
        missing = granted(document) + optional(document)
        if not missing:
            break
        allowed += missing

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
