"""Where a report goes: to standard output as it is made, or to a file at one stroke.

A file is written beside its place and put there whole, so that nobody ever reads half a report, and
what stood there before stays until the new one is complete. Who closes the pipe that we write to
misses the text, never the exit status. Nothing is decided here about what is written.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

import click

from integrity.errors import UsageError

# Windows says EINVAL where a pipe was closed.
PIPE_CLOSED = (errno.EPIPE, errno.EINVAL) if os.name == "nt" else (errno.EPIPE,)


class Output(Protocol):
    """Written to from many threads. `colour` says whether a person looks at a terminal."""

    colour: bool
    terminal: bool

    def write(self, text: str | bytes) -> None:
        """Add to the report."""


class StandardOutput:
    """Standard output."""

    def __init__(self) -> None:
        self.terminal = is_terminal(sys.stdout)
        self.colour = self.terminal and wants_colour()
        self._lock = threading.Lock()
        self._open = True

    def write(self, text: str | bytes) -> None:
        """Show it at once. Raises UsageError where standard output takes no more."""
        with self._lock:
            if not self._open:
                return
            try:
                click.echo(text, nl=False, color=self.colour)
            except OSError as error:
                self._open = False
                silence_stdout()
                if error.errno not in PIPE_CLOSED:
                    raise unwritable("standard output", error) from error


class FileOutput:
    """A file that is not there yet."""

    colour = False
    terminal = False

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._lock = threading.Lock()

    def write(self, text: str | bytes) -> None:
        """Add to the file. Raises UsageError where the disk takes no more."""
        with self._lock:
            try:
                self._file.write(text.encode() if isinstance(text, str) else text)
            except OSError as error:
                raise unwritable(self._name, error) from error


@contextmanager
def open_output(path: Path | None) -> Iterator[Output]:
    """Standard output where `path` is None, or else the file, which is there when the block ends.

    A run that is interrupted leaves what was judged so far; one that fails leaves nothing, and the
    file as it was before. Raises UsageError, before anything is done, where the folder is missing.
    """
    if path is None:
        yield StandardOutput()
        return
    with _replacing(path) as file:
        yield FileOutput(file, str(path))


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    target = _target(path)
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        # Its mode is what any new file gets, unlike a temporary file's, which nobody else can read.
        file = part.open("xb")
    except OSError as error:
        raise unwritable(str(path), error) from error
    try:
        with file:
            try:
                yield file
            except KeyboardInterrupt:
                if file.tell():
                    _put(file, part, target, path)
                raise
            _put(file, part, target, path)
    finally:
        part.unlink(missing_ok=True)


def _put(file: BinaryIO, part: Path, target: Path, path: Path) -> None:
    try:
        file.flush()
        os.fsync(file.fileno())
        file.close()
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    except OSError as error:
        raise unwritable(str(path), error) from error


def _target(path: Path) -> Path:
    """Where the file really lies (a link stays a link), if a file can be put there."""
    try:
        target = path.resolve()
        there, ordinary, folder = target.exists(), target.is_file(), target.parent.is_dir()
    except (OSError, RuntimeError) as error:  # Python before 3.13 says so of a loop of links
        raise unwritable(str(path), error) from error
    if not folder:
        raise UsageError(
            f"{str(path)!r} cannot be written: there is no folder {str(target.parent)!r}; make it, "
            "or choose another file"
        )
    if there and not ordinary:
        raise UsageError(
            f"{str(path)!r} cannot be replaced: it is no ordinary file; choose another file, "
            "or leave it out to write to standard output"
        )
    return target


def unwritable(name: str, error: Exception) -> UsageError:
    """The error of a place that takes no text."""
    why = error.strerror if isinstance(error, OSError) else error
    return UsageError(f"{name!r} cannot be written: {why}; choose another file, and run again")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at the stream. There is none at all where the shell closed it."""
    return stream is not None and stream.isatty()


def wants_colour() -> bool:
    """Whether a terminal may be given colours: NO_COLOR (no-color.org) and a dumb one forbid it."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def silence_stdout() -> None:
    """Drop what standard output still holds: nobody reads it, and the flush at exit would fail."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
