"""The task role's policy, enforced: it is enough, and nothing in it is too much.

The policy is the one that stands on moto after the template was deployed there. `integrity verify`
and the destinations run against a lab that refuses what it does not allow; a whole tick does in
`test_tick`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrity.aws.session import AwsRecipe
from integrity.cli import main
from integrity.deliver.cloudwatch import Metrics
from integrity.deliver.sns import SnsTopic
from integrity.lab import attacks
from integrity.lab.estate import ExpirationRule
from integrity.lab.world import World
from integrity.record import Run, decode
from integrity.state import Audience, Datapoint, DeliveryError, Message, Step, Unit
from tests.deploy.guard import GuardedLab
from tests.deploy.stack import deployed
from tests.deploy.template import KEYS, OPERATIONS, TRAIL, listed
from tests.deploy.test_drill import DRILL_ACTIONS
from tests.deploy.test_tick import ACTIONS
from tests.organizations import HOURS, START, organization
from tests.organizations import ORGANIZATION as LAB_ORGANIZATION

pytestmark = pytest.mark.slow

WINDOW = ("--start-time", "2026-03-01T00:00:00Z", "--end-time", "2026-03-01T06:00:00Z")

NOT_TRIED = {
    "kms:Decrypt": "S3 asks for it by itself, and the lab encrypts nothing",
    "kms:GenerateDataKey": "S3 asks for it by itself, and the lab encrypts nothing",
    "kms:GetPublicKey": "the lab has no keys; tests/cli/test_verify_evidence.py signs with moto's",
    "kms:Sign": "the lab has no keys; tests/cli/test_verify_evidence.py signs with moto's",
}

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
QUICK = AwsRecipe(attempts=2, first_wait=0.01, connect_timeout=1, read_timeout=5)

Statements = Sequence[dict[str, Any]]
Captured = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Policy:
    """What the stack allows the task, and the topics that it made."""

    statements: Statements
    security: str
    operations: str

    def without(self, action: str) -> Statements:
        """The same without one action."""
        return [
            {**one, "Action": [other for other in listed(one["Action"]) if other != action]}
            for one in self.statements
        ]


@pytest.fixture(scope="module")
def policy() -> Policy:
    given = OPERATIONS | KEYS | {"OrganizationId": LAB_ORGANIZATION, "TrailBucket": "trail-logs"}
    with deployed(given) as stack:
        _, allowed = stack.role(stack.outputs["TaskRoleArn"])
        topics = stack.outputs["SecurityTopicArn"], stack.outputs["OperationsTopicArn"]
    return Policy(allowed, *topics)


@contextmanager
def guarded(world: World, statements: Statements) -> Iterator[GuardedLab]:
    with GuardedLab(world, statements) as lab, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        for name, value in lab.environment.items():
            patch.setenv(name, value)
        yield lab


def own_trail() -> World:
    """A trail of one account, and beside it one without digests that writes to the same place."""
    world = World(seed=5)
    trail = world.add_trail()
    for region in ("us-east-1", "eu-west-1"):
        world.run_chain(trail, region=region, start=START, hours=HOURS)
    other = world.add_trail(name="other", validation=False)
    world.run_chain(other, region="us-east-1", start=START, hours=3)
    return world


def members() -> World:
    """An organization's trail."""
    return organization().world


def expired() -> World:
    """Digest files that a lifecycle rule has removed."""
    world = World(seed=5)
    trail = world.add_trail()
    chain = world.run_chain(trail, start=START, hours=HOURS)
    attacks.delete_digest(world, chain.digests[2])
    world.buckets[trail.bucket].expirations.append(ExpirationRule("all", "", 1))
    world.now = START + timedelta(days=9)
    return world


def altered() -> World:
    """A log file that was written over in a versioned bucket."""
    world = World(seed=5)
    trail = world.add_trail()
    chain = world.run_chain(trail, start=START, hours=HOURS)
    world.objects.enable_versioning(trail.bucket)
    attacks.edit_log(world, chain.log_files[2])
    return world


def verified(capsys: Captured, world: World, statements: Statements) -> tuple[int, Run, GuardedLab]:
    with guarded(world, statements) as lab:
        arn = world.trails[0].arn
        status = main(["verify", *WINDOW, "--format", "json", "--trail-arn", arn])
    shown = capsys.readouterr()
    if not shown.out:
        pytest.fail(shown.err)
    return status, decode(shown.out.encode()), lab


NEEDED = {
    "cloudtrail:GetTrail": own_trail,
    "cloudtrail:GetTrailStatus": own_trail,
    "cloudtrail:ListPublicKeys": own_trail,
    "cloudtrail:ListTrails": own_trail,
    "ec2:DescribeRegions": members,
    "organizations:DescribeOrganization": members,
    "organizations:ListAccounts": members,
    "s3:ListBucket": own_trail,
    "s3:GetObject": own_trail,
    "s3:GetLifecycleConfiguration": expired,
    "cloudtrail:LookupEvents": expired,
    "s3:ListBucketVersions": altered,
    "s3:GetObjectVersion": altered,
}
"""What verifying asks for, and a world that shows when it is refused."""


@pytest.mark.parametrize("world", [own_trail, members], ids=lambda world: world.__name__)
def test_the_policy_is_enough_to_verify(capsys: Captured, policy: Policy, world: Any) -> None:
    status, _, lab = verified(capsys, world(), policy.statements)

    assert (status, lab.denied) == (0, set())


@pytest.mark.parametrize("action", NEEDED)
def test_without_one_action_less_is_known(capsys: Captured, policy: Policy, action: str) -> None:
    make = NEEDED[action]
    before = known(capsys, make(), policy.statements)

    after = known(capsys, make(), policy.without(action))

    assert after != before


def known(capsys: Captured, world: World, statements: Statements) -> Any:
    """What came of verifying: the status, and what the record says that is not of its day."""
    with guarded(world, statements) as lab:
        status = main(["verify", *WINDOW, "--format", "json", "--trail-arn", world.trails[0].arn])
        assert {action for action, _ in lab.denied} <= set(NEEDED)
    shown = capsys.readouterr()
    if not shown.out:
        return status, shown.err
    run = decode(shown.out.encode())
    return status, run.population, run.findings, run.totals


def test_every_action_is_tried_here_or_by_a_whole_tick_or_a_drill(policy: Policy) -> None:
    actions = {action for one in policy.statements for action in listed(one["Action"])}

    assert actions == {*NEEDED, *ACTIONS, *DRILL_ACTIONS, *NOT_TRIED}


# Telling


@pytest.fixture
def message() -> Message:
    return Message(
        id="0123456789ab-opened-1",
        trail_arn=TRAIL,
        incident_id="0123456789ab",
        audience=Audience.SECURITY,
        step=Step.OPENED,
        subject="[integrity] INVALID log_hash_mismatch",
        text="One log file was changed.",
        facts={},
        created_at=NOW,
    )


def test_both_topics_may_be_told_and_no_other(policy: Policy, message: Message) -> None:
    with guarded(own_trail(), policy.statements) as lab:
        aws = QUICK.open()
        lab.statements = None
        for arn in (policy.security, policy.operations, "arn:x:sns:us-east-1:1:other"):
            aws.client("sns", "us-east-1").create_topic(Name=arn.rpartition(":")[2])
        lab.statements = policy.statements
        for arn in (policy.security, policy.operations):
            SnsTopic(aws, arn).deliver(message)
        assert lab.denied == set()
        with pytest.raises(DeliveryError, match="sns:Publish"):
            SnsTopic(aws, "arn:aws:sns:us-east-1:123456789012:other").deliver(message)


def test_numbers_may_go_into_their_namespace_and_no_other(policy: Policy) -> None:
    point = Datapoint("Heartbeat", 1.0, Unit.COUNT, NOW, (("Trail", TRAIL),))
    with guarded(own_trail(), policy.statements) as lab:
        aws = QUICK.open()
        Metrics(aws, "CloudTrailIntegrity", "us-east-1").put([point])
        assert lab.denied == set()
        with pytest.raises(DeliveryError, match="cloudwatch:PutMetricData"):
            Metrics(aws, "AWS/Other", "us-east-1").put([point])


def test_without_its_action_no_topic_may_be_told(policy: Policy, message: Message) -> None:
    with guarded(own_trail(), policy.without("sns:Publish")):
        topic = SnsTopic(QUICK.open(), policy.security)
        with pytest.raises(DeliveryError, match="sns:Publish"):
            topic.deliver(message)


def test_without_its_action_no_number_may_be_put(policy: Policy) -> None:
    point = Datapoint("Heartbeat", 1.0, Unit.COUNT, NOW, (("Trail", TRAIL),))
    with guarded(own_trail(), policy.without("cloudwatch:PutMetricData")):
        metrics = Metrics(QUICK.open(), "CloudTrailIntegrity", "us-east-1")
        with pytest.raises(DeliveryError, match="cloudwatch:PutMetricData"):
            metrics.put([point])
