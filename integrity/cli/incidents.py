"""`integrity incidents`: what the service has found and told, open and past."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import click

from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.cli.options import Parsed, shape_option, verbose_option
from integrity.cli.output import open_output
from integrity.cli.times import read_clock
from integrity.cli.watching import open_service
from integrity.grammar import parse_span
from integrity.incidents.acknowledged import in_force
from integrity.record import ExitStatus
from integrity.state import Incident

EPILOG = """
\b
Examples:
  integrity incidents
  integrity incidents --last 400d --format json

\b
Exit status, whatever the incidents are:
    0  they were listed
    2  usage or configuration error
    3  the store does not answer
   70  a fault of the program itself
"""


@click.command(epilog=EPILOG, short_help="List incidents, open and past.")
@click.option(
    "--last",
    metavar="SPAN",
    type=Parsed("span", parse_span),
    default="30d",
    show_default=True,
    help="How far back those go that are resolved; open ones are always listed.",
)
@shape_option("A line of columns for people, or one line of JSON an incident.")
@verbose_option
def incidents(last: timedelta, shape: str, **_: bool) -> int:
    """List the incidents of the configured trails: open ones, and those resolved lately.

    In text: id, state (with what `integrity ack` made of it), since when, reason, account and
    region, its hours, how many objects, who was told, and the first object.
    """
    now = read_clock()
    found = open_service().list_incidents(since=now - last)
    lines = _json(found) if shape == "json" else _text(found, now)
    with open_output(None) as output:
        output.write("".join(f"{line}\n" for line in lines))
    return ExitStatus.VALID


def _text(found: Iterable[Incident], now: datetime) -> Iterator[str]:
    for one in found:
        columns = (
            one.id,
            _state(one, now),
            f"since {format_instant(one.first_seen)}",
            one.reason,
            f"{one.account_id}/{one.region}",
            f"{format_instant(one.window.start)}/{format_instant(one.window.end)}",
            str(one.count),
            "told " + (" and ".join(audience.value for audience in one.told) or "nobody"),
            next(iter(one.subjects), one.detail),
        )
        yield "\t".join(map(escape, columns))


def _state(incident: Incident, now: datetime) -> str:
    if incident.resolved is not None:
        return f"resolved {format_instant(incident.resolved)}"
    known = in_force(incident, now)
    return "open" if known is None else f"open, acknowledged until {format_instant(known.until)}"


def _json(found: Iterable[Incident]) -> Iterator[str]:
    for one in found:
        yield json.dumps(
            {
                "incident_id": one.id,
                "trail_arn": one.trail_arn,
                "is_open": one.resolved is None,
                "outcome": one.outcome.value,
                "reason": one.reason,
                "account_id": one.account_id,
                "region": one.region,
                "window": {
                    "start": format_instant(one.window.start),
                    "end": format_instant(one.window.end),
                },
                "count": one.count,
                "subjects": one.subjects,
                "detail": one.detail,
                "first_seen": format_instant(one.first_seen),
                "last_seen": format_instant(one.last_seen),
                "resolved": None if one.resolved is None else format_instant(one.resolved),
                "told": [audience.value for audience in one.told],
                "acknowledgements": [
                    {
                        "by": given.by,
                        "reason": given.reason,
                        "at": format_instant(given.at),
                        "until": format_instant(given.until),
                    }
                    for given in one.acknowledgements
                ],
            }
        )
