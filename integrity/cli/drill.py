"""`integrity drill`: prove that somebody is told, by a finding that nobody found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import click

from integrity.chain.terminal import escape
from integrity.cli.interrupt import interruptible
from integrity.cli.options import Parsed, shape_option, verbose_option
from integrity.cli.output import open_output
from integrity.cli.watching import open_service
from integrity.grammar import parse_span, parse_trail, parse_url
from integrity.record import ExitStatus
from integrity.service.drilled import Drilled, Hop, encode

EPILOG = """
\b
Examples:
  integrity drill
  integrity drill arn:aws:cloudtrail:us-east-1:111122223333:trail/main --timeout 15m
  integrity drill --queue-url https://sqs.us-east-1.amazonaws.com/111122223333/drill

\b
Exit status:
    0  passed: every hop that has to be was seen to work
    2  usage or configuration error
    3  a hop failed, or had to be seen and was not; it says which and why
   70  a fault of the program itself
  130  interrupted
"""


@click.command(epilog=EPILOG, short_help="Prove that somebody is told, hop by hop.")
@click.argument("trail", metavar="[TRAIL_ARN]", required=False, type=Parsed("trail", parse_trail))
@click.option(
    "--timeout",
    metavar="SPAN",
    type=Parsed("span", parse_span),
    default="10m",
    show_default=True,
    help="How long to wait for the alarm, what it does, and the queue, in all.",
)
@click.option(
    "--queue-url",
    "queue_urls",
    metavar="URL",
    multiple=True,
    type=Parsed("URL", parse_url),
    help="An SQS queue for drills alone, subscribed to a topic: it is emptied, and what arrives "
    "there is seen and timed. One for each topic, if wanted.",
)
@shape_option("A line of columns a hop for people, or one JSON document.")
@verbose_option
def drill(
    trail: str | None, timeout: timedelta, queue_urls: tuple[str, ...], shape: str, **_: bool
) -> int:
    """Make a drill: put a number that an alarm watches, and tell everybody of a synthetic finding.

    Whoever is told for a configured trail gets a message marked DRILL, and another from the alarm.
    In text: result, hop, place, seconds, and why. How it ended is logged, and kept beside the
    records; incidents, checkpoints and the numbers of ticks know nothing of it.
    """
    service = open_service()
    with interruptible() as stopping:
        drilled = service.drill(trail, timeout=timeout, queue_urls=queue_urls, stopping=stopping)
    with open_output(None) as output:
        if shape == "json":
            output.write(encode(drilled).decode() + "\n")
        else:
            output.write("".join(f"{line}\n" for line in _lines(drilled)))
    if drilled.interrupted:
        return ExitStatus.INTERRUPTED
    return ExitStatus.VALID if drilled.has_passed else ExitStatus.UNDETERMINED


def _lines(drilled: Drilled) -> Iterator[str]:
    for hop in drilled.hops:
        yield "\t".join(map(escape, _columns(hop)))
    if drilled.has_passed:
        yield f"passed\t{drilled.id}"
    else:
        missing = ", ".join(dict.fromkeys(hop.name for hop in drilled.missing))
        yield escape(f"not passed: {missing or 'interrupted'}") + f"\t{drilled.id}"


def _columns(hop: Hop) -> tuple[str, ...]:
    seconds = "" if hop.seconds is None else f"{hop.seconds:.1f} s"
    return hop.sight.value, hop.name, hop.place, seconds, hop.detail
