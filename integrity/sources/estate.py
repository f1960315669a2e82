"""The caller's regions and the accounts of its organization, as AWS lists them.

Both are witnesses of what a trail should cover, out of the reach of whoever owns the bucket. Who
may not ask gets a value that names the permission. What they prove is not decided here.
(AWS: EC2 API_DescribeRegions, Organizations API_ListAccounts.)
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from integrity.aws.refusal import REFUSALS, Call, Refusal, explain, is_denied
from integrity.aws.session import Aws
from integrity.chain.estate import Member, Organization, Region, Unasked


class Estate:
    """Asked through the trail's home region, which decides the partition."""

    def __init__(self, aws: Aws, home_region: str) -> None:
        self._aws, self._home = aws, home_region

    def list_regions(self) -> tuple[Region, ...] | Unasked:
        """Every region of the partition, also those that the caller's account has not enabled."""
        try:
            answer = self._aws.client("ec2", self._home).describe_regions(AllRegions=True)
        except REFUSALS as error:
            return _unasked(error, Call("ec2:DescribeRegions", f"in region {self._home}"))
        return tuple(_region(one) for one in answer["Regions"])

    def list_accounts(self) -> Organization | Unasked:
        """Every account of the organization; its id stands in each account's ARN."""
        call = Call("organizations:ListAccounts", "on *")
        client = self._aws.client("organizations", self._home)
        try:
            pages = client.get_paginator("list_accounts").paginate()
            accounts = [account for page in pages for account in page["Accounts"]]
        except REFUSALS as error:
            return _unasked(error, call)
        organizations = {_organization_id(account["Arn"]) for account in accounts}
        if len(organizations) != 1:
            said = f"the answer to {call} names no organization"
            return Unasked(call.permission, said, denied=False)
        return Organization(organizations.pop(), tuple(_member(account) for account in accounts))


def _unasked(error: Refusal, call: Call) -> Unasked:
    return Unasked(call.permission, explain(error, call), is_denied(error))


def _region(one: dict[str, Any]) -> Region:
    status = one.get("OptInStatus", "opt-in-not-required")
    return Region(
        one["RegionName"],
        is_enabled=status != "not-opted-in",
        needs_opt_in=status != "opt-in-not-required",
    )


def _organization_id(arn: str) -> str:
    """`arn:aws:organizations::MANAGEMENT:account/o-exampleorgid/ACCOUNT`."""
    return arn.rpartition(":")[2].split("/")[1]


def _member(account: dict[str, Any]) -> Member:
    # Status is to be retired in favour of State, and older answers have no State.
    state = account.get("State") or account["Status"]
    joined = account["JoinedTimestamp"].astimezone(UTC)
    return Member(account["Id"], state == "ACTIVE", joined)
