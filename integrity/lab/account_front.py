"""Who the caller is and what its organization and regions are: STS, Organizations, EC2.

Source: AWS: STS API_GetCallerIdentity, Organizations API_DescribeOrganization and
API_ListAccounts, EC2 API_DescribeRegions.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from integrity.lab.naming import partition_of
from integrity.lab.wire import (
    REQUEST_ID,
    Request,
    Response,
    json_error,
    json_response,
    xml_response,
)
from integrity.lab.world import World

_NOT_IN_USE = "Your account is not a member of an organization."


class AccountFront:
    """Answers from a world what does not depend on a trail."""

    OPERATIONS = frozenset(
        {"GetCallerIdentity", "DescribeOrganization", "ListAccounts", "DescribeRegions"}
    )

    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, operation: str, request: Request, account_id: str) -> Response:
        """The answer to one of `OPERATIONS`."""
        partition = partition_of(request.region)
        if operation == "GetCallerIdentity":
            return xml_response(
                '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
                f"<GetCallerIdentityResult><Arn>arn:{partition}:iam::{account_id}:user/auditor</Arn>"
                f"<UserId>AIDAAUDITORAAAAAAAAAA</UserId><Account>{account_id}</Account>"
                f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId>"
                "</ResponseMetadata></GetCallerIdentityResponse>"
            )
        if operation == "DescribeRegions":
            return self._describe_regions(parse_qs(request.body.decode()))
        organization = self.world.organization
        if organization is None or account_id not in self.world.accounts:
            return json_error("AWSOrganizationsNotInUseException", _NOT_IN_USE)
        management = organization.management_account_id
        root = f"arn:{partition}:organizations::{management}"
        if operation == "DescribeOrganization":
            return json_response(
                {
                    "Organization": {
                        "Id": organization.organization_id,
                        "Arn": f"{root}:organization/{organization.organization_id}",
                        "FeatureSet": "ALL",
                        "MasterAccountArn": (
                            f"{root}:account/{organization.organization_id}/{management}"
                        ),
                        "MasterAccountId": management,
                        "MasterAccountEmail": "root@example.com",
                    }
                }
            )
        if account_id != management:
            return json_error("AccessDeniedException", "You don't have permissions.")
        accounts: list[dict[str, Any]] = [
            {
                "Id": account.account_id,
                "Arn": f"{root}:account/{organization.organization_id}/{account.account_id}",
                "Email": f"{account.account_id}@example.com",
                "Name": f"account {account.account_id}",
                "Status": account.status,
                "JoinedMethod": "CREATED",
                "JoinedTimestamp": account.joined_at.timestamp(),
            }
            for account in self.world.accounts.values()
        ]
        return json_response({"Accounts": accounts})

    def _describe_regions(self, asked: dict[str, list[str]]) -> Response:
        everything = asked.get("AllRegions", ["false"])[0] == "true"
        shown = "".join(
            f"<item><regionName>{name}</regionName><optInStatus>{status}</optInStatus>"
            f"<regionEndpoint>ec2.{name}.amazonaws.com</regionEndpoint></item>"
            for name, status in self.world.regions.items()
            if everything or status != "not-opted-in"
        )
        return xml_response(
            '<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
            f"<requestId>{REQUEST_ID}</requestId><regionInfo>{shown}</regionInfo>"
            "</DescribeRegionsResponse>"
        )
