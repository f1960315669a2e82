"""Which trails a copy holds, told from names that anybody can have made up."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from integrity.chain.model import S3Location, TimeWindow
from integrity.errors import UsageError
from integrity.sources.copied_trails import choose, find_trails

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OWNER, MEMBER, ORGANIZATION = "111122223333", "222233334444", "o-exampleorgid"


def digest(
    end: str, *, name: str = "main", account: str = OWNER, root: str = "", home: str = "us-east-1"
) -> S3Location:
    day = f"{end[:4]}/{end[4:6]}/{end[6:8]}"
    file = f"{account}_CloudTrail-Digest_eu-west-1_{name}_{home}_{end}.json.gz"
    key = f"AWSLogs/{root}{account}/CloudTrail-Digest/eu-west-1/{day}/{file}"
    return S3Location("logs", key)


FIRST, LAST = "20260301T010000Z", "20260302T030000Z"
WINDOW = TimeWindow(datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 3, 2, 3, tzinfo=UTC))


def test_a_trail_is_found_with_the_time_that_was_copied() -> None:
    places = [digest(LAST), digest(FIRST), S3Location("logs", "AWSLogs/junk")]
    places += [digest("99991231T000000Z"), digest("20120101T000000Z")]
    ((trail, window),) = choose(find_trails(places, NOW), None)
    assert trail.arn == f"arn:aws:cloudtrail:us-east-1:{OWNER}:trail/main"
    assert (trail.bucket, trail.looked_up, window) == ("logs", False, WINDOW)


@pytest.mark.parametrize(
    ("home", "partition"),
    [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-isob-east-1", "aws-iso-b")],
)
def test_the_partition_is_that_of_the_home_region(home: str, partition: str) -> None:
    ((trail, _),) = choose(find_trails([digest(FIRST, home=home)], NOW), "main")
    assert trail.arn.startswith(f"arn:{partition}:cloudtrail:{home}:")


def test_two_trails_are_two_records_and_one_can_be_named() -> None:
    found = find_trails([digest(FIRST), digest(FIRST, name="other"), digest(LAST)], NOW)
    assert [trail.name for trail, _ in choose(found, None)] == ["main", "other"]
    assert [trail.name for trail, _ in choose(found, "other")] == ["other"]
    with pytest.raises(UsageError, match=r"no digest file of a trail none; it holds: main \(home"):
        choose(found, "none")
    with pytest.raises(UsageError, match="look at --copy and --original"):
        choose((), None)


def test_an_organizations_trail_has_to_be_named() -> None:
    root = f"{ORGANIZATION}/"
    found = find_trails([digest(FIRST, account=MEMBER, root=root)], NOW)
    with pytest.raises(
        UsageError, match=re.escape("organization s3://logs/AWSLogs/o-exampleorgid")
    ):
        choose(found, None)
    arn = f"arn:aws:cloudtrail:us-east-1:{OWNER}:trail/main"
    ((trail, _),) = choose(found, arn)
    assert (trail.arn, trail.organization_id, trail.is_organization) == (arn, ORGANIZATION, True)


def test_a_trail_that_moved_to_its_organization_is_one() -> None:
    places = [digest(FIRST), digest(LAST, root=f"{ORGANIZATION}/")]
    ((trail, window),) = choose(find_trails(places, NOW), None)
    assert (trail.account_id, trail.organization_id, window) == (OWNER, ORGANIZATION, WINDOW)


def test_another_accounts_trail_of_the_same_name_is_another() -> None:
    places = [digest(FIRST), digest(LAST, account=MEMBER)]
    assert len(choose(find_trails(places, NOW), None)) == 2
    arn = f"arn:aws:cloudtrail:us-east-1:{OWNER}:trail/main"
    ((_, window),) = choose(find_trails(places, NOW), arn)
    assert window.end == WINDOW.start
