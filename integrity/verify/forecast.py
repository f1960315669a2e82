"""What a verification will take, from listings alone: files, bytes, requests.

No object is read. What a listing shows of a chain is counted by name; what the digests will name
is not known before they are read, so log files that no digest names are counted too. The requests
are those of a trail in which nothing is wrong: what is missing, or contradicts itself, is asked for
again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct

from integrity.chain.model import (
    ChainId,
    ChainKind,
    Listed,
    Root,
    TimeWindow,
    Unreachable,
)
from integrity.chain.names import digest_folder, is_marker, log_folder, parse_digest, parse_log
from integrity.chain.times import DAY, HOUR, day_folder, day_of
from integrity.structs import replace
from integrity.verify.counted import CountedKeys, CountedObjects, pages
from integrity.verify.job import Job
from integrity.verify.listing import days_from, same_chain
from integrity.verify.parallel import Stopping, each
from integrity.verify.plan import Plan, make_plan
from integrity.verify.ports import Untold
from integrity.verify.run import Sources
from integrity.verify.segment import Segment
from integrity.verify.tools import Tools

SCHEMA_VERSION = 1


class Share(Struct, frozen=True, kw_only=True):
    """One account and region. `chains` counts its backfill chain where it shows digests."""

    account_id: str
    region: str
    chains: int
    digest_files: int
    log_files: int
    stored_bytes: int


class Requests(Struct, frozen=True, kw_only=True):
    """How many of the requests whose number grows with a trail."""

    list_objects: int
    get_object: int
    list_public_keys: int


class Forecast(Struct, frozen=True, kw_only=True):
    """What a verification of the same will take; `made` are the requests of the forecast itself.

    `unlisted` says what could not be listed and is not counted; with it, or `interrupted`, it will
    be more.
    """

    schema_version: int = SCHEMA_VERSION
    trail_arn: str
    window: TimeWindow
    shares: tuple[Share, ...]
    made: Requests
    needed: Requests
    unlisted: tuple[str, ...] = ()
    interrupted: bool = False


def forecast_trail(job: Job, sources: Sources, *, now: datetime, stopping: Stopping) -> Forecast:
    """List what a verification of the job would read, and count."""
    listed, asked = CountedObjects(sources.objects), CountedKeys(sources.keys)
    with ThreadPoolExecutor(job.concurrency) as executor:
        tools = Tools(listed, asked, sources.retention, executor, now, Untold(), stopping)
        plan = make_plan(job, tools, sources.witnesses)
        planning = Requests(list_objects=listed.number, get_object=0, list_public_keys=asked.number)
        counted = _Listing(job, plan, tools).count()
    unlisted = [*(one.detail for one in plan.unlisted), *counted.unlisted]
    return Forecast(
        trail_arn=job.trail.arn,
        window=job.window,
        shares=tuple(counted.share(chain) for chain in plan.segments),
        made=replace(planning, list_objects=listed.number),
        needed=counted.needed(planning),
        unlisted=tuple(dict.fromkeys(unlisted)),
        interrupted=stopping.is_set(),
    )


class _Place(Struct, frozen=True):
    """What is listed for a chain: its digests or its log files, of some days, under one root."""

    chain: ChainId
    root: Root
    is_digests: bool
    prefix: str


@dataclass(slots=True)
class _Counts:
    """What was listed of a chain; `by_day` counts the objects of each folder."""

    digests: Counter[ChainKind] = field(default_factory=Counter)
    logs: int = 0
    stored_bytes: int = 0
    by_day: Counter[tuple[Root, bool, datetime]] = field(default_factory=Counter)
    unlisted: list[str] = field(default_factory=list)


class _Listing:
    def __init__(self, job: Job, plan: Plan, tools: Tools) -> None:
        self._job, self._plan, self._tools = job, plan, tools
        self._counts = {chain: _Counts() for chain in plan.segments}

    def count(self) -> _Listing:
        """List everything, a month at a time where a whole one is meant."""
        listed = each(
            self._tools.executor,
            self._list,
            list(self._places()),
            in_flight=2 * self._job.concurrency,
            stopping=self._tools.stopping,
        )
        for place, counts in listed:
            self._add(self._counts[place.chain], counts)
        return self

    def _places(self) -> Iterator[_Place]:
        for chain, segments in self._plan.segments.items():
            for root in (chain.root, *self._plan.expected[chain].beside):
                for is_digests in (True, False) if self._reads_logs else (True,):
                    for prefix in _prefixes(self._meant(segments, is_digests=is_digests)):
                        yield _Place(chain, root, is_digests, prefix)

    @property
    def _reads_logs(self) -> bool:
        return self._job.log_files or self._job.unreferenced

    def _meant(self, segments: list[Segment], *, is_digests: bool) -> TimeWindow:
        """The times of what the segments' digests are, or name."""
        start, end = segments[0].span.start, segments[-1].span.end
        return self._so_far(TimeWindow(start if is_digests else start - HOUR, end))

    def _so_far(self, meant: TimeWindow) -> TimeWindow:
        """Nothing is named for a later time, save a little by clocks that go wrong."""
        end = max(meant.start, min(meant.end, self._tools.now + DAY))
        return TimeWindow(meant.start, end)

    def _list(self, place: _Place) -> _Counts:
        chain, counts = place.chain, _Counts()
        folder = digest_folder if place.is_digests else log_folder
        prefix = folder(place.root, chain.account_id, chain.region) + place.prefix
        meant = self._meant(self._plan.segments[chain], is_digests=place.is_digests)
        for listed in self._tools.objects.list_objects(place.root.bucket, prefix):
            if isinstance(listed, Unreachable):
                counts.unlisted.append(f"{listed.location.uri}: {listed.detail}")
            elif not is_marker(listed.location.key, listed.size):
                self._take(counts, place, meant, listed)
        return counts

    def _take(self, counts: _Counts, place: _Place, meant: TimeWindow, listed: Listed) -> None:
        if place.is_digests:
            digest = parse_digest(listed.location)
            if digest is None or not meant.holds(digest.end):
                return
            standard = replace(digest.chain, kind=ChainKind.STANDARD)
            counts.by_day[place.root, True, day_of(digest.end)] += 1
            if not same_chain(standard, place.chain):
                return  # another trail's
            counts.digests[digest.chain.kind] += 1
        else:
            log = parse_log(listed.location)
            if log is None or not meant.holds(log.time):
                return
            counts.by_day[place.root, False, day_of(log.time)] += 1
            counts.logs += 1
        counts.stored_bytes += listed.size

    def _add(self, counts: _Counts, more: _Counts) -> None:
        counts.digests += more.digests
        counts.logs += more.logs
        counts.stored_bytes += more.stored_bytes
        counts.by_day += more.by_day
        counts.unlisted += more.unlisted

    # What it comes to

    @property
    def unlisted(self) -> list[str]:
        return [detail for counts in self._counts.values() for detail in counts.unlisted]

    def share(self, chain: ChainId) -> Share:
        """What a chain takes."""
        counts = self._counts[chain]
        return Share(
            account_id=chain.account_id,
            region=chain.region,
            chains=1 + (ChainKind.BACKFILL in counts.digests),
            digest_files=counts.digests.total(),
            log_files=counts.logs,
            stored_bytes=counts.stored_bytes,
        )

    def needed(self, planning: Requests) -> Requests:
        """The requests of a verification: the plan's, and each segment's."""
        segments = [part for parts in self._plan.segments.values() for part in parts]
        digests = sum(counts.digests.total() for counts in self._counts.values())
        logs = sum(counts.logs for counts in self._counts.values()) * self._job.log_files
        # One digest beyond each segment's end is the second witness of its last one.
        beyond = sum(1 for part in segments if self._counts[part.chain].digests)
        listings = sum(self._listings(part) for part in segments)
        return replace(
            planning,
            list_objects=planning.list_objects + listings,
            get_object=digests + beyond + logs,
        )

    def _listings(self, segment: Segment) -> int:
        """A segment's listings, a day's folder each, and pages of those with many objects."""
        counts = self._counts[segment.chain].by_day
        number = 0
        for root in (segment.chain.root, *segment.beside):
            for is_digests in (True, False) if self._job.unreferenced else (True,):
                meant = self._so_far(segment.span if is_digests else segment.log_window)
                for day in days_from(meant.start, meant.end):
                    number += pages(counts[root, is_digests, day])
        return number


def _prefixes(meant: TimeWindow) -> Iterator[str]:
    """Whole months, and the days of those that are not."""
    days = days_from(meant.start, meant.end)
    left = set(days)
    for day in days:
        month = _days_of_month(day)
        if day not in left:
            continue
        if left.issuperset(month):
            left.difference_update(month)
            yield day_folder(day)[: len("2026/03/")]
        else:
            yield day_folder(day)


def _days_of_month(day: datetime) -> list[datetime]:
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - DAY
    return days_from(first, last)
