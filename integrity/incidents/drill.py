"""The message of a drill: a finding that nobody found, told as a real one is and marked throughout.

Subject, text and every fact that could be taken for news say that it is a drill; the fields are
those of a real message, so that whatever reads these reads this. Its outcome is `invalid`, because
that is what has to get through every filter on the way. Pure.
"""

from __future__ import annotations

from datetime import datetime

from integrity.chain.findings import Outcome
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.incidents.facts import SCHEMA_VERSION
from integrity.incidents.text import MOST_SUBJECT, anchor, cut
from integrity.state import Audience, Message, Step

DRILL = "drill"
"""The reason of no finding."""

_WHAT = "DRILL: nothing was found, and nothing is wrong"
_SURE = "It is a drill: somebody called `integrity drill` to see whether this message arrives"
_DOUBT = "nothing; a real message would name what its files can no longer prove"
_DO = "Tell whoever makes the drill that it has reached you, and when"
_DO_NOT = "do not wake anybody for it"


def write_drill(
    drill_id: str, trail_arn: str, place: tuple[str, str], audience: Audience, now: datetime
) -> Message:
    """What an audience is told in a drill. `place` is the trail's account and home region."""
    account_id, region = place
    name = cut(escape(trail_arn.rpartition("/")[2]), MOST_SUBJECT // 2)
    return Message(
        id=f"{drill_id}-{audience.value}",
        trail_arn=trail_arn,
        incident_id=drill_id,
        audience=audience,
        step=Step.DRILL,
        subject=f"[integrity] DRILL, nothing is wrong: {account_id} {region} {name}"[:MOST_SUBJECT],
        text=_text(drill_id, trail_arn, place, audience, now),
        facts=_facts(drill_id, trail_arn, place, audience, now),
        created_at=now,
    )


def _text(
    drill_id: str, trail_arn: str, place: tuple[str, str], audience: Audience, now: datetime
) -> str:
    lines = (
        f"{_WHAT}.",
        "",
        f"Drill       {drill_id}",
        f"Reason      {DRILL}",
        f"Trail       {escape(trail_arn)}",
        f"Place       account {place[0]}, region {place[1]}",
        f"Audience    {audience.value}",
        f"Made        {format_instant(now)}",
        "",
        f"How sure    {_SURE}.",
        f"Do          {_DO}.",
        f"Caution     {_DO_NOT}.",
        "",
        f"More        {anchor(DRILL)}",
        "This was a DRILL.",
    )
    return "\n".join(lines) + "\n"


def _facts(
    drill_id: str, trail_arn: str, place: tuple[str, str], audience: Audience, now: datetime
) -> dict[str, object]:
    at = format_instant(now)
    return {
        "schema_version": SCHEMA_VERSION,
        "is_drill": True,
        "dedup_key": drill_id,
        "incident_id": drill_id,
        "step": Step.DRILL.value,
        "audience": audience.value,
        "is_open": False,
        "outcome": Outcome.INVALID.value,
        "reason": DRILL,
        "what": _WHAT,
        "how_sure": _SURE,
        "in_doubt": _DOUBT,
        "do": _DO,
        "do_not": _DO_NOT,
        "trail_arn": escape(trail_arn),
        "account_id": place[0],
        "region": place[1],
        "window": {"start": at, "end": at},
        "count": 0,
        "subjects": [],
        "detail": "DRILL",
        "first_seen": at,
        "last_seen": at,
        "next_command": "integrity drill",
        "documentation": anchor(DRILL),
        "acknowledgement": None,
        "explanations": [],
        "before": [],
        "record_uri": "none: a drill has no record",
        "incident_count": 0,
        "incident_ids": [drill_id],
        "incidents": [],
    }
