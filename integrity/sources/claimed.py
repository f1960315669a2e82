"""A trail by its ARN alone, taken at somebody's word: nobody looks it up.

Pure: nothing of AWS is imported here, so that a copy can be verified without it.
"""

from __future__ import annotations

import re

from msgspec import Struct

from integrity.chain.model import Trail
from integrity.chain.names import ACCOUNT_ID, ORGANIZATION_ID, REGION, TRAIL_NAME
from integrity.errors import UsageError

ARN_FORM = "arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME"
_ARN = re.compile(
    rf"arn:aws(?:-[a-z]+)*:cloudtrail:(?P<region>{REGION}):(?P<account>{ACCOUNT_ID})"
    rf":trail/(?P<name>{TRAIL_NAME})"
)
_ORGANIZATION = re.compile(ORGANIZATION_ID)
# Names of buckets made in us-east-1 before March 2018 may be longer, in capitals, or underscored.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")


def is_bucket_name(text: str) -> bool:
    """Whether a bucket can have that name; an access point's ARN, for instance, is not one."""
    return _BUCKET.fullmatch(text) is not None


class TrailArn(Struct, frozen=True):
    """The parts of a trail's ARN; `region` is its home region, in any partition."""

    text: str
    region: str
    account_id: str
    name: str


def parse_trail_arn(text: str) -> TrailArn | None:
    """The parts of a trail's ARN, or None where the whole text is not one."""
    match = _ARN.fullmatch(text)
    return match and TrailArn(text, match["region"], match["account"], match["name"])


def claimed_trail(
    arn: str, bucket: str, prefix: str = "", organization_id: str | None = None
) -> Trail:
    """A trail that nobody looks up, a deleted one for instance. Raises UsageError for what is none.

    `prefix` is taken to the letter: a slash at its end is one more in every key.
    """
    parts = parse_trail_arn(arn)
    if parts is None:
        raise UsageError(
            f"a trail that is not looked up has to be named in full: expected {ARN_FORM}, not "
            f"{arn!r}"
        )
    if not is_bucket_name(bucket):
        raise UsageError(f"{bucket!r} is not a bucket's name: give the name alone, without s3://")
    if organization_id is not None and not _ORGANIZATION.fullmatch(organization_id):
        raise UsageError(
            f"{organization_id!r} is not an organization's id: expected o- and at least 10 "
            "lower-case letters and digits, as `aws organizations describe-organization` shows it"
        )
    return Trail(
        arn=arn,
        name=parts.name,
        account_id=parts.account_id,
        home_region=parts.region,
        bucket=bucket,
        prefix=prefix,
        organization_id=organization_id or "",
        looked_up=False,
        is_organization=organization_id is not None,
    )
