"""`integrity status`: how the watched trails stand, at a glance."""

from __future__ import annotations

import os

import click

from integrity.cli.options import shape_option, verbose_option
from integrity.cli.output import open_output
from integrity.cli.times import read_clock
from integrity.record import ExitStatus

EPILOG = """
\b
Examples:
  integrity status
  integrity status --days 7 --format json

\b
Exit status, however the trails stand:
    0  it was shown
    2  usage or configuration error
    3  the store or the records do not answer
   70  a fault of the program itself
"""


@click.command(epilog=EPILOG, short_help="Show how the watched trails stand.")
@click.option(
    "--days",
    type=click.IntRange(0, 35),
    default=0,
    show_default=True,
    help="How many days before today the letters of hours begin.",
)
@shape_option("Lines for people, or one JSON document.")
@verbose_option
def status(days: int, shape: str, **_: bool) -> int:
    """Show of each trail the last tick, what is proven, what is open, and a line a chain.

    Letters of hours: P proven, E proven and empty, G gap, M missing, X invalid, U undetermined,
    '.' not due yet, '?' not told by any record. It reads what the service keeps, and nothing else.
    """
    from integrity.report.standing import encode_standing
    from integrity.report.standing_text import render_standing
    from integrity.wiring.configuration import load_config
    from integrity.wiring.service import Service
    from integrity.wiring.standing import Standings
    from integrity.wiring.timetable import Timetable

    config = load_config(os.environ)
    service = Service(config, read_clock)
    standings = Standings(service, config, Timetable(config.service), read_clock, days=days)
    standing = standings.read()
    with open_output(None) as output:
        if shape == "json":
            output.write(encode_standing(standing).decode() + "\n")
        else:
            output.write("".join(f"{line}\n" for line in render_standing(standing)))
    return ExitStatus.VALID
