"""Roles that can be assumed: STS AssumeRole, with the external id that a trust policy asks for.

    server.roles.add("arn:aws:iam::444455556666:role/audit", external_id="of-a-friend")

Whoever has signed may assume a role. Its credentials end after `seconds` by the clock of the
machine, because a client keeps them by that; the server itself goes on taking them
(`Fault("expire", access_key=server.roles.issued[0])` ends them).

Source: AWS: STS API_AssumeRole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from integrity.lab.wire import REQUEST_ID, Request, Response, query_error, xml_response, xml_text


@dataclass(frozen=True, slots=True)
class _Role:
    external_id: str | None
    seconds: float


class RolesFront:
    """The roles that there are. `issued` has each session's access key, in order."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self._roles: dict[str, _Role] = {}
        self._of: dict[str, str] = {}

    def add(self, arn: str, *, external_id: str | None = None, seconds: float = 3600) -> None:
        """A role; assumed again with the same ARN it is another one from then on."""
        self._roles[arn] = _Role(external_id, seconds)

    def role_of(self, access_key: str) -> str:
        """The ARN of the role whose session it is, "" where it is nobody's."""
        return self._of.get(access_key, "")

    def account_of(self, access_key: str) -> str:
        """The account of the role whose session it is, "" where it is nobody's."""
        role = self.role_of(access_key)
        return role.split(":")[4] if role else ""

    def answer(self, request: Request) -> Response:
        """The answer to AssumeRole."""
        asked = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        arn, session = asked["RoleArn"], asked["RoleSessionName"]
        role = self._roles.get(arn)
        if role is None or role.external_id not in (None, asked.get("ExternalId")):
            said = f"User: {request.access_key} is not authorized to perform: sts:AssumeRole"
            return query_error("AccessDenied", f"{said} on resource: {arn}", 403)
        key = f"ASIALAB{len(self.issued):09d}"
        assumed = f"{arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/{session}"
        self.issued.append(key)
        self._of[key] = arn
        end = datetime.now(UTC) + timedelta(seconds=role.seconds)
        return xml_response(
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<AssumeRoleResult><AssumedRoleUser><Arn>{xml_text(assumed)}</Arn>"
            f"<AssumedRoleId>AROALAB:{xml_text(session)}</AssumedRoleId></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>lab</SecretAccessKey>"
            f"<SessionToken>of-{key}</SessionToken><Expiration>{end:%Y-%m-%dT%H:%M:%SZ}"
            "</Expiration></Credentials></AssumeRoleResult><ResponseMetadata>"
            f"<RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></AssumeRoleResponse>"
        )
