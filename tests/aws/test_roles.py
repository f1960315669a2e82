"""Roles: assumed when first needed, renewed before they end, and clear about what is missing."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from integrity.aws.roles import Role
from integrity.aws.session import AwsRecipe
from integrity.errors import AccessError, UsageError
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer

ARN = "arn:aws:iam::444455556666:role/path/integrity"
SECRET = "of-a-friend"

Open = Callable[[Role], object]


def recipe(role: Role) -> AwsRecipe:
    return AwsRecipe(role=role, attempts=2, first_wait=0.01, connect_timeout=1, read_timeout=2)


def test_a_role_travels_and_does_not_show_its_external_id() -> None:
    role = Role(arn=ARN, external_id=SECRET)
    assert pickle.loads(pickle.dumps(recipe(role))) == recipe(role)
    assert SECRET not in repr(recipe(role))


@pytest.mark.parametrize("external_id", [None, SECRET])
def test_a_role_is_assumed_with_what_its_trust_policy_asks_for(
    lab: LabServer, external_id: str | None
) -> None:
    lab.roles.add(ARN, external_id=external_id)
    aws = recipe(Role(arn=ARN, external_id=external_id)).open()
    caller = aws.caller()
    assert caller is not None
    assert caller.account_id == "444455556666"
    assert len(lab.roles.issued) == 1
    assert lab.requests.by_region["AssumeRole", "us-east-1"] == 1


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (None, "to ask for no external id, since none was given"),
        ("of-a-stranger", "and the external id that was given"),
    ],
)
def test_a_wrong_external_id_names_the_role_and_never_the_id(
    lab: LabServer, given: str | None, advice: str
) -> None:
    lab.roles.add(ARN, external_id=SECRET)
    with pytest.raises(UsageError) as refused:
        recipe(Role(arn=ARN, external_id=given)).open()
    said = str(refused.value)
    assert said.startswith(f"sts:AssumeRole on {ARN} is not allowed")
    assert "trust policy" in said
    assert said.endswith(advice)
    assert "stranger" not in said
    assert SECRET not in said


def test_a_role_that_nobody_has_made_is_refused(lab: LabServer) -> None:
    assert lab.endpoint
    with pytest.raises(UsageError, match=f"sts:AssumeRole on {ARN} is not allowed"):
        recipe(Role(arn=ARN)).open()


@pytest.mark.parametrize("trouble", ["throttle", "error"])
def test_an_sts_in_trouble_may_answer_later(lab: LabServer, trouble: str) -> None:
    lab.roles.add(ARN)
    lab.faults.append(Fault(trouble, operation="AssumeRole"))  # type: ignore[arg-type]
    with pytest.raises(AccessError, match=f"sts:AssumeRole on {ARN}"):
        recipe(Role(arn=ARN)).open()


@pytest.mark.usefixtures("bare_environment")
def test_nobody_cannot_assume_a_role() -> None:
    with pytest.raises(UsageError, match="no AWS credentials were found"):
        recipe(Role(arn=ARN)).open()


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        ("arn:aws:iam::444455556666:role/r", "us-east-1"),
        ("arn:aws-cn:iam::444455556666:role/r", "cn-north-1"),
        ("arn:aws-us-gov:iam::444455556666:role/r", "us-gov-west-1"),
    ],
)
def test_sts_is_asked_in_the_roles_own_partition(
    lab: LabServer, monkeypatch: pytest.MonkeyPatch, arn: str, region: str
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    lab.roles.add(arn)
    recipe(Role(arn=arn)).open()
    assert lab.requests.by_region["AssumeRole", region] == 1


def test_credentials_are_renewed_before_they_end(lab: LabServer) -> None:
    lab.roles.add(ARN, seconds=300)  # botocore asks for others a quarter of an hour before
    aws = recipe(Role(arn=ARN)).open()
    for _ in range(2):
        assert aws.caller() is not None
    assert len(lab.roles.issued) > 1


def test_credentials_that_were_ended_early_are_asked_for_again(lab: LabServer) -> None:
    lab.roles.add(ARN)
    aws = recipe(Role(arn=ARN)).open()
    lab.faults.append(Fault("expire", access_key=lab.roles.issued[0]))
    assert aws.renew(0)
    assert aws.generation == 1
    assert aws.caller() is not None
    assert len(lab.roles.issued) == 2
