"""What the sources wait for meanwhile, on standard error, for who asked to see everything.

Nobody decides anything by it: it is Python's own log of this program, and of nothing else.
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
def notices(*, shown: bool) -> Iterator[None]:
    """Show them until the block ends, or not at all."""
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
