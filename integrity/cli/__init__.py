"""The command line: the outermost edge, where every error becomes a sentence and an exit status.

A verdict is never decided here, and no error ever looks like one: 0 and 1 come from a record alone.
"""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from integrity.chain.terminal import escape
from integrity.cli.group import program
from integrity.cli.interrupt import leave
from integrity.cli.notices import quiet
from integrity.cli.output import PIPE_CLOSED, silence_stdout
from integrity.errors import AccessError, ConfigError, UsageError
from integrity.record import ExitStatus

if TYPE_CHECKING:
    from integrity.cli.ports import Wiring

_ALLOCATIONS_BETWEEN = 20_000


def main(arguments: Sequence[str] | None = None, *, wiring: Wiring | None = None) -> int:
    """Run a command and give its exit status. `wiring` replaces `integrity.wiring` in tests."""
    # What is loaded stays: looking through it for garbage again and again was a tenth of the start.
    gc.set_threshold(_ALLOCATIONS_BETWEEN)
    typed = sys.argv[1:] if arguments is None else list(arguments)
    status = _run(typed, wiring)
    if status == ExitStatus.INTERRUPTED:
        _tell("Interrupted: what was judged so far is written, and nothing is said of the rest.")
        if arguments is None:
            leave(status)
    return status


def _run(typed: list[str], wiring: Wiring | None) -> int:
    try:
        return _invoke(typed, wiring)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return ExitStatus.USAGE
    except ConfigError as error:
        _tell(f"Error: the configuration cannot be used; mistakes in it: {len(error.mistakes)}")
        for mistake in error.mistakes:
            _tell(f"  {mistake}")
        return ExitStatus.USAGE
    except UsageError as error:
        _tell(f"Error: {error}")
        return ExitStatus.USAGE
    except AccessError as error:
        _tell(f"Error: {error}")
        return ExitStatus.UNDETERMINED
    except (KeyboardInterrupt, click.Abort):
        return ExitStatus.INTERRUPTED
    except Exception as fault:  # noqa: BLE001 - the one edge behind which there is only the shell
        if isinstance(fault, OSError) and fault.errno in PIPE_CLOSED and _reader_left():
            return ExitStatus.UNDETERMINED
        return _confess(fault, verbose="--verbose" in typed)


def _invoke(typed: list[str], wiring: Wiring | None) -> int:
    # click's own `main` ends with status 1, which means invalid, where a pipe was closed.
    with quiet(), program.make_context("integrity", typed, obj=wiring) as context:
        status = program.invoke(context)
    return int(status)


def _reader_left() -> bool:
    """Whether it is our own output (click's help) that nobody reads; if so, be quiet about it.

    Sockets break like pipes. Only a write can tell: what failed before may be dropped by now.
    """
    try:
        print(flush=True)
    except OSError:
        silence_stdout()
        return True
    return False


def _confess(fault: Exception, *, verbose: bool) -> int:
    """Say that the program itself is at fault, in a way that cannot be taken for a verdict."""
    if verbose:
        for line in "".join(traceback.format_exception(fault)).splitlines():
            _tell(line)
    _tell(
        f"Error: integrity failed by a fault of its own ({type(fault).__name__}: {fault}); this "
        "says nothing about the trail. Please report it to the maintainers"
        + (
            ", with the lines above."
            if verbose
            else ", with what it prints when run with --verbose."
        )
    )
    return ExitStatus.FAULT


def _tell(line: str) -> None:
    click.echo(escape(line), err=True)
