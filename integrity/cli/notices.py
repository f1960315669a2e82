"""What is logged meanwhile: on standard error for who asked to see everything, else not shown.

Nobody decides anything by it. The libraries' warnings are not for a person either: Python itself
would print them with a traceback, and what they mean is said by whoever called the library.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from integrity.chain.terminal import escape


class _Notices(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(escape(record.getMessage()), err=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that is logged is shown, until the block ends or somebody opens a log."""
    root, nobody = logging.getLogger(), logging.NullHandler()
    root.addHandler(nobody)
    try:
        yield
    finally:
        root.removeHandler(nobody)


@contextmanager
def notices(*, shown: bool) -> Iterator[None]:
    """Show what the sources wait for until the block ends, or not at all."""
    log = logging.getLogger("integrity")
    level, handler = log.level, _Notices()
    if shown:
        log.addHandler(handler)
        log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
