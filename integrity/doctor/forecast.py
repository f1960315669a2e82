"""What a month of watching costs in requests, from one day of each chain that was really listed.

Pure arithmetic, and every part of it is shown. It assumes that all days are like the sampled one
and that nothing is wrong; what one request costs is AWS's price list to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from msgspec import Struct

_PAGE = 1000
_DAYS = 30
_DAY_HOURS = 24
_ROOT_LISTS = 1
_LISTS_PER_ACCOUNT = 2


class Watching(Struct, frozen=True, kw_only=True):
    """How the past is watched. 0 `watch_days`: not at all; 0 `reprove_days`: not read again."""

    watch_days: int
    reprove_days: int
    overlap: timedelta
    ticks_a_day: int


class ChainDay(Struct, frozen=True):
    """What one day of an account's region holds."""

    account_id: str
    region: str
    digest_files: int
    log_files: int
    stored_bytes: int


class Requests(Struct, frozen=True, kw_only=True):
    """So many in a month. KMS is asked once a GET, unless bucket keys spare it that."""

    lists: int
    gets: int

    def __add__(self, other: Requests) -> Requests:
        return Requests(lists=self.lists + other.lists, gets=self.gets + other.gets)


class Line(Struct, frozen=True, kw_only=True):
    """One part of the bill, and how it was reckoned."""

    what: str
    requests: Requests
    because: str


class Forecast(Struct, frozen=True, kw_only=True):
    """A month of one trail. `chains` were found, `sampled` were listed; the rest is scaled."""

    trail_arn: str
    day: str
    chains: int
    sampled: int
    digest_files: int
    log_files: int
    stored_bytes: int
    by_kms: bool
    bucket_key: bool
    lines: tuple[Line, ...]

    @property
    def total(self) -> Requests:
        return sum((line.requests for line in self.lines), Requests(lists=0, gets=0))

    @property
    def kms_decrypts(self) -> int | None:
        """None where bucket keys leave it to S3 how often it asks."""
        if not self.by_kms:
            return 0
        return None if self.bucket_key else self.total.gets


def forecast(
    trail_arn: str,
    day: str,
    sample: Sequence[ChainDay],
    chains: int,
    watching: Watching,
    *,
    by_kms: bool,
    bucket_key: bool,
) -> Forecast | None:
    """The month, or None where nothing was found to reckon with."""
    if not sample or not chains:
        return None
    scale = chains / len(sample)
    digests = round(scale * sum(one.digest_files for one in sample))
    logs = round(scale * sum(one.log_files for one in sample))
    pages = round(scale * sum(_pages(one.log_files) for one in sample))
    month_pages = round(scale * sum(_pages(_DAYS * one.digest_files) for one in sample))
    accounts = len({one.account_id for one in sample})
    lines = [_ticks(watching, chains, round(scale * accounts), digests, logs, pages)]
    if watching.watch_days:
        lines.append(_watch(watching, chains, pages, month_pages))
    if watching.watch_days and watching.reprove_days:
        lines.append(_reprove(watching, chains, digests, logs, pages))
    return Forecast(
        trail_arn=trail_arn,
        day=day,
        chains=chains,
        sampled=len(sample),
        digest_files=digests,
        log_files=logs,
        stored_bytes=round(scale * sum(one.stored_bytes for one in sample)),
        by_kms=by_kms,
        bucket_key=bucket_key,
        lines=tuple(lines),
    )


def _pages(objects: int) -> int:
    """S3 lists a thousand at a time, and an empty folder costs one request too."""
    return max(1, ceil(objects / _PAGE))


def _ticks(
    watching: Watching, chains: int, accounts: int, digests: int, logs: int, pages: int
) -> Line:
    """Each lists what the overlap holds and the time since, from the folders of a day or of two.

    Where the past is watched, what it reads is new, with one digest of a chain before it for the
    link; otherwise it reads all of that.
    """
    ticks, watches = watching.ticks_a_day * _DAYS, bool(watching.watch_days)
    new = _DAY_HOURS / watching.ticks_a_day
    listed = watching.overlap / timedelta(hours=1) + new
    hours = new if watches else listed
    folders = _ROOT_LISTS + _LISTS_PER_ACCOUNT * accounts
    lists = folders + round((1 + listed / _DAY_HOURS) * (chains + pages))
    gets = round(hours / _DAY_HOURS * (digests + logs)) + chains * watches
    return Line(
        what="hourly ticks" if watching.ticks_a_day == _DAY_HOURS else "ticks",
        requests=Requests(lists=ticks * lists, gets=ticks * gets),
        because=(
            f"{ticks} ticks x ({lists} LIST; {gets} GET: {hours:g} of 24 hours of {digests} digest "
            f"and {logs} log files{', and one digest a chain' * watches})"
        ),
    )


def _watch(watching: Watching, chains: int, pages: int, month_pages: int) -> Line:
    """Each watched day's log folder once a day, and the digests' by month."""
    months = ceil(watching.watch_days / _DAYS) + 1
    lists = watching.watch_days * pages + months * month_pages
    return Line(
        what="watching the past",
        requests=Requests(lists=_DAYS * lists, gets=0),
        because=(
            f"{_DAYS} days x ({watching.watch_days} watched days x {pages} LIST of log files, "
            f"{months} months x {month_pages} LIST of digest files) for {chains} chains"
        ),
    )


def _reprove(watching: Watching, chains: int, digests: int, logs: int, pages: int) -> Line:
    """Each watched day read whole, so often that none is older than `reprove_days`."""
    days = ceil(watching.watch_days * _DAYS / watching.reprove_days)
    lists, gets = pages + chains, digests + logs
    return Line(
        what="proving it again",
        requests=Requests(lists=days * lists, gets=days * gets),
        because=(
            f"{days} days ({watching.watch_days} watched, each once in {watching.reprove_days} "
            f"days) x ({lists} LIST, {gets} GET)"
        ),
    )
