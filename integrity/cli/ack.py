"""`integrity ack`: a person knows of an incident, says why, and is not reminded for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.cli.options import Parsed, verbose_option
from integrity.cli.times import parse_end
from integrity.cli.watching import open_service
from integrity.errors import UsageError
from integrity.grammar import fitting, parse_span
from integrity.record import ExitStatus
from integrity.state import Incident

EPILOG = """
\b
Examples:
  integrity ack 3f2a91 --reason "bucket policy is being mended, change 4711" --until 7d
  integrity ack 3f2a91 --reason "restored from the replica by 9 March" --until 2026-03-09
  integrity ack 3f2a91 --reason "not what we thought" --withdraw

\b
Exit status:
    0  it was kept
    2  usage or configuration error, no such open incident
    3  the store, or AWS about who you are, does not answer
   70  a fault of the program itself
"""

_MOST_REASON = 1000


def parse_incident(text: str) -> str:
    """An incident's id, or its beginning."""
    return fitting("[0-9a-f]{4,12}", text, "incident: expected the id, or its first 4 or more")


def parse_until(text: str) -> timedelta | datetime:
    """A span from now, or a time; a bare date is the end of that day."""
    try:
        return parse_end(text) if "-" in text else parse_span(text)
    except UsageError as error:
        raise UsageError(f"{error}; a span of time, such as 7d, or a date will do") from error


def parse_reason(text: str) -> str:
    """Words on one line."""
    words = " ".join(text.split())
    if not words or len(words) > _MOST_REASON:
        raise UsageError(f"expected a reason of 1 to {_MOST_REASON} characters")
    return words


@click.command(epilog=EPILOG, short_help="Quiet an incident's reminders, and say why.")
@click.argument("incident", metavar="ID", type=Parsed("incident", parse_incident))
@click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    type=Parsed("reason", parse_reason),
    help="Why; it stays in the records.",
)
@click.option(
    "--until",
    metavar="WHEN",
    type=Parsed("time", parse_until),
    help="How long: 7d, 12h, a date (its end, UTC) or a time; a year at most.",
)
@click.option("--withdraw", is_flag=True, help="Take the last one back: the next tick speaks.")
@verbose_option
def ack(
    incident: str, reason: str, until: timedelta | datetime | None, *, withdraw: bool, **_: bool
) -> int:
    """Quiet the daily reminders of an open incident of `integrity incidents`, by its id.

    Nothing else changes: it stays open, and counts in metrics, alarms and the exit status. If it
    gets worse, or is over, that is told all the same, and when the time is up the next tick speaks.
    Who (the caller's ARN), why, when and until when is in every record while it is open.
    """
    if (until is None) is not withdraw:
        raise UsageError("say either how long, --until 7d, or --withdraw")
    kept = open_service().acknowledge(incident, reason, until)
    click.echo("\t".join(map(escape, (kept.id, kept.reason, _said(kept, is_withdrawn=withdraw)))))
    return ExitStatus.VALID


def _said(kept: Incident, *, is_withdrawn: bool) -> str:
    last = kept.acknowledgements[-1]
    if is_withdrawn:
        return "no longer acknowledged: the next tick speaks"
    told = " and ".join(audience.value for audience in kept.told)
    whom = f"{told} not reminded" if told else "nobody was told yet, and will be all the same"
    return f"acknowledged by {last.by} until {format_instant(last.until)}: {whom}"
