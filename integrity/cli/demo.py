"""`integrity demo`: hands over to the lab, which is an extra; nothing of it is here."""

from __future__ import annotations

import importlib

import click

from integrity.cli.options import verbose_option
from integrity.errors import UsageError


@click.command(short_help="See an attacker being found out, without an AWS account.")
@click.option(
    "--serve",
    is_flag=True,
    help="Leave the lab's server running, and print the environment for trying the AWS CLI.",
)
@verbose_option
def demo(*, serve: bool, **_: bool) -> int:
    """Build a trail on this machine, verify it, let an attacker loose, and verify it again."""
    try:
        story = importlib.import_module("integrity.lab.demo")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the demo needs the lab, which is not installed (no module {error.name}): "
            "pip install 'trail-integrity[lab]'"
        ) from error
    status: int = story.run(serve=serve)
    return status
