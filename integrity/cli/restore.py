"""`integrity restore`: the commands that bring proven originals back, from records alone.

It prints and does nothing: no network, no credentials.
"""

from __future__ import annotations

from pathlib import Path

import click

from integrity.cli.options import verbose_option
from integrity.cli.output import open_output
from integrity.cli.report import read_records
from integrity.record import ExitStatus
from integrity.report.restore import render_restore

EPILOG = """
\b
Examples:
  integrity verify --last 7d --format json --output record.json
  integrity restore record.json --output restore.sh
      Read it, and run it: bash restore.sh

\b
Exit status:
    0  the commands were written, however many there are
    2  usage error, or a file that is no record; nothing was written
   70  a fault of the program itself
"""


@click.command(epilog=EPILOG, short_help="Print the commands that bring originals back.")
@click.argument(
    "files",
    metavar="RECORD...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write to this file, at one stroke.  [default: standard output]",
)
@click.option(
    "--remove-markers",
    is_flag=True,
    help="Where only delete markers hide an original, remove them: exact, but the trace goes too.",
)
@verbose_option
def restore(
    *, files: tuple[Path, ...], output: Path | None, remove_markers: bool, **_: bool
) -> int:
    """Print the aws commands that bring back what was altered or deleted in a versioned bucket.

    Of the records that 'verify --format json' wrote, each version that was proven to be what
    CloudTrail delivered is copied upon its object, with its metadata. The commands need rights that
    integrity itself never has.
    """
    records = [one for file in files for one in read_records(file)]
    with open_output(output) as script:
        script.write(render_restore(records, remove_markers=remove_markers))
    return ExitStatus.VALID
