"""`integrity run`: one tick of the service, as a scheduled task makes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from integrity.chain.terminal import escape
from integrity.cli.interrupt import interruptible
from integrity.cli.options import verbose_option
from integrity.cli.output import open_output
from integrity.cli.watching import open_service
from integrity.record import worst_status

if TYPE_CHECKING:
    from integrity.wiring.service import TrailTick

EPILOG = """
\b
Examples:
  INTEGRITY_CONFIG=integrity.toml integrity run
  INTEGRITY_CONFIG_TOML="$(cat integrity.toml)" integrity run

\b
Exit status:
    0  valid: every file expected is there, signed, linked and unchanged
    1  invalid: files were changed, removed or forged
    2  usage or configuration error, no credentials, unknown trail
    3  undetermined: could not tell, or nothing was found
   70  a fault of the program itself
  130  interrupted; what was judged so far is written
The worst counts: of several trails, and of all that was looked at, which open incidents and past
days are too.
"""


@click.command(epilog=EPILOG, short_help="Make one tick of the service.")
@verbose_option
def run(**_: bool) -> int:
    """Verify the configured trails since the last tick, keep the records, tell who has to know.

    The configuration is INTEGRITY_CONFIG's or INTEGRITY_CONFIG_TOML's (see `integrity config`). The
    log goes to standard error, one JSON object a line; standard output has a line a trail.
    """
    service = open_service()
    with interruptible() as stopping:
        ticks = service.tick(stopping)
    with open_output(None) as output:
        for columns in _outcomes(ticks):
            output.write("\t".join(map(escape, columns)) + "\n")
    return worst_status([tick.status for tick in ticks])


def _outcomes(ticks: Iterable[TrailTick]) -> Iterator[tuple[str, str, str]]:
    """What came of each trail, the trail, and how much or why."""
    for tick in ticks:
        if tick.run is not None:
            findings = sum(finding.count for finding in tick.run.findings)
            yield tick.run.outcome.value, tick.trail_arn, f"{findings} findings"
        if tick.error:
            what = "not verified" if tick.run is None else "not told"
            yield what, tick.trail_arn, tick.error
