"""The hours that the last verification sealed, as a segment begins with them: listed, not read.

All of their folders are listed before anything is read. Where everything is there as it was sealed,
the segment is checked from their end on, with the digest that ends them for the link; of the log
files it looks at those that are not of them. Where anything is not, this is no answer, and all of
the segment is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from integrity.chain.hours import Shown, is_open, is_unchanged, seal_hours, written_since
from integrity.chain.link import check_links
from integrity.chain.model import ChainId, ChainKind, Listed, Root, TimeWindow, Unreachable
from integrity.chain.names import is_marker, parse_log
from integrity.chain.seal import SealedHours
from integrity.record import SegmentResult
from integrity.structs import replace
from integrity.verify.listing import DigestFolders, days_from
from integrity.verify.log_listing import LogListing, log_prefixes
from integrity.verify.named import NamedLogs
from integrity.verify.span import DigestSpan
from integrity.verify.tools import Tools
from integrity.verify.unnamed import UnnamedLogs


class Unchanged(Struct, frozen=True):
    """Sealed hours that are listed as they were, and all that the listings showed."""

    hours: SealedHours
    folders: DigestFolders
    logs: list[Listed]

    def sort(self, named: NamedLogs) -> LogListing:
        """The log files that are not of these hours, by whether a digest names them."""
        listing = LogListing(kept=self.logs, found=bool(self.logs))
        for listed in self.logs:
            if is_open(listed, self.hours):
                listing.sort(listed, named)
        listing.left.sort(key=lambda listed: listed.location)
        return listing


def find_unchanged(
    hours: SealedHours,
    chain: ChainId,
    beside: tuple[Root, ...],
    window: TimeWindow,
    tools: Tools,
) -> Unchanged | None:
    """These hours, if their folders show them as they were sealed; None otherwise."""
    folders = DigestFolders(
        tools.objects, tools.executor, account_id=chain.account_id, region=chain.region
    )
    for root in (chain.root, *beside):
        folders.list_days(root, days_from(hours.start, hours.end))
    own = _own_digests(folders, chain)
    roots = dict.fromkeys([chain.root, *(root for end, root, _ in own if end >= hours.start)])
    logs: list[Listed] = []
    for listed in _logs(hours, chain, roots, window, tools):
        if isinstance(listed, Unreachable) or listed.last_modified < written_since(hours.start):
            return None
        logs.append(listed)
    shown = Shown([(end, listed) for end, _, listed in own], logs)
    return Unchanged(hours, folders, logs) if is_unchanged(hours, shown) else None


def _logs(
    hours: SealedHours, chain: ChainId, roots: Iterable[Root], window: TimeWindow, tools: Tools
) -> Iterator[Listed | Unreachable]:
    """Log files that were written since the hours began; folders that did not answer.

    What was written earlier is among them where it is not named so: an object that replication
    brought has the time of another bucket.
    """
    since = written_since(hours.start)

    def matters(listed: Listed) -> bool:
        if is_marker(listed.location.key, listed.size):
            return False
        name = parse_log(listed.location)
        return listed.last_modified >= since or name is None or name.time >= hours.start

    def written(place: tuple[str, str]) -> list[Listed | Unreachable]:
        answers = tools.objects.list_objects(*place)
        return [one for one in answers if isinstance(one, Unreachable) or matters(one)]

    whole = replace(window, start=hours.start)
    places = log_prefixes(chain, roots, whole, tools.now, since=since)
    for answers in tools.executor.map(written, places):
        yield from answers


def _own_digests(folders: DigestFolders, chain: ChainId) -> list[tuple[datetime, Root, Listed]]:
    kinds = (chain, replace(chain, kind=ChainKind.BACKFILL))
    shown = [item for kind in kinds for item in folders.shelf.of(kind)]
    return [(name.end, name.chain.root, listed) for name, listed in shown]


def seal_next(
    start: datetime,
    result: SegmentResult,
    digests: DigestSpan,
    listing: LogListing,
    unnamed: UnnamedLogs,
    folders: DigestFolders,
) -> SealedHours | None:
    """What a segment proved from `start` on, sealed as it was listed before it was read."""
    before = result.unchanged
    entries = [entry for entry in result.entries if entry.window.end >= start]
    standard = [entry for entry in entries if entry.chain.kind is ChainKind.STANDARD]
    ends = [entry.window.end for entry in standard]
    if before is not None:
        ends.append(before.end)
    if not ends or max(ends) < start or not all(entry.covers for entry in standard[-1:]):
        return None
    heard = all(entry.heard for entry in entries) and (before is None or before.heard)
    own = _own_digests(folders, result.chain)
    return seal_hours(
        Shown([(end, listed) for end, _, listed in own], listing.kept),
        start=start,
        end=max(ends),
        named=(
            ref.location
            for entry in entries
            for ref in digests.authentic[entry.location].digest.log_files
        ),
        unnamed=unnamed.open,
        before=before,
        heard=heard,
    )


def is_proven(result: SegmentResult, digests: DigestSpan) -> bool:
    """Whether all of the segment was read, and nothing at all is to be said of it."""
    return (
        result.complete
        and not (result.findings or result.unattested)
        and not check_links(digests.entries)
        and (result.unchanged is None or _is_linked(result.unchanged, digests))
        and all(entry.is_authentic for entry in result.entries)
        and all(entry.logs.valid == entry.log_files for entry in result.entries)
    )


def _is_linked(before: SealedHours, digests: DigestSpan) -> bool:
    """Whether the digest that ends the unchanged hours was read for the link, and is authentic."""
    ends = [entry for entry in digests.entries if entry.window.end == before.end]
    return bool(ends) and all(entry.is_authentic for entry in ends)
