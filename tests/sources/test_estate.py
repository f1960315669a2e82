"""Regions and accounts: AWS's word where it is given, and the permission where it is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrity.aws.session import Aws
from integrity.chain.estate import Member, Organization, Region, Unasked
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.estate import Estate
from integrity.verify.ports import AccountSource, RegionSource
from tests.lab_aws import NOW

ORGANIZATION = "o-exampleorg1"


@pytest.fixture
def estate(aws: Aws) -> Estate:
    return Estate(aws, "us-east-1")


def test_it_is_what_verification_needs(estate: Estate) -> None:
    regions: RegionSource = estate
    accounts: AccountSource = estate
    assert (regions, accounts) == (estate, estate)


def test_every_region_is_told_with_what_it_takes(estate: Estate, world: World) -> None:
    world.regions |= {"eu-south-1": "opted-in", "me-south-1": "not-opted-in"}
    assert estate.list_regions() == (
        Region("us-east-1"),
        Region("eu-south-1", is_enabled=True, needs_opt_in=True),
        Region("me-south-1", is_enabled=False, needs_opt_in=True),
    )


def test_who_may_not_list_regions_is_told_the_permission(estate: Estate, lab: LabServer) -> None:
    lab.faults.append(Fault("deny", operation="DescribeRegions"))
    assert estate.list_regions() == Unasked(
        "ec2:DescribeRegions", "ec2:DescribeRegions in region us-east-1 is not allowed", denied=True
    )


def test_every_account_is_told_with_its_state(estate: Estate, world: World) -> None:
    world.add_trail(name="all", organization_id=ORGANIZATION)
    joined = NOW - timedelta(days=2)
    world.add_account("222233334444", joined_at=joined, status="SUSPENDED")
    organization = estate.list_accounts()
    assert isinstance(organization, Organization)
    assert organization.organization_id == ORGANIZATION
    assert [one.account_id for one in organization.members] == ["111122223333", "222233334444"]
    assert organization.members[1] == Member("222233334444", is_active=False, joined=joined)
    assert organization.members[0].is_active


@pytest.mark.parametrize("trouble", ["deny", "error"])
def test_who_may_not_list_accounts_is_told_the_permission(
    estate: Estate, world: World, lab: LabServer, trouble: str
) -> None:
    world.add_trail(name="all", organization_id=ORGANIZATION)
    lab.faults.append(Fault(trouble, operation="ListAccounts"))  # type: ignore[arg-type]
    refusal = estate.list_accounts()
    assert isinstance(refusal, Unasked)
    assert refusal.call == "organizations:ListAccounts"
    assert "organizations:ListAccounts on *" in refusal.detail
    assert refusal.denied is (trouble == "deny")


def test_an_account_of_no_organization_is_no_answer(estate: Estate) -> None:
    refusal = estate.list_accounts()
    assert isinstance(refusal, Unasked)
    assert "AWSOrganizationsNotInUseException" in refusal.detail
    assert not refusal.denied
