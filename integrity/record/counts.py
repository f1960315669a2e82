"""How much there was of what, in counts that balance: each file is counted once."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class DigestCounts(Struct, frozen=True):
    """Every digest that is expected, once; a missing one is invalid."""

    valid: int = 0
    invalid: int = 0
    undetermined: int = 0

    @property
    def total(self) -> int:
        return self.valid + self.invalid + self.undetermined

    def __add__(self, other: DigestCounts) -> DigestCounts:
        return DigestCounts(
            self.valid + other.valid,
            self.invalid + other.invalid,
            self.undetermined + other.undetermined,
        )


class LogCounts(Struct, frozen=True):
    """Every log file that an authentic digest names, once (the first three); and the others.

    `unattested`, `unreferenced` and `pending` are null where the log folders were not listed.
    """

    valid: int = 0
    invalid: int = 0
    undetermined: int = 0
    unattested: int | None = 0
    unreferenced: int | None = 0
    pending: int | None = 0

    @property
    def total(self) -> int:
        """How many log files authentic digests name."""
        return self.valid + self.invalid + self.undetermined

    def __add__(self, other: LogCounts) -> LogCounts:
        return LogCounts(
            self.valid + other.valid,
            self.invalid + other.invalid,
            self.undetermined + other.undetermined,
            _add(self.unattested, other.unattested),
            _add(self.unreferenced, other.unreferenced),
            _add(self.pending, other.pending),
        )


def _add(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


class Totals(Struct, frozen=True):
    """The counts of all chains together."""

    digest_files: DigestCounts = DigestCounts()
    backfill_digest_files: DigestCounts = DigestCounts()
    log_files: LogCounts = LogCounts()


class UnchangedHours(Struct, frozen=True):
    """Hours that an earlier run proved and that were not read again: they are listed as then.

    So many digest and log files they hold.
    """

    start: datetime
    end: datetime
    digest_files: int
    log_files: int


class PastCounts(Struct, frozen=True):
    """What one tick did for the days of the past, each of one account's region.

    So many are `watched`, and of these `sealed`; `listed` were listed again, `differing` of them
    differ from their seals; `read` is how many were verified whole.
    """

    watched: int = 0
    sealed: int = 0
    listed: int = 0
    differing: int = 0
    read: int = 0
