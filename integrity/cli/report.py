"""`integrity report`: a page for auditors, and a table of findings, from records alone.

No network, no credentials and no clock: the same records make the same page in ten years.
"""

from __future__ import annotations

from pathlib import Path

import click

from integrity.cli.options import verbose_option
from integrity.cli.output import open_output
from integrity.errors import UsageError
from integrity.record import ExitStatus
from integrity.report.findings_csv import render_findings_csv
from integrity.report.page import render_page
from integrity.report.recorded import Recorded, decode_records

MOST_BYTES = 1 << 30
"""A record is a few megabytes at most; what is larger is none."""

EPILOG = """
\b
Examples:
  integrity verify --last 7d --format json --output record.json
  integrity report record.json --output report.html
  integrity report march.json april.json --output report.html --csv findings.csv

\b
Exit status:
    0  the report was written, whatever its verdict is
    2  usage error, or a file that is no record; nothing was written
   70  a fault of the program itself
"""


@click.command(epilog=EPILOG, short_help="Make a page for auditors of records.")
@click.argument(
    "files",
    metavar="RECORD...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@click.option(
    "--output",
    metavar="FILE.html",
    type=click.Path(path_type=Path),
    help="Write the page to this file, at one stroke.  [default: standard output, unless --csv]",
)
@click.option(
    "--csv",
    "table",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Write all findings to this file, a line each.",
)
@verbose_option
def report(*, files: tuple[Path, ...], output: Path | None, table: Path | None, **_: bool) -> int:
    """Make one self-contained page of the records that 'verify --format json' wrote.

    It answers what an auditor asks: what was asked and proven, which hours are not and why, who,
    with which keys and program, of what population, what it does not prove, and how to check it.
    """
    if output is not None and output == table:
        raise UsageError("--output and --csv name the same file: choose another for one of them")
    records = [one for file in files for one in read_records(file)]
    if table is not None:
        with open_output(table) as sheet:
            sheet.write(render_findings_csv(records))
    if output is not None or table is None:
        with open_output(output) as page:
            page.write(render_page(records))
    return ExitStatus.VALID


def read_records(file: Path) -> list[Recorded]:
    """The records in a file. Raises UsageError where it holds none."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{str(file)!r} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise UsageError(f"{str(file)!r} is no record: it is larger than {MOST_BYTES} bytes")
    try:
        return decode_records(content)
    except UsageError as error:
        raise UsageError(f"{str(file)!r}: {error}") from error
