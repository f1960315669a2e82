"""Whether the service is awake and well, as a file that its own container can ask.

The scheduler writes it after each tick; `integrity health` reads it. Healthy means: the last tick
of every trail went through to its end, and the next one is not overdue. What it found does not
matter here.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from logging import getLogger
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from integrity.chain.times import format_instant
from integrity.errors import AccessError

_log = getLogger(__name__)


class Health(Struct, frozen=True, kw_only=True):
    """What the scheduler last knew. `due_by` is when the next tick must have ended."""

    ticked_at: Annotated[datetime, msgspec.Meta(tz=True)]
    succeeded: bool
    due_by: Annotated[datetime, msgspec.Meta(tz=True)]
    error: str = ""


def health_file() -> Path:
    """Where it is: in the folder for temporary files, or the working one if nobody can write there.

    Raises OSError where that one is read-only, too.
    """
    return Path(tempfile.gettempdir()) / "integrity-health.json"


def note_tick(now: datetime, error: str, *, due_by: datetime) -> None:
    """Say how a tick ended: well, where `error` is empty. Whoever reads sees all of it or the old.

    A full disk is no reason to end the service: then the last word grows old, and speaks.
    """
    health = Health(ticked_at=now, succeeded=not error, due_by=due_by, error=error)
    try:
        path = health_file()
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_bytes(msgspec.json.encode(health))
        fresh.replace(path)
    except OSError as refused:
        _log.error("health not written", extra={"error": str(refused)})


def forget_ticks() -> None:
    """Say that none has ended yet: what an earlier process said is not for this one to claim."""
    try:
        health_file().unlink(missing_ok=True)
    except OSError as refused:
        _log.error("health not written", extra={"error": str(refused)})


def check_health(now: datetime) -> Health:
    """What was written last. Raises AccessError, which says why, where the service is not well."""
    try:
        health = msgspec.json.decode(health_file().read_bytes(), type=Health)
    except FileNotFoundError as error:
        raise AccessError(f"no tick has ended yet ({error})") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise AccessError(f"what the last tick said cannot be read: {error}") from error
    if not health.succeeded:
        raise AccessError(f"the tick of {format_instant(health.ticked_at)} failed: {health.error}")
    if now > health.due_by:
        raise AccessError(f"no tick has ended since {format_instant(health.ticked_at)}")
    return health
