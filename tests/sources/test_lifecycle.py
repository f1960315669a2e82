"""The rules that delete objects: those that count, and what is said where nobody may read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.estate import ExpirationRule, Unasked
from integrity.lab.estate import ExpirationRule as LabRule
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.lifecycle import Lifecycles
from integrity.verify.ports import RetentionSource
from tests.sources.wire import Answer, wire


@pytest.fixture
def lifecycles(aws: Aws) -> Lifecycles:
    return Lifecycles(aws)


def test_it_is_what_verification_needs(lifecycles: Lifecycles) -> None:
    port: RetentionSource = lifecycles
    assert port is lifecycles


def test_enabled_rules_are_told_and_asked_for_once(
    lifecycles: Lifecycles, world: World, lab: LabServer
) -> None:
    world.buckets["trail-logs"].expirations += [
        LabRule("short", "AWSLogs/", 30),
        LabRule("off", "", 1, enabled=False),
    ]
    told = (ExpirationRule("short", "AWSLogs/", 30),)
    assert lifecycles.fetch_rules("trail-logs") == told
    assert lifecycles.fetch_rules("trail-logs") == told
    assert lab.requests.by_operation["GetBucketLifecycleConfiguration"] == 1


@pytest.mark.parametrize("bucket", ["trail-logs", "no-such-bucket"])
def test_no_rules_are_none(lifecycles: Lifecycles, bucket: str) -> None:
    assert lifecycles.fetch_rules(bucket) == ()


def test_a_bucket_elsewhere_is_found(lifecycles: Lifecycles, world: World) -> None:
    world.add_bucket("far-logs", region="eu-west-1", owner="111122223333")
    world.buckets["far-logs"].expirations.append(LabRule("far", "", 7))
    assert lifecycles.fetch_rules("far-logs") == (ExpirationRule("far", "", 7),)


def test_who_may_not_read_them_is_told_the_permission(
    lifecycles: Lifecycles, lab: LabServer
) -> None:
    lab.faults.append(Fault("deny", operation="GetBucketLifecycleConfiguration"))
    assert lifecycles.fetch_rules("trail-logs") == Unasked(
        "s3:GetLifecycleConfiguration",
        "s3:GetLifecycleConfiguration on arn:aws:s3:::trail-logs is not allowed",
        denied=True,
    )


def test_a_bucket_of_somebody_else_is_refused(aws: Aws) -> None:
    strict = Lifecycles(aws, expected_bucket_owner="999999999999")
    assert isinstance(strict.fetch_rules("trail-logs"), Unasked)


RULES = """<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Rule><ID>old</ID><Prefix>old/</Prefix><Status>Enabled</Status>
  <Expiration><Date>2026-02-01T00:00:00Z</Date></Expiration></Rule>
<Rule><ID>tagged</ID><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>
  <Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>
<Rule><ID>both</ID><Filter><And><Prefix>p/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And>
  </Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>
<Rule><ID>sized</ID><Filter><And><Prefix>s/</Prefix>
  <ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></And></Filter>
  <Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>
<Rule><ID>markers</ID><Filter></Filter><Status>Enabled</Status>
  <Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>
<Rule><ID>moves</ID><Filter></Filter><Status>Enabled</Status>
  <Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>
</LifecycleConfiguration>"""


def test_only_rules_that_can_have_deleted_a_delivered_object_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with wire(lambda _: Answer(body=RULES.encode())) as server:
        for name, value in {
            "AWS_ENDPOINT_URL": server.endpoint,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }.items():
            monkeypatch.setenv(name, value)
        aws = AwsRecipe(attempts=1).open()
        assert Lifecycles(aws).fetch_rules("logs") == (
            ExpirationRule("old", "old/", None, datetime(2026, 2, 1, tzinfo=UTC)),
            ExpirationRule("sized", "s/", 3),
        )
