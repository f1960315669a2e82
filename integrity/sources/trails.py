"""Trails as CloudTrail describes them, or as the command line claims them to be.

A trail is looked up in its home region: DescribeTrails shows single-region trails only where they
live, so the account's trails come from ListTrails, and each is then asked for at home. What cannot
be asked stops the command with the permission that it needs, save for the organization's id, which
the bucket's folders tell too: that is a note.
(AWS: API_GetTrail, API_ListTrails, API_DescribeOrganization.)
"""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

from botocore.exceptions import BotoCoreError

from integrity.aws.refusal import REFUSALS, Call, Refusal, error_code, explain, is_setup_fault
from integrity.aws.session import Aws
from integrity.chain.model import Trail
from integrity.chain.names import TRAIL_NAME
from integrity.errors import AccessError, UsageError
from integrity.sources.claimed import ARN_FORM, TrailArn, parse_trail_arn

_NAME = re.compile(TRAIL_NAME)
_AT_ONCE = 8
_LISTS_THEM = "`integrity trails` lists the account's trails"


class TrailDirectory:
    """The trails that an account sees. `notes` says what could not be asked on the way."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._organization_id: str | None = None
        self._organizing = threading.Lock()
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """A line for each question that AWS would not answer, with the permission it needs."""
        return tuple(self._notes)

    def find(self, arn_or_name: str) -> Trail:
        """The trail of that ARN, or of that name: in the command's region, else in any other.

        Raises UsageError where there is none, and AccessError where AWS would not say.
        """
        arn = parse_trail_arn(arn_or_name)
        if arn is not None:
            return self._get(arn.text, arn.region) or self._unknown(arn.name, arn.text, arn.region)
        if arn_or_name.startswith("arn:") or not _NAME.fullmatch(arn_or_name):
            raise UsageError(
                f"{arn_or_name!r} is neither a trail's ARN ({ARN_FORM}) nor a trail's name (3 to "
                f"128 letters, digits and . _ -); {_LISTS_THEM}"
            )
        return self._find_name(arn_or_name)

    def list_trails(self) -> tuple[Trail, ...]:
        """Every trail that the account sees, wherever its home is, by ARN.

        Raises AccessError where one of them cannot be asked for: leaving it out would be silent.
        """
        return self.fetch_trails(self.list_arns())

    def list_arns(self) -> list[TrailArn]:
        """The ARNs of all trails that the account sees, sorted."""
        return self._list(None)

    def fetch_trails(self, arns: Sequence[TrailArn]) -> tuple[Trail, ...]:
        """Each of them that is still there, asked for at home. Raises AccessError as above."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            trails = list(threads.map(lambda arn: self._get(arn.text, arn.region), arns))
        return tuple(trail for trail in trails if trail is not None)

    def _find_name(self, name: str) -> Trail:
        where = self._aws.region
        trail = self._get(name, where) if where else None
        if trail is not None:
            return trail
        named = [arn for arn in self._list(where) if arn.name == name]
        if len(named) > 1:
            raise UsageError(
                f"the account has more than one trail named {name}: give the ARN, one of "
                + ", ".join(arn.text for arn in named)
            )
        trail = self._get(named[0].text, named[0].region) if named else None
        return trail or self._unknown(name, name, where)

    def _unknown(self, name: str, asked: str, region: str | None) -> NoReturn:
        """What was looked at, what is there, and what to type next."""
        looked = f"GetTrail in {region}" if region else "ListTrails"
        said = f"no trail {asked} was found ({looked}, asked by {self._caller(region)})"
        hint = self._aws.region_hint(region) if region else ""
        try:
            there = self._list(region)
        except (AccessError, UsageError):
            there = []
        names = [arn.name for arn in there]
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names[:3]
        arns = ", ".join(arn.text for arn in there if arn.name in close)
        parts = (
            said,
            hint,
            f"the account's trails are {arns}" if arns else "",
            f"{_LISTS_THEM}; a deleted one is verified with its ARN and --s3-bucket",
        )
        raise UsageError("; ".join(part for part in parts if part))

    def _caller(self, region: str | None) -> str:
        caller = self._aws.caller(region)
        return caller.arn if caller else "an unknown caller"

    def _get(self, name: str, region: str) -> Trail | None:
        """GetTrail in one region; None where CloudTrail says that there is none."""
        try:
            answer = self._aws.client("cloudtrail", region).get_trail(Name=name)
        except REFUSALS as error:
            if error_code(error) == "TrailNotFoundException":
                return None
            self._give_up(
                error, Call("cloudtrail:GetTrail", f"on {name} in region {region}"), region
            )
        return self._trail(answer["Trail"])

    def _list(self, region: str | None) -> list[TrailArn]:
        """The ARNs of all trails of the account, sorted. ListTrails tells them in any region."""
        where = region or self._aws.region
        client = self._aws.client("cloudtrail", where)
        try:
            pages = client.get_paginator("list_trails").paginate()
            listed = sorted(one["TrailARN"] for page in pages for one in page["Trails"])
        except REFUSALS as error:
            at = client.meta.region_name
            self._give_up(error, Call("cloudtrail:ListTrails", f"in region {at}"), at)
        return [_told_arn(text) for text in listed]

    def _give_up(self, error: Refusal, call: Call, region: str) -> NoReturn:
        hint = self._aws.region_hint(region)
        if hint and isinstance(error, BotoCoreError):
            raise UsageError(f"{hint} ({explain(error, call)})") from error
        if is_setup_fault(error):
            raise UsageError(explain(error, call)) from error
        raise AccessError(explain(error, call)) from error

    def _trail(self, described: dict[str, Any]) -> Trail:
        arn = _told_arn(described["TrailARN"])
        # Some regions leave the field out where organization trails are not launched.
        is_organization = bool(described.get("IsOrganizationTrail"))
        return Trail(
            arn=arn.text,
            name=arn.name,
            account_id=arn.account_id,
            home_region=described.get("HomeRegion", arn.region),
            bucket=described["S3BucketName"],
            prefix=described.get("S3KeyPrefix", ""),
            organization_id=self._organization(arn.region) if is_organization else "",
            multi_region=bool(described.get("IsMultiRegionTrail")),
            validation=bool(described.get("LogFileValidationEnabled")),
            is_organization=is_organization,
        )

    def _organization(self, region: str) -> str:
        """The organization's id, or "" with a note where it may not be asked."""
        with self._organizing:
            if self._organization_id is None:
                self._organization_id = self._ask_organization(region)
            return self._organization_id

    def _ask_organization(self, region: str) -> str:
        client = self._aws.client("organizations", region)
        try:
            organization_id: str = client.describe_organization()["Organization"]["Id"]
        except REFUSALS as error:
            self._note(error, Call("organizations:DescribeOrganization", "on *"))
            return ""
        return organization_id

    def _note(self, error: Refusal, call: Call) -> None:
        self._notes[explain(error, call)] = None


def _told_arn(text: str) -> TrailArn:
    arn = parse_trail_arn(text)
    if arn is None:
        raise AccessError(f"CloudTrail tells of a trail whose ARN is not understood: {text!r}")
    return arn
