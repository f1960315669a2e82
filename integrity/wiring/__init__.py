"""Joins the rooms: opens what a command or the service asked for. It holds no judgement of its own.

The AWS SDK comes in with `sources`, which is imported where it is first needed: `--help` and a
usage error stay quick.
"""

from __future__ import annotations

from integrity.wiring.access import Access, Offline
from integrity.wiring.collecting import bundle_trail
from integrity.wiring.connection import Connection, SourcesRecipe, TrailListing, connect
from integrity.wiring.offline import open_offline

__all__ = [
    "Access",
    "Connection",
    "Offline",
    "SourcesRecipe",
    "TrailListing",
    "bundle_trail",
    "connect",
    "open_offline",
]
