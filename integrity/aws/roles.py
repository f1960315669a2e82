"""Roles that are assumed: a session whose credentials are another identity's, renewed as they end.

STS is asked with the caller's own credentials, at a regional endpoint of the role's partition, when
credentials are first wanted and again before they end; botocore keeps time. What STS refuses is
told with the role and the permission, wherever the credentials were wanted. Nothing is decided
here. (AWS: STS API_AssumeRole; Regions and endpoints for STS.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import CredentialRetrievalError

from integrity.aws.refusal import REFUSALS, Call, explain, is_denied, may_pass

_METHOD = "assume-role"
_REGION_OF_PARTITION = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_FALLBACK_REGION = "us-east-1"
_TRUST = (
    "; the caller's own policy has to allow it, and the role's trust policy has to name the caller"
)
_WITH_ID = " and the external id that was given"
_WITHOUT_ID = " and to ask for no external id, since none was given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Whom to become. `external_id` is what the role's trust policy asks for; it is never shown."""

    arn: str
    external_id: str | None = field(default=None, repr=False)
    session_name: str = "integrity"

    @property
    def region(self) -> str:
        """A region of the role's partition, for whoever has none configured."""
        return _REGION_OF_PARTITION.get(self.arn.split(":")[1], _FALLBACK_REGION)


class RoleRefusedError(CredentialRetrievalError):
    """STS gave no credentials of the role. `may_pass` says whether asking later may help."""

    fmt = "{error_msg}"

    def __init__(self, said: str, *, may_pass: bool) -> None:
        super().__init__(error_msg=said)
        self.may_pass = may_pass


def assume(
    role: Role, caller: botocore.session.Session, region: str | None, config: Config
) -> botocore.session.Session:
    """A session like the caller's own, with the role's credentials. Nothing is asked yet.

    Whoever asks it for credentials may get RoleRefusedError.
    """
    session = botocore.session.Session(profile=caller.profile)
    provider = _RoleProvider(role, caller, region or role.region, config)
    session.register_component("credential_provider", CredentialResolver([provider]))
    return session


class _RoleProvider(CredentialProvider):
    """The only provider of its session: whatever else the environment holds is the caller's."""

    METHOD = _METHOD

    def __init__(
        self, role: Role, caller: botocore.session.Session, region: str, config: Config
    ) -> None:
        super().__init__()
        self._role, self._caller, self._region, self._config = role, caller, region, config

    def load(self) -> Credentials | None:
        """Credentials that are fetched at their first use, or None where the caller has none."""
        own = self._caller.get_credentials()
        if own is None:
            return None
        asked = {"RoleSessionName": self._role.session_name}
        if self._role.external_id is not None:
            asked["ExternalId"] = self._role.external_id
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._sts,
            source_credentials=own,
            role_arn=self._role.arn,
            extra_args=asked,
        )

        def fetch() -> Any:
            try:
                return fetcher.fetch_credentials()
            except REFUSALS as error:
                call = Call("sts:AssumeRole", f"on {self._role.arn}")
                said = explain(error, call)
                if is_denied(error):
                    said += _TRUST + (_WITH_ID if self._role.external_id else _WITHOUT_ID)
                raise RoleRefusedError(said, may_pass=may_pass(error)) from error

        return DeferredRefreshableCredentials(refresh_using=fetch, method=_METHOD)

    def _sts(self, service: str, **credentials: Any) -> Any:
        return self._caller.create_client(
            service, region_name=self._region, config=self._config, **credentials
        )
