"""`integrity outbox`: messages that have not arrived, and sending them again."""

from __future__ import annotations

import click

from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.cli.options import verbose_option
from integrity.cli.watching import open_service
from integrity.errors import AccessError
from integrity.record import ExitStatus
from integrity.state import Letter

EPILOG = """
\b
Examples:
  integrity outbox list
  integrity outbox replay
  integrity outbox replay 'ID'

\b
Exit status:
    0  done
    2  usage or configuration error
    3  a message was not taken again, or the store does not answer
   70  a fault of the program itself
"""


@click.group(epilog=EPILOG, short_help="List unsent messages, and send them again.")
def outbox() -> None:
    """List messages of the service that have not arrived, and send them again.

    Each is tried at every tick, for three days; then it is dead, and waits for `replay`.
    """


@outbox.command(name="list", short_help="List what has not arrived, dead letters included.")
@verbose_option
def list_(**_: bool) -> int:
    """List what has not arrived: id, state, attempts, destination, subject, last error."""
    for letter in open_service().store.unsent_letters():
        click.echo(_line(letter))
    return ExitStatus.VALID


@outbox.command(short_help="Send it again now.")
@click.argument("letter_id", metavar="[ID]", required=False)
@verbose_option
def replay(letter_id: str | None, **_: bool) -> int:
    """Send the message with this id again now, or all that have not arrived."""
    delivered = open_service().replay(letter_id)
    click.echo(f"{delivered.sent} of {delivered.due} messages arrived")
    if delivered.sent < delivered.due:
        raise AccessError("not every message was taken: `integrity outbox list` says why")
    return ExitStatus.VALID


def _line(letter: Letter) -> str:
    state = "dead" if letter.dead else f"due {format_instant(letter.due)}"
    columns = (
        letter.id,
        state,
        str(letter.attempts),
        letter.destination,
        letter.message.subject,
        letter.last_error,
    )
    return "\t".join(escape(" ".join(column.split())) for column in columns)
