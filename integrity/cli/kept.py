"""What `--resume` keeps of a verification, and what a person is told of it on standard error.

The file is there until everything that was asked for is written down: interrupted before, the same
command goes on from it. What met trouble is left in it too, to be read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrity.chain.terminal import escape
from integrity.report.words import counted

if TYPE_CHECKING:
    from integrity.stores.progress_file import ProgressFile
    from integrity.verify.resume import Keeping
    from integrity.verify.run import Verification


class Kept:
    """The file, where there is one, and how far each trail is."""

    def __init__(self, file: ProgressFile | None, name: str, *, quiet: bool) -> None:
        self._file, self._name, self._quiet = file, name, quiet
        self._done: list[str] = []
        self._left = 0
        self._cut = False

    def begin(self, trail_arn: str, *, is_fixed: bool) -> Keeping | None:
        """Where the parts of a trail are."""
        if self._file is None:
            return None
        from integrity.verify.resume import Keeping

        if self._file.is_begun(trail_arn):
            self._tell(f"{trail_arn}: goes on from what {self._name} has of it")
        return Keeping(self._file.of(trail_arn), is_fixed)

    def note(self, verification: Verification) -> None:
        """A trail's record is made, for what it is worth."""
        if verification.run.run.interrupted:
            self._cut = True
        elif verification.left:
            self._left += verification.left
        else:
            self._done.append(verification.run.trail_arn)

    def settle(self) -> None:
        """All is written down: what is done is not kept any more."""
        if self._file is None:
            return
        for trail_arn in self._done:
            self._file.forget(trail_arn)
        if self._cut:
            self._tell(f"the same command goes on from what {self._name} has")
        elif self._left:
            self._tell(
                f"{self._left} {counted(self._left, 'segment')} (a day of an account's region) met "
                "trouble; the same command reads no others again, and takes what came of them "
                f"from {self._name}"
            )

    def _tell(self, line: str) -> None:
        if not self._quiet:
            click.echo(escape(line), err=True)


@contextmanager
def open_kept(path: Path | None, *, quiet: bool) -> Iterator[Kept]:
    """The file at `path`, made where it is missing. Raises UsageError where it is another's."""
    if path is None:
        yield Kept(None, "", quiet=quiet)
        return
    from integrity.stores.progress_file import ProgressFile

    file = ProgressFile(path)
    try:
        yield Kept(file, str(path), quiet=quiet)
    finally:
        file.close()
