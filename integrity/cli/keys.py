"""`integrity keys`: CloudTrail's public keys in a file, for whoever cannot ask for them later."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from integrity.chain.terminal import escape
from integrity.cli.options import Parsed, profile_option, verbose_option, window_options
from integrity.cli.output import open_output
from integrity.cli.ports import wiring_of
from integrity.cli.times import asked_window, read_clock
from integrity.grammar import parse_region
from integrity.record import ExitStatus
from integrity.wiring import Access

EPILOG = """
\b
Examples:
  integrity keys --source-region eu-central-1 --last 7d --output keys.json
  integrity keys --source-region me-south-1 --source-region af-south-1 \\
      --start-time 2026-01-01 --end-time 2026-03-31 --profile other --output keys.json
  integrity verify --start-time 2026-01-01 --end-time 2026-03-31 --keys keys.json

\b
Exit status:
    0  the keys were saved
    2  usage error, no credentials
    3  AWS would not answer for a region; nothing was saved
   70  a fault of the program itself
"""


@click.command(epilog=EPILOG, short_help="Save CloudTrail's public keys to a file.")
@click.option(
    "--source-region",
    "regions",
    metavar="R",
    multiple=True,
    required=True,
    type=Parsed("region", parse_region),
    help="The region whose log files the keys sign; repeatable.",
)
@window_options
@click.option(
    "--output",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Write to this file, at one stroke.",
)
@profile_option
@verbose_option
@click.pass_context
def keys(
    context: click.Context,
    /,
    regions: tuple[str, ...],
    start_time: datetime | None,
    end_time: datetime | None,
    last: timedelta | None,
    output: Path,
    profile: str | None,
    **_: bool,
) -> int:
    """Save the public keys with which CloudTrail signs a region's digest files.

    'integrity verify --keys FILE' reads them, for regions that the verifying account has not
    enabled. The file is trusted like AWS's own answer: keep it where nobody else can write.
    """
    now = read_clock()
    window = asked_window(start=start_time, end=end_time, last=last, now=now)
    wanted = tuple(dict.fromkeys(regions))
    with open_output(output) as file:
        connection = wiring_of(context).connect(Access(profile=profile), now=now)
        file.write(connection.save_keys(wanted, window))
    saved = escape(f"saved the public keys of {', '.join(wanted)} to {output}")
    click.echo(saved, err=True)
    return ExitStatus.VALID
