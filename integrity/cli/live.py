"""`integrity live`: the command of a Lambda function that is handed events as they happen."""

from __future__ import annotations

import os

import click

from integrity.cli.options import verbose_option
from integrity.cli.times import read_clock
from integrity.errors import UsageError
from integrity.record import ExitStatus

EPILOG = """
\b
Exit status:
    2  usage or configuration error, a mistake in the rules, or not in Lambda
    3  the store, the configuration or Lambda's runtime interface cannot be reached
   70  a fault of the program itself
Otherwise it runs until Lambda ends it.
"""


@click.command(epilog=EPILOG, short_help="Take events as they happen, as AWS Lambda's function.")
@verbose_option
def live(**_: bool) -> int:
    """Take events as they happen: the command of a Lambda function made of the container image.

    Payloads of CloudWatch Logs subscriptions, and notifications of new log files from S3, direct or
    through SQS. What the rules match is told as `not yet proven` (docs/rules.md).
    """
    from integrity.wiring.live import open_live
    from integrity.wiring.runtime import ADDRESS, RuntimeApi

    address = os.environ.get(ADDRESS)
    if not address:
        raise UsageError(
            f"{ADDRESS} is not set: AWS Lambda sets it for a function made of the container image "
            "with this command; docs/rules.md has the templates"
        )
    RuntimeApi(address).serve(lambda: open_live(os.environ, read_clock).handle)
    return ExitStatus.VALID
