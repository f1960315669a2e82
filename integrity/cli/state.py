"""`integrity state accept`: a person takes what the bucket holds now for a trail's truth."""

from __future__ import annotations

import click

from integrity.chain.terminal import escape
from integrity.cli import interrupt
from integrity.cli.options import Parsed, verbose_option
from integrity.cli.watching import open_service
from integrity.grammar import parse_trail
from integrity.record import Acceptance, Run, exit_status

EPILOG = """
\b
Examples:
  integrity state accept arn:aws:cloudtrail:us-east-1:111122223333:trail/main \\
      --reason "digests of 3 March restored from the replica, change 4711"

\b
Exit status: that of 'integrity run'.
"""


@click.group(short_help="Settle what the service remembers of a trail.")
def state() -> None:
    """Settle what the service remembers of a trail."""


@state.command(epilog=EPILOG, short_help="Take what the bucket holds now for the truth.")
@click.argument("trail", metavar="TRAIL_ARN", type=Parsed("trail", parse_trail))
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the record.")
@verbose_option
def accept(trail: str, reason: str, **_: bool) -> int:
    """Take what the bucket holds now as the heads of a trail's chains.

    For a legitimate change: digest files that were moved, expired by hand, or restored with other
    content. It makes a tick. The old heads, who accepted (the caller's ARN), when and why stay in
    its record; what is wrong apart from that is still found.
    """
    service = open_service()
    with interrupt.interruptible() as stopping:
        run = service.accept(trail, reason, stopping)
    for line in _lines(run):
        click.echo(escape(line))
    return exit_status(run)


def _lines(run: Run) -> list[str]:
    if not run.accepted:
        return ["nothing was lost, so nothing had to be accepted"]
    return [_line(one) for one in run.accepted]


def _line(accepted: Acceptance) -> str:
    new = accepted.new.s3_uri if accepted.new is not None else "no digest"
    return (
        f"accepted {accepted.account_id} {accepted.region}: {new} in place of "
        f"{accepted.old.s3_uri} ({accepted.lost} lost)"
    )
