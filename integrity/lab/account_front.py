"""Who the caller is and what its organization and regions are: STS, Organizations, EC2.

Source: AWS: STS API_GetCallerIdentity, Organizations API_DescribeOrganization and
API_ListAccounts, EC2 API_DescribeRegions.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from integrity.lab.estate import LabOrganization
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
            return _caller_identity(account_id, partition)
        if operation == "DescribeRegions":
            return self._describe_regions(parse_qs(request.body.decode()))
        organization = self.world.organization
        if organization is None or account_id not in self.world.accounts:
            return json_error("AWSOrganizationsNotInUseException", _NOT_IN_USE)
        if operation == "DescribeOrganization":
            return _described(organization, partition)
        if account_id != organization.management_account_id:
            return json_error("AccessDeniedException", "You don't have permissions.")
        return self._list_accounts(organization, partition)

    def _list_accounts(self, organization: LabOrganization, partition: str) -> Response:
        accounts: list[dict[str, Any]] = [
            {
                "Id": account.account_id,
                "Arn": _organization_arn(organization, partition, "account", account.account_id),
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


def _caller_identity(account_id: str, partition: str) -> Response:
    return xml_response(
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<GetCallerIdentityResult><Arn>arn:{partition}:iam::{account_id}:user/auditor</Arn>"
        f"<UserId>AIDAAUDITORAAAAAAAAAA</UserId><Account>{account_id}</Account>"
        f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId>"
        "</ResponseMetadata></GetCallerIdentityResponse>"
    )


def _organization_arn(organization: LabOrganization, partition: str, kind: str, *tail: str) -> str:
    path = "/".join((kind, organization.organization_id, *tail))
    return f"arn:{partition}:organizations::{organization.management_account_id}:{path}"


def _described(organization: LabOrganization, partition: str) -> Response:
    management = organization.management_account_id
    return json_response(
        {
            "Organization": {
                "Id": organization.organization_id,
                "Arn": _organization_arn(organization, partition, "organization"),
                "FeatureSet": "ALL",
                "MasterAccountArn": _organization_arn(
                    organization, partition, "account", management
                ),
                "MasterAccountId": management,
                "MasterAccountEmail": "root@example.com",
            }
        }
    )
