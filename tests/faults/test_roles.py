"""Two accounts, a role in each: who asks what, and what happens when a session ends in mid-run."""

from __future__ import annotations

import pickle
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from integrity.aws.roles import Role
from integrity.chain.findings import Outcome
from integrity.chain.model import KeysUnavailable, TimeWindow
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.structs import replace
from integrity.wiring import Access, Connection, SourcesRecipe, connect
from tests.faults.conftest import Verify

TRAIL = "arn:aws:iam::111122223333:role/trail"
BUCKET = "arn:aws:iam::777788889999:role/bucket"


@dataclass
class AsRoles:
    """The real wiring, with the roles that a configuration would name."""

    role: Role | None = None
    bucket_role: Role | None = None

    def connect(self, access: Access, *, now: datetime) -> Connection:
        return connect(replace(access, role=self.role, bucket_role=self.bucket_role), now=now)


@pytest.fixture
def asked(lab: LabServer) -> dict[str, set[str]]:
    """Of each service, the roles as which it was asked; "" is the caller itself."""
    lab.roles.add(TRAIL, external_id="one")
    lab.roles.add(BUCKET, external_id="two")
    seen: dict[str, set[str]] = defaultdict(set)
    real = lab.answer

    def answer(request: object) -> object:
        seen[request.service].add(lab.roles.role_of(request.access_key))  # type: ignore[attr-defined]
        return real(request)  # type: ignore[arg-type]

    lab.answer = answer  # type: ignore[method-assign, assignment]
    return seen


def both() -> AsRoles:
    return AsRoles(Role(arn=TRAIL, external_id="one"), Role(arn=BUCKET, external_id="two"))


def test_the_bucket_is_read_as_one_role_and_all_else_asked_as_the_other(
    verify: Verify, asked: dict[str, set[str]]
) -> None:
    status, run = verify(quick=both())
    assert (status, run.outcome) == (0, Outcome.VALID)
    assert asked["s3"] == {BUCKET}
    assert asked["cloudtrail"] == {TRAIL}
    assert asked["ec2"] == {TRAIL}
    assert asked["sts"] == {"", TRAIL}


def test_without_a_role_for_the_bucket_it_is_read_as_the_trails(
    verify: Verify, lab: LabServer, asked: dict[str, set[str]]
) -> None:
    assert verify(quick=AsRoles(Role(arn=TRAIL, external_id="one")))[0] == 0
    assert asked["s3"] == asked["cloudtrail"] == {TRAIL}
    assert len(lab.roles.issued) == 1


def test_a_bucket_role_alone_leaves_the_rest_to_the_caller(
    verify: Verify, asked: dict[str, set[str]]
) -> None:
    assert verify(quick=AsRoles(None, Role(arn=BUCKET, external_id="two")))[0] == 0
    assert asked["s3"] == {BUCKET}
    assert asked["cloudtrail"] == {""}


@pytest.mark.parametrize(("operation", "number"), [("ListObjectsV2", 3), ("GetObject", 9)])
def test_a_session_that_ends_in_mid_run_is_renewed(
    verify: Verify, lab: LabServer, asked: dict[str, set[str]], operation: str, number: int
) -> None:
    real = lab.answer
    seen = 0

    def answer(request: object) -> object:
        nonlocal seen
        seen += lab._operation(request, *request.bucket_and_key) == operation  # type: ignore[attr-defined, arg-type]
        if seen == number and not lab.faults:
            lab.faults += [Fault("expire", access_key=key) for key in lab.roles.issued]
        return real(request)  # type: ignore[arg-type]

    lab.answer = answer  # type: ignore[method-assign, assignment]
    status, run = verify(quick=both())
    assert (status, run.findings) == (0, ())
    assert sum(fault.seen for fault in lab.faults) > 0
    assert len(lab.roles.issued) > 2
    assert asked["s3"] == {BUCKET}


def test_a_session_that_cannot_be_renewed_is_told_and_no_tampering(
    verify: Verify, lab: LabServer, asked: dict[str, set[str]]
) -> None:
    """botocore wants other credentials at each use, and after the first ones STS refuses."""
    lab.roles.add(BUCKET, external_id="two", seconds=300)
    lab.faults.append(Fault("deny", operation="AssumeRole", first=4))
    status, run = verify(quick=both())
    assert (status, run.outcome) == (3, Outcome.UNDETERMINED)
    assert {finding.outcome for finding in run.findings} == {Outcome.UNDETERMINED}
    assert any(f"sts:AssumeRole on {BUCKET}" in finding.detail for finding in run.findings)
    assert asked["cloudtrail"] == {TRAIL}


def test_another_process_assumes_them_itself(lab: LabServer, asked: dict[str, set[str]]) -> None:
    access = Access(role=both().role, bucket_role=both().bucket_role)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    recipe = pickle.loads(pickle.dumps(SourcesRecipe(access, now)))
    objects, keys, _ = recipe.open([0])
    assert lab.roles.issued
    bucket = lab.world.trails[0].bucket
    assert isinstance(objects.list_folders(bucket, ""), tuple)
    assert not isinstance(keys.fetch_keys("us-east-1", TimeWindow(now, now)), KeysUnavailable)
    assert asked["s3"] == {BUCKET}
    assert asked["cloudtrail"] == {TRAIL}
