"""What no verdict needs, versions and Event history: tried, and where it is refused told."""

from __future__ import annotations

import pytest

from integrity.lab.faults import Fault
from tests.doctor.conftest import Clinic

LISTING, READING = "s3:ListBucketVersions", "s3:GetObjectVersion"


def test_a_bucket_without_versions_has_null_of_each_file(clinic: Clinic) -> None:
    found = clinic.examine()

    assert [one["outcome"] for one in found.checks[LISTING]] == ["ok", "ok"]
    assert all("version `null`" in one["said"] for one in found.checks[LISTING])
    said = [one["said"] for one in found.checks[READING]]
    assert ["digest file" in said[0], "log file" in said[1]] == [True, True]
    assert clinic.stage.server.requests.by_operation["GetObjectVersion"] == 2


@pytest.mark.slow
def test_a_version_is_read_by_its_id(clinic: Clinic) -> None:
    world = clinic.stage.world
    world.objects.enable_versioning("trail-logs")
    for address, stored in list(world.objects.items()):
        world.objects[address] = stored

    found = clinic.examine()

    assert {one["said"] for one in found.checks[LISTING]} == {"its versions can be found"}
    assert {one["outcome"] for one in found.checks[READING]} == {"ok"}


@pytest.mark.slow
def test_of_a_file_that_has_no_version_null_s3_says_so_only_to_who_may_read(
    clinic: Clinic,
) -> None:
    world = clinic.stage.world
    world.objects.versioned.add("trail-logs")
    for address, stored in list(world.objects.items()):
        world.objects[address] = stored
    clinic.stage.server.faults.append(Fault("deny", operation="ListObjectVersions"))

    found = clinic.examine()

    assert (found.status, found.bad()) == (0, set())
    assert {one["outcome"] for one in found.checks[LISTING]} == {"skipped"}
    assert {one["outcome"] for one in found.checks[READING]} == {"ok"}
    assert "no such version" in found.checks[READING][0]["said"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "action", "resource"),
    [
        ("LookupEvents", "cloudtrail:LookupEvents", "*"),
        ("ListObjectVersions", LISTING, "arn:aws:s3:::trail-logs"),
        ("GetObjectVersion", READING, "arn:aws:s3:::trail-logs/AWSLogs/*"),
    ],
)
def test_what_may_be_missing_is_named_and_fails_nothing(
    clinic: Clinic, operation: str, action: str, resource: str
) -> None:
    clinic.stage.server.faults.append(Fault("deny", operation=operation))

    found = clinic.examine()

    assert (found.status, found.document["missing_policies"]) == (0, {})
    said = found.checks[action][0]
    assert (said["outcome"], said["fault"]) == ("skipped", None)
    assert said["missing_statement"] == {
        "Effect": "Allow",
        "Action": [action],
        "Resource": [resource],
    }
    assert "findings are not explained" in said["todo"]


@pytest.mark.slow
def test_before_the_first_file_no_version_is_tried(clinic: Clinic) -> None:
    for address in list(clinic.stage.world.objects):
        del clinic.stage.world.objects[address]

    found = clinic.examine()

    assert found.status == 0
    for action in (LISTING, READING):
        assert "no file yet" in found.one(action)["said"]
