"""A trail's status: AWS's word where it is given, and a reason where it is not."""

from __future__ import annotations

import pytest

from integrity.aws.session import Aws
from integrity.chain.model import StatusUnavailable, TrailStatus
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.claimed import claimed_trail
from integrity.sources.trail_status import TrailStatuses
from integrity.verify.ports import StatusSource
from tests.lab_aws import NOW

MAIN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"


@pytest.fixture
def statuses(aws: Aws) -> TrailStatuses:
    return TrailStatuses(aws, claimed_trail(MAIN, "trail-logs"), NOW)


def test_it_is_what_verification_needs(statuses: TrailStatuses) -> None:
    port: StatusSource = statuses
    assert port is statuses


def test_says_what_cloudtrail_says_in_that_region(statuses: TrailStatuses, world: World) -> None:
    told = world.status(world.trails[0], "eu-west-1")
    told.start_logging_time = NOW
    told.latest_digest_delivery_time = NOW
    told.latest_digest_delivery_error = "AccessDenied"
    told.is_logging = False
    assert statuses.fetch_status("eu-west-1") == TrailStatus(
        region="eu-west-1",
        asked_at=NOW,
        is_logging=False,
        latest_digest_delivery=NOW,
        latest_digest_error="AccessDenied",
        started=NOW,
        stopped=None,
    )


def test_a_trail_that_is_not_seen_there_is_told_apart(aws: Aws) -> None:
    gone = claimed_trail(MAIN.replace("main", "gone"), "gone-logs")
    unavailable = TrailStatuses(aws, gone, NOW).fetch_status("us-east-1")
    assert isinstance(unavailable, StatusUnavailable)
    assert unavailable.not_found
    assert "TrailNotFoundException" in unavailable.detail


def test_who_may_not_ask_is_told_the_permission(statuses: TrailStatuses, lab: LabServer) -> None:
    lab.faults.append(Fault("deny"))
    assert statuses.fetch_status("eu-west-1") == StatusUnavailable(
        "eu-west-1",
        f"cloudtrail:GetTrailStatus on {MAIN} in region eu-west-1 is not allowed",
        denied=True,
    )


def test_a_region_that_is_not_enabled_is_unavailable_at_once(
    statuses: TrailStatuses, world: World, lab: LabServer
) -> None:
    world.regions["me-south-1"] = "not-opted-in"
    unavailable = statuses.fetch_status("me-south-1")
    assert isinstance(unavailable, StatusUnavailable)
    assert "the region is not enabled" in unavailable.detail
    assert not unavailable.not_found
    assert lab.requests.by_region["GetTrailStatus", "me-south-1"] == 1


def test_what_is_no_region_is_asked_nowhere(statuses: TrailStatuses, lab: LabServer) -> None:
    unavailable = statuses.fetch_status("evil.example/")
    assert unavailable == StatusUnavailable(
        "evil.example/", "'evil.example/' is not a region's name"
    )
    assert lab.requests.total == 0
