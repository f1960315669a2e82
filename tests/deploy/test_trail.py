"""The template for who has no trail yet: what stands there, and that CloudTrail may write there.

moto makes no trails from templates and keeps no bucket policies of theirs: the policy is taken out
of the template, filled, and moto's own evaluation is asked of every file that a trail of the lab
writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from integrity.cli import main
from integrity.config.model import TrailTable
from integrity.lab.server import serve
from integrity.lab.world import World
from tests.deploy.stack import ACCOUNT, Stack, deployed
from tests.deploy.template import KEYS, NEW_TRAIL, SERVICE, fill, listed, of_type, read
from tests.doctor.conftest import Clinic
from tests.service.stage import START, Stage

ORGANIZATION, MEMBER = "o-exampleorg1", "222233334444"
TRAIL_ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
NOT_IN_MOTO = {"AWS::S3::BucketPolicy", "AWS::CloudTrail::Trail"}

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed({"LogRetentionDays": "400"}, "trail", path=NEW_TRAIL) as made:
        yield made


def properties(kind: str, **given: str) -> dict[str, Any]:
    [only] = of_type(fill(NEW_TRAIL, given), kind).values()
    return only


def test_it_deploys_and_says_what_the_service_asks_for(stack: Stack) -> None:
    assert (stack.status, stack.passed_over) == ("CREATE_COMPLETE", NOT_IN_MOTO)
    asked = set(read(SERVICE)["Parameters"])
    assert {"TrailArn", "TrailBucket", "TrailPrefix"} <= asked & set(stack.outputs)
    assert stack.outputs["TrailArn"] == TRAIL_ARN
    [group] = stack.client("logs").describe_log_groups()["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/cloudtrail/main", 400)
    [bucket] = stack.client("s3").list_buckets()["Buckets"]
    assert stack.outputs["TrailBucket"] == bucket["Name"]


def test_the_trail_is_of_all_regions_and_signs() -> None:
    trail = properties("AWS::CloudTrail::Trail")

    for switch in ("EnableLogFileValidation", "IsMultiRegionTrail", "IsLogging"):
        assert trail[switch] is True
    assert trail["IncludeGlobalServiceEvents"] is True
    assert fill(NEW_TRAIL, {})["Resources"]["Trail"]["DependsOn"] == "FilesPolicy"
    assert "IsOrganizationTrail" not in trail
    organized = properties("AWS::CloudTrail::Trail", OrganizationId=ORGANIZATION)
    assert organized["IsOrganizationTrail"] is True
    encrypted = properties("AWS::CloudTrail::Trail", KmsKeyArn=KEYS["TrailKmsKeyArn"])
    assert encrypted["KMSKeyId"] == {"Ref": "KmsKeyArn"}


def test_the_bucket_is_closed_keeps_versions_and_outlives_the_stack() -> None:
    about = fill(NEW_TRAIL, {})["Resources"]["Files"]
    bucket = about["Properties"]

    assert about["DeletionPolicy"] == about["UpdateReplacePolicy"] == "Retain"
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == 4 * [True]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert not {"ObjectLockEnabled", "ObjectLockConfiguration"} & set(bucket)
    locked = properties("AWS::S3::Bucket", LockDays="400")
    assert locked["ObjectLockEnabled"] is True
    assert locked["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {
        "Mode": {"Ref": "LockMode"},
        "Days": {"Ref": "LockDays"},
    }


def test_files_expire_when_it_is_said_and_are_never_archived() -> None:
    def rules(**given: str) -> dict[str, Any]:
        found = properties("AWS::S3::Bucket", **given)["LifecycleConfiguration"]["Rules"]
        return {one["Id"]: one for one in found}

    assert rules()["keep"]["ExpirationInDays"] == {"Ref": "KeepDays"}
    assert set(rules(KeepDays="0")) == {"deleted"}
    assert not any("Transition" in name for one in rules().values() for name in one)
    [keep, retention] = (
        read(path)["Parameters"][name]["Default"]
        for path, name in ((NEW_TRAIL, "KeepDays"), (SERVICE, "RetentionDays"))
    )
    assert keep >= retention
    assert keep >= TrailTable(trail_arn=TRAIL_ARN).retention_days


def test_without_days_there_is_no_log_group_and_no_role() -> None:
    template = fill(NEW_TRAIL, {"LogRetentionDays": "0"})

    assert of_type(template, "AWS::Logs::LogGroup") == of_type(template, "AWS::IAM::Role") == {}
    assert "CloudWatchLogsRoleArn" not in template["Resources"]["Trail"]["Properties"]


# Who may write


def policy(**given: str) -> list[dict[str, Any]]:
    """The bucket's policy with its references put in."""
    defaults = {
        name: str(about.get("Default", "")) for name, about in read(NEW_TRAIL)["Parameters"].items()
    }
    values = {
        **defaults,
        **given,
        "AWS::Partition": "aws",
        "AWS::Region": "us-east-1",
        "AWS::AccountId": ACCOUNT,
        "Files.Arn": "arn:aws:s3:::trail-logs",
    }
    document = properties("AWS::S3::BucketPolicy", **given)["PolicyDocument"]["Statement"]
    made: list[dict[str, Any]] = substituted(document, values)
    return made


def substituted(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [substituted(one, values) for one in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return values[value["Ref"]]
    if "Fn::GetAtt" in value:
        return values[".".join(value["Fn::GetAtt"])]
    if "Fn::Sub" in value:
        text, own = value["Fn::Sub"], {}
        if isinstance(text, list):
            text, own = text[0], substituted(text[1], values)
        return re.sub(r"\$\{([\w:.]+)\}", lambda match: {**values, **own}[match[1]], text)
    return {key: substituted(part, values) for key, part in value.items()}


def may_write(statements: list[dict[str, Any]], key: str, trail_arn: str = TRAIL_ARN) -> bool:
    """Whether CloudTrail may put that object for that trail."""
    conditions = {
        "aws:SourceArn": trail_arn,
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
    return any(
        IAMPolicy(json.dumps({"Statement": [allowing(one)]})).is_action_permitted(
            "s3:PutObject", f"arn:aws:s3:::trail-logs/{key}", incoming_condition_values=conditions
        )
        is PermissionResult.PERMITTED
        for one in statements
        if one["Effect"] == "Allow" and one["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    )


def allowing(statement: dict[str, Any]) -> dict[str, Any]:
    """For CloudTrail; moto's evaluation is of identities' policies, which have no principal."""
    return {name: part for name, part in statement.items() if name != "Principal"}


@pytest.mark.parametrize("prefix", ["", "audit/prod"])
@pytest.mark.parametrize("organization", ["", ORGANIZATION])
def test_all_that_a_trail_writes_may_be_written_and_nothing_of_others(
    prefix: str, organization: str
) -> None:
    world = World(seed=5)
    trail = world.add_trail(account_id=ACCOUNT, prefix=prefix, organization_id=organization or None)
    accounts = (ACCOUNT, MEMBER) if organization else (ACCOUNT,)
    for account in accounts:
        world.run_chain(trail, account_id=account, start=START, hours=2, logs_per_hour=1)
    statements = policy(TrailPrefix=prefix, OrganizationId=organization)

    keys = [key for bucket, key in world.objects if bucket == "trail-logs"]

    assert any("CloudTrail-Digest/" in key for key in keys)
    assert [key for key in keys if not may_write(statements, key)] == []
    assert not may_write(statements, keys[-1], TRAIL_ARN.replace("main", "another"))
    assert not may_write(statements, keys[-1].replace(ACCOUNT, "999900001111")) or organization
    assert not may_write(statements, "elsewhere/" + keys[-1])


def test_nobody_reads_in_the_clear() -> None:
    [denied] = [one for one in policy() if one["Effect"] == "Deny"]

    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert listed(denied["Resource"]) == ["arn:aws:s3:::trail-logs", "arn:aws:s3:::trail-logs/*"]


# With the rest


@pytest.mark.slow
def test_what_it_makes_is_verified_and_the_doctor_is_content(
    stack: Stack, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = properties("AWS::CloudTrail::Trail")
    world = World(seed=5, now=datetime(2026, 3, 1, 1, tzinfo=UTC))
    trail = world.add_trail(
        account_id=ACCOUNT,
        bucket=stack.outputs["TrailBucket"],
        prefix=stack.outputs["TrailPrefix"],
        multi_region=about["IsMultiRegionTrail"],
        validation=about["EnableLogFileValidation"],
    )
    world.run_chain(trail, start=START, hours=1)
    world.expire(trail.bucket, days=read(NEW_TRAIL)["Parameters"]["KeepDays"]["Default"])
    world.advance(datetime(2026, 3, 2, 6, 45, tzinfo=UTC))
    assert trail.arn == TRAIL_ARN
    with serve(world) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        clinic = Clinic(Stage(world, server, tmp_path), monkeypatch, capsys)
        clinic.stage.trail_settings = f'''
            s3_bucket = "{stack.outputs["TrailBucket"]}"
            retention_days = 400
        '''
        assert clinic.examine().status == 0
        day = ("--start-time", "2026-03-01", "--end-time", "2026-03-01")
        status = main(["verify", "--trail-arn", trail.arn, *day])
    assert status == 0
