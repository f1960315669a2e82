"""Credentials, regions and endpoints: how a process comes to its AWS clients.

A recipe is small and picklable and travels to the process that uses it; `open` makes the botocore
session there and finds the credentials, or says what to type next. Endpoints of all partitions,
FIPS, dual-stack, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE> and a profile's own services are
botocore's to resolve; nothing here knows a host name. It decides nothing about a trail.
"""

from __future__ import annotations

import difflib
import os
import re
import threading
import time
from typing import Any

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoCredentialsError, ProfileNotFound
from msgspec import Struct

from integrity import __version__
from integrity.aws.economy import economize
from integrity.aws.mfa import keep_sessions
from integrity.aws.refusal import REFUSALS, Call, Refusal, explain, is_setup_fault
from integrity.aws.roles import Role, RoleRefusedError, assume
from integrity.chain.names import is_region_name
from integrity.errors import AccessError, UsageError

# How every region of AWS is named so far; what is not, and not known to botocore, is a slip.
_USUAL_REGION = re.compile(r"[a-z-]+-((north|south)?(east|west)|north|south|central)-[0-9]+")
_FALLBACK_REGION = "us-east-1"
_BETWEEN_RENEWALS = 30.0
_USER_AGENT = f"integrity/{__version__} Botocore/{botocore.__version__}"


class CallerIdentity(Struct, frozen=True):
    """Who is asking, as STS names it."""

    arn: str
    account_id: str


class AwsRecipe(Struct, frozen=True, kw_only=True):
    """What a process needs to know to open its own clients. Credentials themselves do not travel.

    `region` and `profile` mean what they mean to the AWS CLI; with a `role` they say who assumes
    it. `attempts` bounds how often a call is tried in all; `max_connections` how many a client
    keeps open, and how many requests are under way at once. Times are in seconds: between two
    attempts at S3 up to `first_wait`, then twice as long each time up to `longest_wait`;
    `transfer_timeout` bounds one object, however it comes.
    """

    profile: str | None = None
    region: str | None = None
    role: Role | None = None
    max_connections: int = 64
    attempts: int = 8
    first_wait: float = 0.05
    longest_wait: float = 5.0
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    transfer_timeout: float = 900.0

    def open(self) -> Aws:
        """The session, with credentials that were had once.

        Raises UsageError where the profile, the region or the credentials are missing or wrong, and
        AccessError where STS may give those of the role later.
        """
        session = botocore.session.Session(profile=self.profile)
        try:
            region = self.region or _configured_region(session)
            if region is not None:
                _check_region(region, session)
            keep_sessions(session)
            session = self.as_role(session, region)
            economize(session)
            credentials = session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            credentials.get_frozen_credentials()
        except ProfileNotFound as error:
            raise UsageError(_unknown_profile(error, session)) from error
        except RoleRefusedError as error:
            raise (AccessError if error.may_pass else UsageError)(str(error)) from error
        except REFUSALS as error:
            call = Call("sts:AssumeRole", f"for the profile {self.profile or 'default'}")
            raise UsageError(explain(error, call)) from error
        return Aws(self, session, region)

    def as_role(
        self, session: botocore.session.Session, region: str | None
    ) -> botocore.session.Session:
        """The session itself, or one of the role that its credentials assume."""
        if self.role is None:
            return session
        return assume(self.role, session, region, self.client_config(self.attempts))

    def client_config(self, attempts: int) -> Config:
        """How a client waits, and how often it tries."""
        return Config(
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            max_pool_connections=self.max_connections,
            retries={"mode": "standard", "total_max_attempts": attempts},
            # CloudTrail's signed hashes are what is checked; a second checksum proves nothing more.
            response_checksum_validation="when_required",
            # One text for all requests: botocore's own is made anew for each, from twenty parts.
            user_agent=_USER_AGENT,
        )


class Aws:
    """One process's clients, made when first asked for, one a service and region. Thread-safe.

    `region` is where the command looks things up, None where nobody said. `generation` counts how
    often the credentials were renewed; clients of an older one are of no use any more.
    """

    def __init__(
        self, recipe: AwsRecipe, session: botocore.session.Session, region: str | None
    ) -> None:
        self.recipe = recipe
        self.session = session
        self.region = region
        self.generation = 0
        self._clients: dict[tuple[str, str], Any] = {}
        self._known_regions = frozenset(_known_regions(session))
        self._lock = threading.Lock()
        self._renewing = threading.Lock()
        self._next_renewal = -_BETWEEN_RENEWALS

    def client(self, service: str, region: str | None = None) -> Any:
        """The botocore client of `service` in `region`, or in the command's own.

        Raises UsageError where there is no region, or the configured endpoint is not a URL.
        """
        where = region or self.region
        if where is None:
            raise UsageError("no region was given: add --region, for instance --region us-east-1")
        made = self._clients.get((service, where))
        if made is not None:
            return made  # without waiting for another one that is being made
        with self._lock:
            if (service, where) not in self._clients:
                self._clients[service, where] = self._make_client(service, where)
            return self._clients[service, where]

    def renew(self, stale: int) -> bool:
        """Look for newer credentials than those of the generation `stale`, which have expired.

        botocore renews what it knows to end. This finds what a person or a program has put in the
        place of the rest since. False where there is nothing new.
        """
        with self._renewing:
            if self.generation != stale:
                return True
            if time.monotonic() < self._next_renewal:
                return False
            self._next_renewal = time.monotonic() + _BETWEEN_RENEWALS
            caller = botocore.session.Session(profile=self.recipe.profile)
            session = self.recipe.as_role(caller, self.region)
            if _frozen(session) in (None, _frozen(self.session)):
                return False
            economize(session)
            with self._lock:
                self.session, self._clients = session, {}
                self.generation += 1
            self._next_renewal = -_BETWEEN_RENEWALS
            return True

    def partition(self, region: str | None = None) -> str:
        """`aws`, `aws-us-gov`, `aws-cn`, ...: the partition of a region, as ARNs name it."""
        try:
            return self.session.get_partition_for_region(region or self.region or _FALLBACK_REGION)
        except BotoCoreError:
            return "aws"

    def region_hint(self, region: str) -> str:
        """Nothing for a region that botocore knows, else what it may have been meant to be."""
        if region in self._known_regions:
            return ""
        return f"{region} is no region that is known here; {_did_you_mean(region, self.session)}"

    @property
    def ca_bundle(self) -> str | None:
        """The file of certificates that AWS_CA_BUNDLE or the profile names."""
        bundle: str | None = self.session.get_config_variable("ca_bundle")
        return bundle

    def caller(self, region: str | None = None) -> CallerIdentity | None:
        """Who is asking, or None where STS will not say. `region` stands in for the command's own.

        Raises UsageError where the credentials are not accepted.
        """
        where = self.region or region or _FALLBACK_REGION
        try:
            answer = self.client("sts", where).get_caller_identity()
        except REFUSALS as error:
            if is_setup_fault(error):
                call = Call("sts:GetCallerIdentity", f"in region {where}")
                raise UsageError(explain(error, call)) from error
            return None
        return CallerIdentity(answer["Arn"], answer["Account"])

    def _make_client(self, service: str, region: str) -> Any:
        # What botocore does not know is a new region or, more often, a mistake: no long wait then.
        known = region in self._known_regions
        attempts = self.recipe.attempts if known else min(2, self.recipe.attempts)
        if service == "s3":
            attempts = 1  # its source asks again itself, and knows of more that is worth it
        config = self.recipe.client_config(attempts)
        try:
            return self.session.create_client(service, region_name=region, config=config)
        except (ValueError, BotoCoreError) as error:
            raise UsageError(
                f"no client for {service} in {region} can be made ({error}): check "
                "AWS_ENDPOINT_URL, the profile's endpoints and the region"
            ) from error


def _frozen(session: botocore.session.Session) -> Any:
    """The credentials of now, or None where they cannot be had."""
    try:
        credentials = session.get_credentials()
        return credentials and credentials.get_frozen_credentials()
    except REFUSALS:
        return None


def _configured_region(session: botocore.session.Session) -> str | None:
    # The AWS CLI reads AWS_REGION before AWS_DEFAULT_REGION; botocore knows only the latter.
    return os.environ.get("AWS_REGION") or session.get_config_variable("region")


def _known_regions(session: botocore.session.Session) -> list[str]:
    return [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("cloudtrail", partition)
    ]


def _check_region(region: str, session: botocore.session.Session) -> None:
    usual = is_region_name(region) and _USUAL_REGION.fullmatch(region)
    if not usual and region not in _known_regions(session):
        raise UsageError(f"{region!r} is not a region's name; {_did_you_mean(region, session)}")


def _did_you_mean(region: str, session: botocore.session.Session) -> str:
    close = difflib.get_close_matches(region.lower(), _known_regions(session), n=2)
    return f"did you mean {' or '.join(close)}?" if close else "regions are named like us-east-1"


def _unknown_profile(error: Refusal, session: botocore.session.Session) -> str:
    profiles = ", ".join(sorted(session.available_profiles)) or "none"
    return f"{error}; there are: {profiles}. Next: `aws configure --profile NAME`, or another name"
