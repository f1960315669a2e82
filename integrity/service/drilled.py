"""How a drill ended, hop by hop, and its one JSON form."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct

from integrity.chain.times import format_instant

SCHEMA_VERSION = 1


class Sight(StrEnum):
    """What became of a hop."""

    DONE = "done"
    FAILED = "failed"
    UNSEEN = "not seen"


class Hop(Struct, frozen=True, kw_only=True):
    """One step of the way. `has_to_be`: unless it is done, the drill has not passed."""

    name: str
    place: str
    sight: Sight
    detail: str = ""
    seconds: float | None = None
    has_to_be: bool = True


class Drilled(Struct, frozen=True, kw_only=True):
    """How a drill of one trail ended. `by` is who made it, where AWS says so."""

    id: str
    trail_arn: str
    by: str | None
    started_at: datetime
    finished_at: datetime
    hops: tuple[Hop, ...]
    interrupted: bool = False

    @property
    def has_passed(self) -> bool:
        """Whether the whole way was seen to work."""
        return not self.interrupted and not self.missing

    @property
    def missing(self) -> tuple[Hop, ...]:
        """What has failed, and what had to be seen and was not."""
        return tuple(
            hop
            for hop in self.hops
            if hop.sight is Sight.FAILED or (hop.has_to_be and hop.sight is not Sight.DONE)
        )


def encode(drilled: Drilled) -> bytes:
    """What is kept of it, and what `--format json` shows: one line, UTF-8."""
    return msgspec.json.encode(
        {
            "schema_version": SCHEMA_VERSION,
            "drill_id": drilled.id,
            "trail_arn": drilled.trail_arn,
            "by": drilled.by,
            "started_at": format_instant(drilled.started_at),
            "finished_at": format_instant(drilled.finished_at),
            "passed": drilled.has_passed,
            "interrupted": drilled.interrupted,
            "hops": [
                {
                    "hop": hop.name,
                    "place": hop.place,
                    "result": hop.sight.value,
                    "seconds": None if hop.seconds is None else round(hop.seconds, 3),
                    "has_to_be": hop.has_to_be,
                    "detail": hop.detail,
                }
                for hop in drilled.hops
            ],
        }
    )
