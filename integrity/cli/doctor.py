"""`integrity doctor`: whether a configuration would work, tried as the service would do it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import click

from integrity.chain.terminal import escape
from integrity.cli.options import shape_option, verbose_option
from integrity.cli.output import open_output
from integrity.cli.times import read_clock
from integrity.doctor.check import Check, status_of
from integrity.doctor.forecast import Forecast
from integrity.doctor.text import encode_examination, render_check, render_end, render_forecast

EPILOG = """
\b
Examples:
  integrity doctor integrity.toml
  INTEGRITY_CONFIG=s3://settings/integrity.toml integrity doctor --format json
  docker exec integrity integrity doctor

\b
Exit status:
    0  nothing that the configuration needs is missing
    2  the configuration is wrong, or there are no credentials
    3  something that is needed is missing, or could not be tried
   70  a fault of the program itself
Of several, 2 counts before 3.
"""


@click.command(epilog=EPILOG, short_help="Try everything that a configuration needs.")
@click.argument("file", required=False)
@click.option(
    "--send",
    "sends",
    is_flag=True,
    help="Send a message, marked as a test, to every destination. Without it nobody is told.",
)
@shape_option("Lines for people as they come, or one JSON document.")
@verbose_option
def doctor(file: str | None, *, sends: bool, shape: str, **_: bool) -> int:
    """Try everything that the configuration FILE (or s3://BUCKET/KEY) needs, with the credentials
    that this command has: run it where the service runs, as the service.

    Each permission that is missing is printed as the IAM statement that grants it. Without FILE the
    environment says where the configuration is. It pages nobody: it writes one item of state and
    takes it away, one object a day beside the records, and a datapoint that no alarm looks at. Last
    comes what a month of watching will cost in requests.
    """
    from integrity.wiring.configuration import load_config

    config = load_config(os.environ, file)
    from integrity.wiring.doctor import examine

    checks: list[Check] = []
    forecasts: list[Forecast] = []
    with open_output(None) as output:
        for line in _lines(examine(config, read_clock, sends=sends), checks, forecasts):
            if shape == "text":
                output.write(f"{escape(line)}\n")
        if shape == "json":
            output.write(encode_examination(checks, forecasts) + "\n")
    return status_of(checks)


def _lines(
    examined: Iterable[Check | Forecast], checks: list[Check], forecasts: list[Forecast]
) -> Iterator[str]:
    """What is to be read, as it comes; what was found is kept in the two lists."""
    for one in examined:
        if isinstance(one, Check):
            checks.append(one)
            yield from render_check(one)
        else:
            forecasts.append(one)
    for forecast in forecasts:
        yield from render_forecast(forecast)
    yield from render_end(checks)
