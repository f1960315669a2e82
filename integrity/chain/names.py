"""The grammar of CloudTrail's object keys: build them, and parse them whole, from both ends.

A key that does not parse belongs to nobody. Trail names may contain `_` and look like a region
(`a_us-east-1_b` is a legal name), so the middle of a digest's name is only what is left between
parts that cannot contain `_`: account and region on the left, stamp and home region on the right.
(AWS: CloudTrail digest file structure; Finding your CloudTrail log files.)
"""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

from integrity.chain.model import ChainId, ChainKind, Root, S3Location
from integrity.chain.times import (
    day_folder,
    format_minute_stamp,
    format_second_stamp,
    parse_minute_stamp,
    parse_second_stamp,
)

ACCOUNT_ID = r"[0-9]{12}"
REGION = r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+"
ORGANIZATION_ID = r"o-[a-z0-9]{10,32}"
TRAIL_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{1,126})[A-Za-z0-9]"

_ROOT = rf"(?:(?P<prefix>.+?)/)??AWSLogs/(?:(?P<organization>{ORGANIZATION_ID})/)?"
_DAY = r"(?P<day>[0-9]{4}/[0-9]{2}/[0-9]{2}/)"

_DIGEST = re.compile(
    rf"{_ROOT}(?P<account>{ACCOUNT_ID})/CloudTrail-Digest/(?P<region>{REGION})/{_DAY}"
    rf"(?P=account)_CloudTrail-Digest_(?P=region)_(?P<trail>{TRAIL_NAME})_(?P<home>{REGION})"
    rf"_(?P<stamp>[0-9]{{8}}T[0-9]{{6}}Z)(?P<backfill>_backfill)?\.json\.gz",
    re.DOTALL | re.ASCII,
)

_LOG = re.compile(
    rf"{_ROOT}(?P<account>{ACCOUNT_ID})/(?P<folder>CloudTrail(?:-[A-Za-z]+)?)/(?P<region>{REGION})/"
    rf"{_DAY}(?P=account)_(?P=folder)_(?P=region)_(?P<stamp>[0-9]{{8}}T[0-9]{{4}}Z)"
    rf"_?(?P<unique>[A-Za-z0-9]+)\.json\.gz",
    re.DOTALL | re.ASCII,
)


_REGION_NAME = re.compile(REGION)


class DigestName(Struct, frozen=True, gc=False):
    """What the name of a digest file says: its chain, and the end of its hour."""

    chain: ChainId
    end: datetime


class LogName(Struct, frozen=True, gc=False):
    """What the name of a log file says. `time` is the newest event, rounded up to five minutes.

    `folder` is `CloudTrail`, or `CloudTrail-Insight` and the like, which no public digest names.
    """

    root: Root
    account_id: str
    folder: str
    region: str
    time: datetime
    unique: str


def parse_digest(location: S3Location) -> DigestName | None:
    """The parts of a digest file's key, or None where the whole key is not one."""
    match = _DIGEST.fullmatch(location.key)
    if match is None:
        return None
    end = parse_second_stamp(match["stamp"])
    if end is None or day_folder(end) != match["day"]:
        return None
    kind = ChainKind.BACKFILL if match["backfill"] else ChainKind.STANDARD
    chain = ChainId(
        _root(location.bucket, match),
        match["account"],
        match["region"],
        match["trail"],
        match["home"],
        kind,
    )
    return DigestName(chain, end)


def digest_location(chain: ChainId, end: datetime) -> S3Location:
    """Where the digest file of `chain` that ends at `end` has to lie."""
    backfill = "_backfill" if chain.kind is ChainKind.BACKFILL else ""
    name = (
        f"{chain.account_id}_CloudTrail-Digest_{chain.region}_{chain.trail_name}"
        f"_{chain.home_region}_{format_second_stamp(end)}{backfill}.json.gz"
    )
    folder = digest_folder(chain.root, chain.account_id, chain.region)
    return S3Location(chain.root.bucket, f"{folder}{day_folder(end)}{name}")


def region_folders(root: Root, account_id: str) -> tuple[str, str]:
    """The folders that hold a folder for each source region: of digests, and of log files."""
    account = f"{root.folder}{account_id}"
    return f"{account}/CloudTrail-Digest/", f"{account}/CloudTrail/"


def digest_folder(root: Root, account_id: str, region: str) -> str:
    """The folder of an account's digest files for a source region, ending in a slash."""
    return f"{region_folders(root, account_id)[0]}{region}/"


def log_folder(root: Root, account_id: str, region: str) -> str:
    """The folder of an account's log files from a region, ending in a slash."""
    return f"{region_folders(root, account_id)[1]}{region}/"


def log_name_start(account_id: str, region: str, time: datetime) -> str:
    """What the names of the log files of one minute begin with, inside their day folder."""
    return f"{account_id}_CloudTrail_{region}_{format_minute_stamp(time)}"


def parse_log(location: S3Location) -> LogName | None:
    """The parts of a log file's key, or None where the whole key is not one."""
    match = _LOG.fullmatch(location.key)
    if match is None:
        return None
    time = parse_minute_stamp(match["stamp"])
    if time is None or day_folder(time) != match["day"]:
        return None
    return LogName(
        _root(location.bucket, match),
        match["account"],
        match["folder"],
        match["region"],
        time,
        match["unique"],
    )


def is_region_name(text: str) -> bool:
    """Whether `text` has the form of a region's name, known today or not."""
    return _REGION_NAME.fullmatch(text) is not None


def is_marker(key: str, size: int) -> bool:
    """Whether an object only stands for a folder: empty, named so by consoles and Hadoop."""
    return size == 0 and key.endswith(("/", "_$folder$"))


def _root(bucket: str, match: re.Match[str]) -> Root:
    return Root(bucket, match["prefix"] or "", match["organization"] or "")
