"""The templates as they are written, and as CloudFormation fills them in.

moto keeps an `AWS::NoValue` in a list as null, where CloudFormation leaves the item out; so
conditions are settled here before moto sees a template. References are left as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "deploy" / "service.yaml"
AUDITED = ROOT / "deploy" / "audited-account.yaml"
EXAMPLES = tuple(
    ROOT / "deploy" / f"{name}.yaml"
    for name in ("user-watch", "login-archive", "tattletail", "login-ledger")
)
"""The examples of docs/rules.md, each alone."""
NEW_TRAIL = ROOT / "deploy" / "trail.yaml"
TEMPLATES = (SERVICE, AUDITED, NEW_TRAIL, *EXAMPLES)

TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
REQUIRED = {
    "TrailArn": TRAIL,
    "TrailBucket": "audit-logs",
    "SecurityEmail": "security@example.com",
    "Image": "registry.example.com/integrity@sha256:" + 64 * "0",
    "Subnets": "subnet-00000001",
    "SecurityGroups": "sg-00000001",
}
OPERATIONS = {"OperationsEmail": "operations@example.com"}
EXTRA_TOPIC = {"ExtraAlarmTopicArn": "arn:aws:sns:us-east-1:777788889999:pager"}
KEYS = {
    "TrailKmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/trail",
    "RecordsKmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/records",
    "RecordsSigningKeyArn": "arn:aws:kms:us-east-1:111122223333:key/signing",
    "LogKmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/logs",
}
ORGANIZATION = {"OrganizationId": "o-exampleorgid"}
ROLES = {
    "TrailRoleArn": "arn:aws:iam::444455556666:role/integrity-audited",
    "BucketRoleArn": "arn:aws:iam::777788889999:role/integrity-audited",
    "ExternalIdSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:external-AbCdEf",
}
REPOSITORY = {"ImageRepositoryArn": "arn:aws:ecr:us-east-1:123456789012:repository/integrity"}

_NO_VALUE = {"Ref": "AWS::NoValue"}

Template = dict[str, Any]


def read(path: Path) -> Template:
    """A template as plain values, its short forms written out."""
    plain: Template = json.loads(json.dumps(load(str(path))))
    return plain


def fill(path: Path, given: Mapping[str, str]) -> Template:
    """A template for these parameters: without conditions, and without what they leave out."""
    template = read(path)
    defaults = {
        name: str(about["Default"])
        for name, about in template["Parameters"].items()
        if "Default" in about
    }
    values = {**defaults, **given}
    conditions = template.pop("Conditions", {})
    template.pop("Rules", None)
    settled = _Settled(conditions, values)
    for section in ("Resources", "Outputs"):
        template[section] = {
            name: settled.chosen({key: part for key, part in about.items() if key != "Condition"})
            for name, about in template[section].items()
            if "Condition" not in about or settled.holds({"Condition": about["Condition"]})
        }
    return template


class _Settled:
    def __init__(self, conditions: Mapping[str, Any], values: Mapping[str, str]) -> None:
        self._conditions, self._values = conditions, values

    def holds(self, condition: Any) -> bool:
        [(function, about)] = condition.items()
        if function == "Condition":
            return self.holds(self._conditions[about])
        if function == "Fn::Not":
            return not self.holds(about[0])
        if function == "Fn::And":
            return all(self.holds(one) for one in about)
        if function == "Fn::Or":
            return any(self.holds(one) for one in about)
        assert function == "Fn::Equals"
        left, right = (self._values[one["Ref"]] if isinstance(one, dict) else one for one in about)
        return str(left) == str(right)

    def chosen(self, value: Any) -> Any:
        if isinstance(value, dict):
            if "Fn::If" in value:
                name, yes, no = value["Fn::If"]
                return self.chosen(yes if self.holds({"Condition": name}) else no)
            parts = {key: self.chosen(part) for key, part in value.items()}
            return {key: part for key, part in parts.items() if part != _NO_VALUE}
        if isinstance(value, list):
            parts_of_list = [self.chosen(part) for part in value]
            return [part for part in parts_of_list if part != _NO_VALUE]
        return value


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by their names."""
    return {
        name: about["Properties"]
        for name, about in template["Resources"].items()
        if about["Type"] == kind
    }


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows an identity something, with its resource's name."""
    for name, policy in of_type(template, "AWS::IAM::Policy").items():
        yield from ((name, one) for one in policy["PolicyDocument"]["Statement"])
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            yield from ((name, one) for one in policy["PolicyDocument"]["Statement"])


def listed(value: str | list[str]) -> list[str]:
    """One or many, as policies write them."""
    return [value] if isinstance(value, str) else value
