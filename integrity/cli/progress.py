"""How far a run is, on standard error, and the valid files of a verbose one, as they are found.

Called from many threads; it decides nothing. The bar is drawn a few times a second at most, however
many files are done, and only where a person looks at a terminal.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

import click

from integrity.chain.model import S3Location
from integrity.cli.output import is_terminal
from integrity.report.text import render_valid_digest, render_valid_log

_BETWEEN_DRAWINGS = 0.1
"""Seconds."""

_UNITS = ("B", "kB", "MB", "GB", "TB")


class SilentProgress:
    """Tells nobody how far the run is; `tell_valid`, if any, gets a line for each valid file."""

    def __init__(self, tell_valid: Callable[[str], None] | None = None) -> None:
        self._tell_valid = tell_valid

    def __enter__(self) -> SilentProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is left open."""

    def expect(self, log_files: int) -> None:
        """So many more log files are going to be read."""

    def done(self, log_files: int, stored_bytes: int) -> None:
        """So many log files were read, of so many bytes as they are stored."""

    def valid_digest(self, location: S3Location) -> None:
        """This digest file is authentic and in its place."""
        if self._tell_valid:
            self._tell_valid(render_valid_digest(location) + "\n")

    def valid_log(self, location: S3Location) -> None:
        """This log file has the content that an authentic digest states."""
        if self._tell_valid:
            self._tell_valid(render_valid_log(location) + "\n")


class BarProgress(SilentProgress):
    """A bar with log files, files a second, bytes, and the time that is left."""

    def __init__(
        self,
        stream: TextIO,
        tell_valid: Callable[[str], None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(tell_valid)
        self._lock = threading.Lock()
        self._clock = clock
        self._started = clock()
        self._drawn = self._started
        self._files = self._bytes = self._waiting = 0
        self._bar = click.progressbar(
            length=0,
            label="Log files",
            show_pos=True,
            file=stream,
            item_show_func=self._speed,
        )

    def __enter__(self) -> BarProgress:
        self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Draw the last state and leave the bar on the screen."""
        with self._lock:
            self._draw()
            self._bar.__exit__(kind, error, trace)

    def expect(self, log_files: int) -> None:
        """So many more log files are going to be read."""
        with self._lock:
            self._bar.length = (self._bar.length or 0) + log_files
            # click calls a bar finished when it reaches a length that may still grow.
            self._bar.finished = False

    def done(self, log_files: int, stored_bytes: int) -> None:
        """So many log files were read, of so many bytes as they are stored."""
        with self._lock:
            self._files += log_files
            self._bytes += stored_bytes
            self._waiting += log_files
            if self._clock() - self._drawn >= _BETWEEN_DRAWINGS:
                self._draw()

    def _draw(self) -> None:
        self._drawn = self._clock()
        waiting, self._waiting = self._waiting, 0
        if waiting:
            self._bar.update(waiting)
        else:
            self._bar.render_progress()

    def _speed(self, _: int | None) -> str:
        seconds = max(self._clock() - self._started, 0.001)
        return f"{self._files / seconds:,.0f} files/s  {format_bytes(self._bytes)}"


def choose_progress(
    *, quiet: bool, tell_valid: Callable[[str], None] | None, lines_on_terminal: bool
) -> SilentProgress:
    """A bar where a person sees standard error and no lines of ours would run through it."""
    if quiet or lines_on_terminal or not is_terminal(sys.stderr):
        return SilentProgress(tell_valid)
    return BarProgress(sys.stderr, tell_valid)


def format_bytes(number: int) -> str:
    """`12.3 MB`, in powers of a thousand."""
    size = float(number)
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"
