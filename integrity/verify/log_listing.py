"""The log folders of a span, each day by itself: what is worth keeping of them.

What digests name is sorted from what none of them names while the folders are listed. Nothing is
read, and nothing judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from integrity.chain.model import ChainId, Listed, Root, S3Location, TimeWindow, Unreachable
from integrity.chain.names import is_marker, log_folder, log_name_start, parse_log
from integrity.chain.times import DAY, HOUR, day_folder, day_of
from integrity.chain.trouble import is_archived
from integrity.verify.listing import days_from
from integrity.verify.named import NamedLogs
from integrity.verify.tools import Tools

_DELIVERY = timedelta(minutes=15)
"""So long after the minute in its name a log file is delivered at the latest, nearly always."""


@dataclass(slots=True)
class LogListing:
    """What is worth keeping of the log folders of a span.

    `left` are the log files that no digest of the span names, `rewritten` the LastModified of named
    ones that were written after their delivery, `archived` the storage class of those that cannot
    be read as they are; `found` says whether there was any log file of the span. `kept` are all
    that were written `since` a time, where anybody wants them.
    """

    left: list[Listed] = field(default_factory=list)
    rewritten: dict[S3Location, datetime] = field(default_factory=dict)
    archived: dict[S3Location, str] = field(default_factory=dict)
    unlisted: list[Unreachable] = field(default_factory=list)
    found: bool = False
    since: datetime | None = None
    kept: list[Listed] = field(default_factory=list)

    def take(self, listed: Listed | Unreachable, named: NamedLogs, window: TimeWindow) -> None:
        """Sort one answer of a listing."""
        if isinstance(listed, Unreachable):
            self.unlisted.append(listed)
            return
        if is_marker(listed.location.key, listed.size):
            return
        self.found = self.found or _lies_in(window, listed)
        if self.since is not None and listed.last_modified >= self.since:
            self.kept.append(listed)
        self.sort(listed, named)

    def sort(self, listed: Listed, named: NamedLogs) -> None:
        """Sort a log file by whether a digest names it."""
        if listed.location not in named:
            self.left.append(listed)
            return
        delivered_by = named.delivered_by(listed.location)
        if delivered_by is not None and listed.last_modified > delivered_by:
            self.rewritten[listed.location] = listed.last_modified
        if is_archived(listed):
            self.archived[listed.location] = listed.storage_class


def _lies_in(window: TimeWindow, listed: Listed) -> bool:
    """By the minute in its name, or where that says nothing by when it was written."""
    name = parse_log(listed.location)
    return window.holds(listed.last_modified if name is None else name.time)


def list_logs(
    chain: ChainId,
    roots: Iterable[Root],
    window: TimeWindow,
    named: NamedLogs,
    tools: Tools,
    *,
    since: datetime | None = None,
) -> LogListing:
    """The log files of the UTC days of a window, each day folder by itself.

    With `since`, all that were written since then are kept, those of the day before too.
    """
    listing = LogListing(since=since)
    prefixes = list(log_prefixes(chain, roots, window, tools.now, since=since))
    parts = tools.executor.map(lambda at: _list_one(at, named, window, tools, since), prefixes)
    for part in parts:
        listing.kept += part.kept
        listing.left += part.left
        listing.rewritten |= part.rewritten
        listing.archived |= part.archived
        listing.unlisted += part.unlisted
        listing.found = listing.found or part.found
    listing.left.sort(key=lambda listed: listed.location)
    return listing


def _list_one(
    where: tuple[str, str],
    named: NamedLogs,
    window: TimeWindow,
    tools: Tools,
    since: datetime | None,
) -> LogListing:
    listing = LogListing(since=since)
    for listed in tools.objects.list_objects(*where):
        listing.take(listed, named, window)
    return listing


def log_prefixes(
    chain: ChainId,
    roots: Iterable[Root],
    window: TimeWindow,
    now: datetime,
    *,
    since: datetime | None = None,
) -> Iterator[tuple[str, str]]:
    """Buckets, and what to list in them for a window.

    Log files that were written `since` some time, at the end of the day before the window, are
    listed too, hour by hour of their names.
    """
    for root in roots:
        for prefix in _prefixes(chain, root, window, now):
            yield root.bucket, prefix
        folder = log_folder(root, chain.account_id, chain.region)
        hour = window.start if since is None else since - _DELIVERY
        while hour < day_of(window.start):
            start = log_name_start(chain.account_id, chain.region, hour)
            yield root.bucket, folder + day_folder(hour) + start.removesuffix(f"{hour:%M}Z")
            hour = hour.replace(minute=0, second=0, microsecond=0) + HOUR


def _prefixes(chain: ChainId, root: Root, window: TimeWindow, now: datetime) -> list[str]:
    """The day folders of a window; of a day that it only touches, its first minute's names."""
    folder = log_folder(root, chain.account_id, chain.region)
    last = max(window.start, min(window.end, now + DAY))
    prefixes = [folder + day_folder(day) for day in days_from(window.start, last)]
    if window.start < last == day_of(last):
        prefixes[-1] += log_name_start(chain.account_id, chain.region, window.end)
    return prefixes
