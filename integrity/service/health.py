"""Whether the service is awake and well, as a file that its own container can ask.

Ticks write it; `integrity health` reads it. Healthy means: the last tick went through to its end,
and the next one is not overdue. What a tick found does not matter here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from integrity.chain.times import format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the scheduler last knew. `due_by` is when the next tick must have ended."""

    ticked_at: datetime
    succeeded: bool
    due_by: datetime
    error: str = ""


def write_health(path: Path, health: Health) -> None:
    """Replace the file in one step: whoever reads it sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(msgspec.json.encode(health))
    fresh.replace(path)


def read_health(path: Path) -> Health | None:
    """What was written last; None where nothing was, or nothing that makes sense."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Health)
    except (OSError, msgspec.MsgspecError):
        return None


def complaint(health: Health | None, now: datetime) -> str:
    """Why the service is not healthy; empty where it is."""
    if health is None:
        return "no tick has ended yet"
    if not health.succeeded:
        return f"the tick of {format_instant(health.ticked_at)} failed: {health.error}"
    if now > health.due_by:
        return f"no tick has ended since {format_instant(health.ticked_at)}"
    return ""
