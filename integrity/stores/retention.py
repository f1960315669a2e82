"""How long a store keeps what no next tick needs any more. Checkpoints and open incidents stay."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct


class Retention(Struct, frozen=True, kw_only=True):
    """Spans back from the end of the newest tick, or from the moment that a letter arrived.

    `sent` is how long a letter that has arrived is remembered, so that the same news of a repeated
    commit is not sent again. Letters that have not arrived are kept until they do. `sightings` is
    how long an event that was seen live waits for the log file that confirms it.
    """

    runs: timedelta = timedelta(days=400)
    resolved: timedelta = timedelta(days=400)
    sent: timedelta = timedelta(days=30)
    sightings: timedelta = timedelta(days=30)


USUAL = Retention()
