"""Records in a folder. A record is whole or not there, and is never written over.

It lies under a name of its own until it is on the disk, and is then linked to its own. Whoever may
write into the folder can take a record away or put one there; see docs/trust.md.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from integrity.errors import AccessError, UsageError
from integrity.state import StoredRecord
from integrity.stores.record_names import (
    LEVELS,
    MAX_RECORD_BYTES,
    drill_name,
    newest_name,
    record_name,
    trail_folder,
)


class FolderRecords:
    """Records below `folder`, made where it is missing, but not what it lies in: that hides slips.

    Raises UsageError where that is missing, AccessError where it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        if not self._folder.parent.is_dir():
            raise UsageError(
                f"the records' folder {folder} lies nowhere: make {self._folder.parent} first"
            )
        with _translated(self._folder):
            self._folder.mkdir(exist_ok=True)

    def write(self, trail_arn: str, started_at: datetime, run_id: str, document: bytes) -> str:
        """Keep a record for ever; its URI, `file:///…`. The same one again changes nothing.

        Raises AccessError where it cannot be written or another one has its name, UsageError for an
        ARN or a run id that is none.
        """
        return self._keep(record_name(trail_arn, started_at, run_id), document)

    def write_drill(
        self, trail_arn: str, started_at: datetime, drill_id: str, document: bytes
    ) -> str:
        """Keep how a drill ended, beside the records; its URI. Raises as `write` does."""
        return self._keep(drill_name(trail_arn, started_at, drill_id), document)

    def _keep(self, name: str, document: bytes) -> str:
        path = self._folder / name
        with _translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
            try:
                _write_through(part, document)
                if not _is_placed(part, path) and path.read_bytes() != document:
                    raise AccessError(
                        f"{path} holds another record of the same run: it is left as it is; find "
                        "out who wrote it"
                    )
            finally:
                part.unlink(missing_ok=True)
            _sync_folders(path.parent, self._folder)
        return path.as_uri()

    def attach(self, trail_arn: str, started_at: datetime, run_id: str, signature: bytes) -> None:
        """Lay a signature beside a record; one that lies there is left. Raises as `write` does."""
        path = self._folder / f"{record_name(trail_arn, started_at, run_id)}.sig"
        with _translated(path):
            part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
            try:
                _write_through(part, signature)
                _is_placed(part, path)
            finally:
                part.unlink(missing_ok=True)
            _sync_folders(path.parent, self._folder)

    def newest(self, trail_arn: str) -> StoredRecord | None:
        """The record that was started last, or None. Raises AccessError and UsageError likewise."""
        folder = self._folder / trail_folder(trail_arn)
        with _translated(folder):
            for day in _days(folder):
                within = day.relative_to(folder).as_posix() + "/"
                name = newest_name(within, (path.name for path in day.iterdir()))
                if name is not None:
                    return _read(day / name)
        return None

    def read(self, trail_arn: str, started_at: datetime, run_id: str) -> StoredRecord | None:
        """The record of that run, or None. Raises AccessError and UsageError likewise."""
        path = self._folder / record_name(trail_arn, started_at, run_id)
        with _translated(path):
            return _read(path) if path.exists() else None


def _read(path: Path) -> StoredRecord:
    if path.stat().st_size > MAX_RECORD_BYTES:
        raise AccessError(f"{path} is larger than {MAX_RECORD_BYTES} bytes: this is no record")
    return StoredRecord(path.as_uri(), path.read_bytes())


def _days(folder: Path, level: int = 0) -> Iterator[Path]:
    """The day folders below, newest first."""
    if level == len(LEVELS):
        yield folder
        return
    if not folder.is_dir():
        return
    for below in sorted(folder.iterdir(), reverse=True):
        if LEVELS[level].fullmatch(below.name) and below.is_dir():
            yield from _days(below, level + 1)


def _write_through(path: Path, document: bytes) -> None:
    with path.open("xb") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())


def _is_placed(part: Path, path: Path) -> bool:
    """Whether the file got its name; False where the name is taken."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return False
    except OSError:
        # A volume without links. Between the question and the answer another could take the name;
        # the name has the id of one run in it, so there is no other.
        if path.exists():
            return False
        part.replace(path)
    return True


def _sync_folders(folder: Path, top: Path) -> None:
    """A file's name is on the disk when its folder is. Windows has no such call and no need."""
    if os.name != "posix":
        return
    while True:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if folder == top:
            return
        folder = folder.parent


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AccessError(
            f"records could not be written or read at {path} ({error.strerror or error}): allow "
            "the folder to this user, and look at the volume that it lies on"
        ) from error
