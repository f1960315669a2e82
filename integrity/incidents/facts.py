"""A matter for machines: the same as its text, in JSON types, every list and string bounded.

The names of the fields are a contract; `schema_version` counts its changes. Strings that a stranger
chose are escaped as in the text.
"""

from __future__ import annotations

from integrity.chain.model import TimeWindow
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.incidents.acknowledged import last_of
from integrity.incidents.causes import NATURES, Cause
from integrity.incidents.text import (
    MOST_DETAIL,
    MOST_URI,
    Matter,
    anchor,
    befores_of,
    command,
    cut,
    explanations_of,
    short_line,
)
from integrity.state import Incident, Step

SCHEMA_VERSION = 1
MOST_INCIDENTS = 50
"""So many incidents do the facts list, each with few of its objects."""

MOST_IDS = 2000
"""So many incidents do the facts name at all."""

_FEW_OBJECTS = 2


def render_facts(matter: Matter) -> dict[str, object]:
    """The same for machines; `dedup_key` is the first incident's id, `incident_ids` has them all.

    `account_id` and `region` are empty where there are several.
    """
    first, advice = matter.first, matter.advice
    return {
        "schema_version": SCHEMA_VERSION,
        "dedup_key": first.id,
        "incident_id": first.id,
        "step": matter.step.value,
        "audience": matter.audience.value,
        "is_open": matter.step is not Step.RESOLVED and not NATURES[Cause(first.cause)].is_noted,
        "outcome": matter.outcome.value,
        "reason": first.reason,
        "what": advice.what,
        "how_sure": advice.sure,
        "in_doubt": advice.doubt,
        "do": advice.do,
        "do_not": advice.do_not,
        "trail_arn": escape(first.trail_arn),
        "account_id": escape(matter.account_id),
        "region": escape(matter.region),
        "window": _window(matter.window),
        "count": matter.count,
        "subjects": [short_line(uri) for uri in first.subjects],
        "detail": cut(escape(first.detail), MOST_DETAIL),
        "explanations": explanations_of(matter),
        "before": befores_of(matter),
        "first_seen": format_instant(min(one.first_seen for one in matter.incidents)),
        "last_seen": format_instant(max(one.last_seen for one in matter.incidents)),
        "next_command": command(matter),
        "documentation": anchor(first.reason),
        "acknowledgement": _acknowledgement(first),
        "record_uri": cut(escape(matter.record_uri), MOST_URI),
        "incident_count": len(matter.incidents),
        "incident_ids": [one.id for one in matter.incidents[:MOST_IDS]],
        "incidents": [_facts(one) for one in matter.incidents[:MOST_INCIDENTS]],
    }


def _facts(incident: Incident) -> dict[str, object]:
    last = last_of(incident)
    return {
        "incident_id": incident.id,
        "outcome": incident.outcome.value,
        "account_id": escape(incident.account_id),
        "region": escape(incident.region),
        "window": _window(incident.window),
        "count": incident.count,
        "subjects": [short_line(uri) for uri in incident.subjects[:_FEW_OBJECTS]],
        "first_seen": format_instant(incident.first_seen),
        "acknowledged_until": None if last is None else format_instant(last.until),
    }


def _acknowledgement(incident: Incident) -> dict[str, str] | None:
    """The last one, whether it has ended or not."""
    last = last_of(incident)
    if last is None:
        return None
    return {
        "by": short_line(last.by),
        "reason": cut(escape(last.reason), MOST_DETAIL),
        "at": format_instant(last.at),
        "until": format_instant(last.until),
    }


def _window(window: TimeWindow) -> dict[str, str]:
    return {"start": format_instant(window.start), "end": format_instant(window.end)}
