"""`integrity health`: whether the scheduler of this container is awake and well."""

from __future__ import annotations

import click

from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.cli.options import verbose_option
from integrity.cli.times import read_clock
from integrity.record import ExitStatus

EPILOG = """
\b
Exit status:
    0  the last tick went through to its end, and the next one is not overdue
    3  it did not, none has ended yet, or it is overdue
   70  a fault of the program itself
"""


@click.command(epilog=EPILOG, short_help="Say whether the scheduler is awake and well.")
@verbose_option
def health(**_: bool) -> int:
    """Say whether the scheduler in this container is awake and well.

    It is the image's HEALTHCHECK. What the ticks found does not matter to it.
    """
    from integrity.wiring.health import check_health

    last = check_health(read_clock())
    click.echo(
        escape(
            f"healthy: the last tick ended {format_instant(last.ticked_at)}, the next one is due "
            f"by {format_instant(last.due_by)}"
        )
    )
    return ExitStatus.VALID
