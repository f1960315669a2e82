"""The command `integrity`: which commands there are, each imported only when it is called."""

from __future__ import annotations

import importlib

import click

from integrity import __version__

_COMMANDS = (
    "verify",
    "report",
    "restore",
    "find",
    "verify-evidence",
    "bundle",
    "trails",
    "keys",
    "run",
    "live",
    "status",
    "config",
    "doctor",
    "rules",
    "incidents",
    "ack",
    "state",
    "outbox",
    "drill",
    "health",
    "demo",
)
"""Each lives in the module of its name in this package, as an object of its name, a hyphen being an
underscore."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, the most wanted first."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, if there is one."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"integrity.cli.{name}")
        command: click.Command = getattr(module, name)
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with 'integrity trails', then 'integrity verify'; 'integrity demo' needs no AWS.",
)
@click.version_option(__version__, prog_name="integrity", message="%(prog)s %(version)s")
def program() -> None:
    """Prove that AWS CloudTrail's log files are what CloudTrail delivered."""
