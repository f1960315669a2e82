"""The lab's AWS for a caller with a policy: what it does not allow is refused, and noted.

moto's own evaluation of policies decides; it stands before the lab, for moto never sees what the
lab answers. Conditions are judged by what is handed in here, which is what AWS would know.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from moto.iam.access_control import IAMPolicy, PermissionResult

from integrity.lab.server import LabServer
from integrity.lab.wire import Request, Response, error_for
from integrity.lab.world import World

_S3 = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadObject": "GetObject",
    "HeadObjectVersion": "GetObjectVersion",
    "ListObjectVersions": "ListBucketVersions",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
}
_OF_KEYS = {
    "GetObject": "kms:Decrypt",
    "GetObjectVersion": "kms:Decrypt",
    "PutObject": "kms:GenerateDataKey",
}
_SERVICES = {"monitoring": "cloudwatch"}
_DENIED = {
    "ec2": "UnauthorizedOperation",
    "sns": "AuthorizationError",
    "s3": "AccessDenied",
    "monitoring": "AccessDenied",
}

Action = tuple[str, str]


class GuardedLab(LabServer):
    """A lab that asks `statements` first. `asked` and `denied` have (action, resource).

    `role_statements` are those of sessions of a role; `keys` the KMS keys that objects of buckets
    are encrypted with.
    """

    def __init__(self, world: World, statements: Sequence[dict[str, Any]]) -> None:
        super().__init__(world)
        self.statements: Sequence[dict[str, Any]] | None = statements
        self.role_statements: dict[str, Sequence[dict[str, Any]]] = {}
        self.keys: dict[str, str] = {}
        self.asked: set[Action] = set()
        self.denied: set[Action] = set()

    def __enter__(self) -> GuardedLab:
        super().__enter__()
        return self

    def _answer(self, operation: str, request: Request, bucket: str, key: str) -> Response | None:
        if self.statements is not None and operation != "GetCallerIdentity":
            role = self.roles.role_of(request.access_key)
            statements = self.role_statements.get(role, self.statements)
            wanted = [*_asked(operation, request, bucket, key)]
            wanted += _of_key(operation, self.keys.get(bucket))
            for asked in wanted:
                self.asked.add(asked)
                if not _permitted(statements, asked, _conditions(request)):
                    self.denied.add(asked)
                    code = _DENIED.get(request.service, "AccessDeniedException")
                    said = (
                        f"User: lab is not authorized to perform: {asked[0]} on resource: "
                        f"{asked[1]} because no identity-based policy allows the {asked[0]} action"
                    )
                    return error_for(request.service, 403, code, said)
        return self._allowed(operation, request, bucket, key)

    def _allowed(self, operation: str, request: Request, bucket: str, key: str) -> Response | None:
        """The answer to what is allowed."""
        return super()._answer(operation, request, bucket, key)


def _of_key(operation: str, key_arn: str | None) -> list[Action]:
    """What S3 asks of KMS for its caller. (AWS: Permissions for SSE-KMS.)"""
    asked = _OF_KEYS.get(operation)
    return [(asked, key_arn)] if asked and key_arn else []


def _permitted(
    statements: Sequence[dict[str, Any]], asked: Action, conditions: dict[str, str]
) -> bool:
    # One at a time: moto takes a condition that does not hold for a denial of the whole policy.
    action, resource = asked
    return any(
        IAMPolicy(json.dumps({"Statement": [statement]})).is_action_permitted(
            action, resource, incoming_condition_values=conditions
        )
        is PermissionResult.PERMITTED
        for statement in statements
        if statement["Effect"] == "Allow"
    )


def _conditions(request: Request) -> dict[str, str]:
    if request.service == "s3":
        return {"kms:ViaService": f"s3.{request.region}.amazonaws.com"}
    if request.service != "monitoring":
        return {}
    return {"cloudwatch:namespace": str(json.loads(request.body).get("Namespace", ""))}


def _asked(operation: str, request: Request, bucket: str, key: str) -> list[Action]:
    """What IAM is asked for a request: the action and the resource."""
    if request.service in ("s3", ""):
        path = f"{bucket}/{key}" if key else bucket
        return [(f"s3:{_S3.get(operation, operation)}", f"arn:aws:s3:::{path}")]
    service = _SERVICES.get(request.service, request.service)
    if service == "dynamodb":
        return _of_table(operation, request)
    return [(f"{service}:{operation}", _resource(service, operation, request))]


def _of_table(operation: str, request: Request) -> list[Action]:
    asked = json.loads(request.body)
    if operation != "TransactWriteItems":
        return [(f"dynamodb:{operation}", _table(asked, request))]
    return [
        (f"dynamodb:{kind}Item", _table(about, request))
        for item in asked["TransactItems"]
        for kind, about in item.items()
    ]


def _table(about: dict[str, Any], request: Request) -> str:
    return f"arn:aws:dynamodb:{request.region}:123456789012:table/{about['TableName']}"


def _resource(service: str, operation: str, request: Request) -> str:
    """What the Service Authorization Reference names; `*` for actions without a resource type."""
    if service == "sns":
        return parse_qs(request.body.decode())["TopicArn"][0]
    if operation == "DescribeAlarmHistory":
        name = json.loads(request.body)["AlarmName"]
        return f"arn:aws:cloudwatch:{request.region}:123456789012:alarm:{name}"
    if service == "sts":
        return parse_qs(request.body.decode())["RoleArn"][0]
    if service == "cloudtrail" and operation in ("GetTrail", "GetTrailStatus"):
        return str(json.loads(request.body)["Name"])
    if service == "kms":
        return str(json.loads(request.body)["KeyId"])
    return "*"
