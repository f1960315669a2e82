"""A template, deployed on moto's CloudFormation."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.deploy.template import REQUIRED, SERVICE, fill

REGION = "us-east-1"
ACCOUNT = "123456789012"

NOT_IN_MOTO = {
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
}
"""What moto passes over while it says CREATE_COMPLETE. LocalStack has the alarms."""


class Stack:
    """A stack that stands, for as long as its block lasts."""

    def __init__(self, name: str, passed_over: set[str]) -> None:
        self.name, self.passed_over = name, passed_over
        [described] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        self.status: str = described["StackStatus"]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def role(self, arn: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Whom a role trusts, and all that it is allowed."""
        iam, name = self.client("iam"), arn.rpartition("/")[2]
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        allowed: list[dict[str, Any]] = []
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            # A role's own policies moto keeps as Python writes them.
            whole = ast.literal_eval(document) if isinstance(document, str) else document
            allowed += whole["Statement"]
        return trust, allowed

    def roles(self) -> list[str]:
        """The ARNs of the stack's roles."""
        roles = self.client("iam").list_roles()["Roles"]
        return [one["Arn"] for one in roles if one["RoleName"].startswith(f"{self.name}-")]


@contextmanager
def deployed(
    given: Mapping[str, str], name: str = "integrity", *, path: Path = SERVICE
) -> Iterator[Stack]:
    """Deploy, and take everything away again with the last stack."""
    values = {**(REQUIRED if path == SERVICE else {}), **given}
    template = fill(path, values)
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            cloud = boto3.client("cloudformation", region_name=REGION)
            cloud.create_stack(
                StackName=name,
                TemplateBody=json.dumps(template),
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value} for key, value in values.items()
                ],
                Capabilities=["CAPABILITY_IAM"],
            )
        yield Stack(name, {str(one.message).split()[3] for one in told})
