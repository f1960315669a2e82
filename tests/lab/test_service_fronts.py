"""CloudTrail, STS, Organizations and EC2 of the lab through boto3."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integrity.lab.server import LabServer
from integrity.lab.world import Chain, World

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"


def test_keys_are_those_of_the_region_and_the_time(world: World, client: Any) -> None:
    world.run_chain(world.trails[0], region="eu-west-1", hours=1)
    ranged = {"StartTime": START, "EndTime": START + HOUR}
    for region in ("us-east-1", "eu-west-1"):
        (key,) = world.public_keys(region)
        (shown,) = client("cloudtrail", region=region).list_public_keys(**ranged)["PublicKeyList"]
        assert shown["Value"] == key.der
        assert shown["Fingerprint"] == key.fingerprint
        assert shown["ValidityStartTime"] == key.not_before
        assert shown["ValidityEndTime"] == key.not_after
    trail = client("cloudtrail")
    before = trail.list_public_keys(
        StartTime=START - 90 * 24 * HOUR, EndTime=START - 60 * 24 * HOUR
    )
    assert before["PublicKeyList"] == []
    assert trail.list_public_keys()["PublicKeyList"] == []  # none is valid at the world's now


def test_keys_come_in_pages(world: World, server: LabServer, client: Any) -> None:
    for hour in range(8, 11):
        world.rotate_key("us-east-1", at=START + hour * HOUR)
    server.cloudtrail.page_size = 2
    pages = list(
        client("cloudtrail")
        .get_paginator("list_public_keys")
        .paginate(StartTime=START, EndTime=START + 24 * HOUR)
    )
    assert [len(page["PublicKeyList"]) for page in pages] == [2, 2]
    shown = [key["Fingerprint"] for page in pages for key in page["PublicKeyList"]]
    assert shown == [key.fingerprint for key in world.public_keys("us-east-1")]


def test_bad_ranges_and_regions_are_refused(server: LabServer, client: Any) -> None:
    trail = client("cloudtrail")
    with pytest.raises(ClientError, match="InvalidTimeRangeException"):
        trail.list_public_keys(StartTime=START, EndTime=START - HOUR)
    tomorrow = server.world.now + timedelta(days=1)
    trail.list_public_keys(StartTime=START, EndTime=tomorrow)
    server.cloudtrail.future_limit = HOUR
    with pytest.raises(ClientError, match="InvalidTimeRangeException"):
        trail.list_public_keys(StartTime=START, EndTime=tomorrow)
    trail.list_public_keys(StartTime=START, EndTime=server.world.now + HOUR)
    server.cloudtrail.unsupported_regions.add("us-east-1")
    with pytest.raises(ClientError, match="UnsupportedOperationException"):
        trail.list_public_keys()
    server.world.regions["af-south-1"] = "not-opted-in"
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        client("cloudtrail", region="af-south-1").list_public_keys()


def test_other_keys_can_be_shown_than_the_regions_own(server: LabServer, client: Any) -> None:
    server.cloudtrail.keys_shown = lambda keys: [
        dataclasses.replace(key, fingerprint="0" * 32) for key in keys
    ]
    (shown,) = client("cloudtrail").list_public_keys(StartTime=START)["PublicKeyList"]
    assert shown["Fingerprint"] == "0" * 32


def test_status_is_told_by_region(world: World, chain: Chain, client: Any) -> None:
    world.run_chain(world.trails[0], region="eu-west-1", hours=2)
    here = client("cloudtrail").get_trail_status(Name=ARN)
    there = client("cloudtrail", region="eu-west-1").get_trail_status(Name=ARN)
    assert here["LatestDigestDeliveryTime"] == chain.backfills[0].last_modified
    assert there["LatestDigestDeliveryTime"] == START + timedelta(hours=2, minutes=30)
    assert here["LatestDeliveryTime"] == max(log.last_modified for log in chain.log_files)
    assert here["StartLoggingTime"] == START
    assert here["IsLogging"] is True
    assert "StopLoggingTime" not in here
    world.stop_chain(chain)
    stopped = client("cloudtrail").get_trail_status(Name="main")
    assert stopped["IsLogging"] is False
    assert stopped["StopLoggingTime"] == START + 8 * HOUR


def test_status_does_not_follow_what_happens_in_the_bucket(
    world: World, chain: Chain, client: Any
) -> None:
    for digest in chain.digests:
        del world.objects[digest.address]
    status = client("cloudtrail").get_trail_status(Name=ARN)
    assert status["LatestDigestDeliveryTime"] == chain.backfills[0].last_modified


def test_trails_are_shown_where_they_are(world: World, client: Any) -> None:
    world.add_trail(name="single", home_region="eu-west-1", bucket="s", multi_region=False)
    world.add_trail(name="other", account_id="444455556666", bucket="o")

    def described(region: str, **options: object) -> list[str]:
        trails = client("cloudtrail", region=region).describe_trails(**options)["trailList"]
        return [trail["Name"] for trail in trails]

    assert described("us-east-1") == ["main"]
    assert described("eu-west-1") == ["main", "single"]
    assert described("eu-west-1", includeShadowTrails=False) == ["single"]
    assert described("us-east-1", trailNameList=["main"]) == ["main"]
    listed = client("cloudtrail").list_trails()["Trails"]
    assert [(one["Name"], one["HomeRegion"]) for one in listed] == [
        ("main", "us-east-1"),
        ("single", "eu-west-1"),
    ]
    other = client("cloudtrail", account_id="444455556666")
    assert [one["Name"] for one in other.list_trails()["Trails"]] == ["other"]


def test_a_trail_is_found_by_arn_everywhere_and_by_name_at_home(world: World, client: Any) -> None:
    world.add_trail(
        name="single", home_region="eu-west-1", bucket="s", prefix="p", multi_region=False
    )
    shown = client("cloudtrail", region="eu-west-1").get_trail(Name="single")["Trail"]
    assert shown["S3BucketName"] == "s"
    assert shown["S3KeyPrefix"] == "p"
    assert shown["LogFileValidationEnabled"] is True
    assert shown["IsMultiRegionTrail"] is False
    assert client("cloudtrail", region="eu-west-1").get_trail(Name=ARN)["Trail"]["Name"] == "main"
    assert "S3KeyPrefix" not in client("cloudtrail").get_trail(Name="main")["Trail"]
    for region, name in (("eu-west-1", "main"), ("us-east-1", "single"), ("us-east-1", "none")):
        with pytest.raises(ClientError, match="TrailNotFoundException"):
            client("cloudtrail", region=region).get_trail(Name=name)
    world.trails[0].deleted = True
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        client("cloudtrail").get_trail_status(Name=ARN)


def test_events_of_trails_are_looked_up(world: World, chain: Chain, client: Any) -> None:
    stop = START + timedelta(hours=8, minutes=10)
    world.restart_chain(chain, stop=stop, start=stop + 2 * HOUR)
    pages = client("cloudtrail").get_paginator("lookup_events")
    named = [{"AttributeKey": "EventSource", "AttributeValue": "cloudtrail.amazonaws.com"}]
    found = [
        event
        for page in pages.paginate(LookupAttributes=named, PaginationConfig={"PageSize": 1})
        for event in page["Events"]
    ]
    assert [(event["EventName"], event["EventTime"]) for event in found] == [
        ("StartLogging", stop + 2 * HOUR),
        ("StopLogging", stop),
        ("StartLogging", START),
    ]
    assert json.loads(found[1]["CloudTrailEvent"])["eventName"] == "StopLogging"
    one = client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "StartLogging"}],
        StartTime=START + HOUR,
        EndTime=stop + 2 * HOUR,
    )
    assert len(one["Events"]) == 1
    assert client("cloudtrail", region="eu-west-1").lookup_events()["Events"] == []


@pytest.mark.parametrize(("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn")])
def test_the_caller_is_the_first_trails_account(client: Any, region: str, partition: str) -> None:
    caller = client("sts", region=region).get_caller_identity()
    assert caller["Account"] == "111122223333"
    assert caller["Arn"] == f"arn:{partition}:iam::111122223333:user/auditor"
    other = client("sts", account_id="444455556666").get_caller_identity()
    assert other["Account"] == "444455556666"


def test_regions_are_listed_with_their_opt_in(world: World, client: Any) -> None:
    world.regions["af-south-1"] = "not-opted-in"
    world.regions["ap-east-1"] = "opted-in"

    def shown(**options: object) -> dict[str, str]:
        regions = client("ec2").describe_regions(**options)["Regions"]
        return {region["RegionName"]: region["OptInStatus"] for region in regions}

    enabled = {"us-east-1": "opt-in-not-required", "ap-east-1": "opted-in"}
    assert shown() == enabled
    assert shown(AllRegions=True) == {**enabled, "af-south-1": "not-opted-in"}


def test_there_is_no_organization_unless_a_trail_has_one(client: Any) -> None:
    for call in ("describe_organization", "list_accounts"):
        with pytest.raises(ClientError, match="AWSOrganizationsNotInUseException"):
            getattr(client("organizations"), call)()


def test_an_organization_has_its_accounts(world: World, client: Any) -> None:
    trail = world.add_trail(name="org", bucket="org", organization_id="o-exampleorgid")
    world.add_account("444455556666", joined_at=START)
    world.add_account("777788889999", status="SUSPENDED")
    world.run_chain(trail, account_id="444455556666", hours=1)
    organization = client("organizations").describe_organization()["Organization"]
    assert (organization["Id"], organization["MasterAccountId"]) == (
        "o-exampleorgid",
        "111122223333",
    )
    accounts = client("organizations").list_accounts()["Accounts"]
    assert [(a["Id"], a["Status"]) for a in accounts] == [
        ("111122223333", "ACTIVE"),
        ("444455556666", "ACTIVE"),
        ("777788889999", "SUSPENDED"),
    ]
    assert accounts[1]["JoinedTimestamp"] == START
    with pytest.raises(ClientError, match="AccessDeniedException"):
        client("organizations", account_id="444455556666").list_accounts()
    # A member sees the organization's trail, and the status of its own log files.
    member = client("cloudtrail", account_id="444455556666")
    assert [one["Name"] for one in member.describe_trails()["trailList"]] == ["org"]
    status = member.get_trail_status(Name=trail.arn)
    assert status["LatestDigestDeliveryTime"] == START + timedelta(hours=1, minutes=30)


def test_everything_else_is_motos(server: LabServer, client: Any) -> None:
    topic = client("sns").create_topic(Name="alarms")["TopicArn"]
    assert [one["TopicArn"] for one in client("sns").list_topics()["Topics"]] == [topic]
    assert server.requests.by_operation["CreateTopic"] == 1
    table = client("dynamodb").list_tables()
    assert table["TableNames"] == []


def test_a_role_wants_its_external_id_and_is_of_its_own_account(
    server: LabServer, client: Any
) -> None:
    arn = "arn:aws:iam::444455556666:role/audit"
    server.roles.add(arn, external_id="one")
    asked = {"RoleArn": arn, "RoleSessionName": "me"}
    for wrong in ({}, {"ExternalId": "two"}):
        with pytest.raises(ClientError, match=r"\(AccessDenied\).*sts:AssumeRole on resource"):
            client("sts").assume_role(**asked, **wrong)
    answer = client("sts").assume_role(**asked, ExternalId="one")
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::444455556666:assumed-role/audit/me"
    key = answer["Credentials"]["AccessKeyId"]
    assert server.roles.issued == [key]
    assert (server.roles.role_of(key), server.roles.account_of(key)) == (arn, "444455556666")
    assert server.roles.account_of("AKIAEXAMPLE") == ""
