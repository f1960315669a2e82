"""What was asked for, by whom, of which program and population, and with which keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from integrity.chain.model import TimeWindow


class Tool(Struct, frozen=True):
    """Which program judged."""

    name: str
    version: str


class Requested(Struct, frozen=True, kw_only=True):
    """What was asked for.

    `account_ids` and `source_regions` are null where nothing narrows the run. Without `log_files`
    those that digests name were not read, and count as undetermined.
    """

    start: datetime
    end: datetime
    account_ids: tuple[str, ...] | None = None
    source_regions: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    unreferenced: bool = True
    allow_gaps: bool = False
    log_files: bool = True

    @property
    def window(self) -> TimeWindow:
        return TimeWindow(self.start, self.end)

    @property
    def narrowed(self) -> bool:
        """Whether less than the whole trail was asked for."""
        return self.account_ids is not None or self.source_regions is not None or bool(self.ignored)


class RunInfo(Struct, frozen=True, kw_only=True):
    """Who verified, when, from what. `judged_at` is the one `now` that every judgement used.

    An `interrupted` run holds what was judged until then. `stored_bytes` of log files were read, as
    they are stored; `previous_sha256` is of the record that was written before this one. One that
    went on after an interruption, at the times `resumed_at`, speaks of each object as of when it
    was read, between `started_at` and `finished_at`.
    """

    id: str
    caller_arn: str | None
    configuration_sha256: str
    source: str
    started_at: datetime
    finished_at: datetime
    judged_at: datetime
    interrupted: bool = False
    stored_bytes: int = 0
    previous_sha256: str | None = None
    resumed_at: tuple[datetime, ...] = ()


class Expected(Struct, frozen=True):
    """A number of things that should be there and how many of them are."""

    expected: int
    found: int


class Origin(StrEnum):
    """Whose word it is that so many accounts, or regions, are expected.

    `bucket`: only what the bucket itself shows, which whoever owns it can change.
    """

    BUCKET = "bucket"
    TRAIL = "trail"
    TRAIL_STATUS = "trail_status"
    REGIONS = "regions"
    ORGANIZATION = "organization"
    REQUEST = "request"


class Population(Struct, frozen=True):
    """How many accounts, regions and chains were expected and found, and who was asked.

    `notes` has a line for each witness that could not be asked, with the permission that it needs;
    `unasked` names the calls in short, `organizations:ListAccounts denied`.
    """

    method: tuple[str, ...]
    accounts: Expected
    chains: Expected
    notes: tuple[str, ...] = ()
    regions: Expected = Expected(0, 0)
    accounts_from: Origin = Origin.BUCKET
    regions_from: Origin = Origin.BUCKET
    unasked: tuple[str, ...] = ()


class KeyRecord(Struct, frozen=True, kw_only=True):
    """One public key that a signature was verified with. `sha256` is of its DER."""

    region: str
    fingerprint: str
    sha256: str
    not_before: datetime
    not_after: datetime
    fetched_at: datetime
    origin: str
