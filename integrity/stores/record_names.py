"""How records are named, in a folder as in a bucket: so that names sort by time.

`ACCOUNT/HOME-REGION/TRAIL/2026/03/01/20260301T012000Z_RUN.json`, from the trail's ARN, the start of
the run and its id. A name that this grammar does not know is nobody's record. Nothing that could
leave the folder passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from integrity.chain.limits import MIB
from integrity.chain.names import ACCOUNT_ID, REGION, TRAIL_NAME
from integrity.chain.times import day_folder, format_second_stamp, parse_second_stamp
from integrity.errors import UsageError

MAX_RECORD_BYTES = 512 * MIB
"""Of a record that is read back; the largest have a thousand findings a reason and chain."""

LEVELS = (re.compile(r"[0-9]{4}"), re.compile(r"[0-9]{2}"), re.compile(r"[0-9]{2}"))
"""Year, month and day folders."""

_ARN = re.compile(
    rf"arn:aws[a-z-]*:cloudtrail:(?P<region>{REGION}):(?P<account>{ACCOUNT_ID})"
    rf":trail/(?P<name>{TRAIL_NAME})",
    re.ASCII,
)
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_NAME = re.compile(r"(?P<stamp>[0-9]{8}T[0-9]{6}Z)_[A-Za-z0-9][A-Za-z0-9-]{0,63}\.json")


def trail_folder(trail_arn: str) -> str:
    """`111122223333/us-east-1/main/`. Raises UsageError where it is no ARN of a trail."""
    match = _ARN.fullmatch(trail_arn)
    if match is None:
        raise UsageError(
            f"{trail_arn[:200]!r} is no ARN of a trail: expected "
            "arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME"
        )
    return f"{match['account']}/{match['region']}/{match['name']}/"


def record_name(trail_arn: str, started_at: datetime, run_id: str) -> str:
    """A record's whole relative name. Raises UsageError for an ARN or a run id that is none."""
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(
            f"{run_id[:200]!r} is no id of a run: expected letters, digits and hyphens, at most 64"
        )
    name = f"{format_second_stamp(started_at)}_{run_id}.json"
    return f"{trail_folder(trail_arn)}{day_folder(started_at)}{name}"


def drill_name(trail_arn: str, started_at: datetime, drill_id: str) -> str:
    """The same of a drill: in a folder of their own, so that none is taken for a record."""
    name = record_name(trail_arn, started_at, drill_id).rpartition("/")[2]
    return f"{trail_folder(trail_arn)}drills/{name}"


def newest_name(day: str, names: Iterable[str]) -> str | None:
    """The last of the `names` of records that belong into the folder of `day`, `2026/03/01/`."""
    return max((name for name in names if _belongs(day, name)), default=None)


def _belongs(day: str, name: str) -> bool:
    match = _NAME.fullmatch(name)
    started_at = match and parse_second_stamp(match["stamp"])
    return started_at is not None and day_folder(started_at) == day
