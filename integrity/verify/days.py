"""Past days as their folders show them now, to be sealed or held against their seals.

Digest files are listed by the month where more than one day of it is wanted, log files by the day,
under every root of the trail. Nothing is read and nothing judged: what differs is verified by a
run of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from integrity.chain.model import Listed, Root, Unreachable
from integrity.chain.names import digest_folder, is_marker, log_folder, parse_digest
from integrity.chain.population import Pair
from integrity.chain.seal import Seal, entry_of, make_seal
from integrity.chain.times import day_folder, day_of
from integrity.chain.trouble import is_archived
from integrity.structs import replace
from integrity.verify.folders import find_folders
from integrity.verify.job import Job
from integrity.verify.parallel import each
from integrity.verify.tools import Tools

_AT_ONCE = 16
"""So many listings are in memory at a time, at some two hundred bytes an object."""

DayKey = tuple[str, str, datetime]
"""An account, a source region and a UTC midnight."""


class ListedDay(Struct, frozen=True):
    """What a day's folders show. `archived`: not all of it can be read as it is."""

    seal: Seal
    archived: bool = False


class _Folder(Struct, frozen=True):
    """One listing: a month's or a day's digest files, or a day's log files."""

    pair: Pair
    root: Root
    days: tuple[datetime, ...]
    prefix: str
    digests: bool = False


@dataclass(slots=True)
class _Shown:
    """What the listings showed of one day so far."""

    digests: list[bytes] = field(default_factory=list)
    logs: list[bytes] = field(default_factory=list)
    archived: bool = False
    unlisted: bool = False


def list_days(job: Job, tools: Tools, wanted: Collection[DayKey]) -> dict[DayKey, ListedDay | None]:
    """Each wanted day as it is listed now; None where a folder of it gave no answer.

    What was not listed because everything is to stop is left out.
    """
    shown: dict[DayKey, _Shown] = {key: _Shown() for key in wanted}
    for folder, objects in each(
        tools.executor,
        lambda folder: list(_list(folder, job, tools)),
        list(_folders(job, tools, wanted)),
        in_flight=_AT_ONCE,
        stopping=tools.stopping,
    ):
        for day, entry, archived in objects:
            one = shown[(*folder.pair, day)]
            if entry is None:
                one.unlisted = True
                continue
            one.archived = one.archived or archived
            (one.digests if folder.digests else one.logs).append(entry)
    if tools.stopping.is_set():
        return {}
    return {
        key: None
        if one.unlisted
        else ListedDay(make_seal(one.digests, one.logs), archived=one.archived)
        for key, one in shown.items()
    }


def _folders(job: Job, tools: Tools, wanted: Collection[DayKey]) -> Iterator[_Folder]:
    """What to list, under every root that the trail has for these accounts and regions."""
    days: dict[Pair, list[datetime]] = defaultdict(list)
    for account_id, region, day in sorted(wanted):
        days[account_id, region].append(day)
    narrowed = replace(
        job,
        account_ids=tuple(sorted({account_id for account_id, _ in days})),
        source_regions=tuple(sorted({region for _, region in days})),
    )
    places = find_folders(narrowed, tools).found.places if days else {}
    for pair, own in days.items():
        for root in places.get(pair, ()):
            yield from _digest_folders(pair, root, own)
            folder = log_folder(root, *pair)
            for day in own:
                yield _Folder(pair, root, (day,), folder + day_folder(day))


def _digest_folders(pair: Pair, root: Root, days: Iterable[datetime]) -> Iterator[_Folder]:
    months: dict[str, list[datetime]] = defaultdict(list)
    for day in days:
        months[day_folder(day)[: len("2026/03/")]].append(day)
    folder = digest_folder(root, *pair)
    for month, own in months.items():
        below = month if len(own) > 1 else day_folder(own[0])
        yield _Folder(pair, root, tuple(own), folder + below, digests=True)


def _list(folder: _Folder, job: Job, tools: Tools) -> Iterator[tuple[datetime, bytes | None, bool]]:
    """The objects that count, by day; for each day None where the listing broke off."""
    for listed in tools.objects.list_objects(folder.root.bucket, folder.prefix):
        if isinstance(listed, Unreachable):
            yield from ((day, None, False) for day in folder.days)
        else:
            day = _day(listed, folder, job)
            if day in folder.days:
                yield day, entry_of(listed), is_archived(listed)


def _day(listed: Listed, folder: _Folder, job: Job) -> datetime | None:
    """The day that an object counts for. Of the digest files only the trail's own do."""
    if not folder.digests:
        marker = is_marker(listed.location.key, listed.size)
        return None if marker else folder.days[0]
    name = parse_digest(listed.location)
    if name is None:
        return None
    chain = name.chain
    is_own = (chain.trail_name, chain.home_region) == (job.trail.name, job.trail.home_region)
    return day_of(name.end) if is_own else None
