"""Whether a place on disk would take what is kept: tried, with nothing left behind.

What is not there yet is not made: whoever makes it owns it, and that is to be the service.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

from integrity.errors import AccessError, UsageError
from integrity.stores.sqlite import SqliteStore

_NOBODYS = "doctor"
_EVER = datetime(2000, 1, 1, tzinfo=UTC)


def try_state_file(path: Path) -> str:
    """What was found out. Raises UsageError and AccessError as the store does."""
    if not path.exists():
        _try_folder(path.parent, f"the state file {path}")
        return "it is not there yet, and can be made"
    store = SqliteStore(path)
    try:
        # Of a letter that nobody knows it changes nothing, but it takes the lock of a writer.
        store.mark_sent(_NOBODYS, _EVER)
    finally:
        store.close()
    return "it can be written"


def try_records_folder(path: Path) -> str:
    """What was found out. Raises UsageError where it lies nowhere, AccessError where it refuses."""
    if path.is_dir():
        _try_folder(path, f"the records' folder {path}")
        return "records can be written"
    if path.exists():
        raise UsageError(f"the records' folder {path} is a file: name a folder")
    _try_folder(path.absolute().parent, f"the records' folder {path}")
    return "it is not there yet, and can be made"


def _try_folder(folder: Path, what: str) -> None:
    """Write a file there and take it away."""
    if not folder.is_dir():
        raise UsageError(f"{what} lies nowhere: make {folder} first")
    trial = folder / f".doctor.{secrets.token_hex(6)}.part"
    try:
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise AccessError(
            f"{what} cannot be written ({error.strerror or error}): allow {folder} to this user, "
            "and look at the volume that it lies on"
        ) from error
