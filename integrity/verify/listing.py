"""The digest files of one account and source region, as their day folders show them.

Each day folder is listed by itself and every key is parsed whole, so no planted name can end a
listing or hide another. What a name belongs to is decided by the name alone; nothing is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from itertools import islice

from integrity.chain.model import ChainId, Listed, Root, S3Location, TimeWindow, Unreachable
from integrity.chain.names import DigestName, digest_folder, is_marker, parse_digest
from integrity.chain.times import DAY, day_folder, day_of, parse_instant
from integrity.verify.ports import ObjectSource

CLOUDTRAIL_BEGAN = datetime(2013, 11, 1, tzinfo=UTC)
_BATCH = 16


class Shelf:
    """What was listed: digests by name, objects that are none, folders that did not answer."""

    def __init__(self) -> None:
        self.digests: dict[S3Location, tuple[DigestName, Listed]] = {}
        self.strangers: list[Listed] = []
        self.unlisted: list[Unreachable] = []
        self._ordered: dict[tuple[str, ...], list[tuple[DigestName, Listed]]] = {}

    def add(self, name: DigestName, listed: Listed) -> None:
        """One more digest, or the same again."""
        self.digests[listed.location] = (name, listed)
        self._ordered.clear()

    def shown(self, location: S3Location) -> Listed | None:
        """What a listing showed of a digest, where one did."""
        known = self.digests.get(location)
        return known and known[1]

    def name_at(self, location: S3Location) -> DigestName | None:
        """What a place says, where it is a digest's."""
        known = self.digests.get(location)
        return parse_digest(location) if known is None else known[0]

    def of(self, chain: ChainId) -> Sequence[tuple[DigestName, Listed]]:
        """The digests of a trail's chain under whatever root, by end time."""
        if not self._ordered:
            for entry in sorted(
                self.digests.values(), key=lambda one: (one[0].end, one[1].location)
            ):
                self._ordered.setdefault(_without_root(entry[0].chain), []).append(entry)
        return self._ordered.get(_without_root(chain), ())


def same_chain(one: ChainId, other: ChainId) -> bool:
    """Whether two chains differ in nothing but where they lie."""
    return _without_root(one) == _without_root(other)


def _without_root(chain: ChainId) -> tuple[str, ...]:
    return (chain.account_id, chain.region, chain.trail_name, chain.home_region, chain.kind)


class DigestFolders:
    """Lists the day folders of an account's region, each once, under the roots that are known."""

    def __init__(
        self, objects: ObjectSource, executor: Executor, *, account_id: str, region: str
    ) -> None:
        self._objects = objects
        self._executor = executor
        self._account_id, self._region = account_id, region
        self._listed: set[tuple[Root, datetime]] = set()
        self._below: dict[tuple[Root, str], tuple[str, ...]] = {}
        self.shelf = Shelf()

    def list_days(self, root: Root, days: Iterable[datetime]) -> None:
        """List the folders of these UTC midnights, but for those that were listed before."""
        wanted = [day for day in days if (root, day) not in self._listed]
        self._listed.update((root, day) for day in wanted)
        folder = digest_folder(root, self._account_id, self._region)
        answers = self._executor.map(
            lambda day: list(self._objects.list_objects(root.bucket, folder + day_folder(day))),
            wanted,
        )
        for answer in answers:
            self._sort(answer)

    def _sort(self, objects: Iterable[Listed | Unreachable]) -> None:
        for listed in objects:
            if isinstance(listed, Unreachable):
                self.shelf.unlisted.append(listed)
                continue
            if is_marker(listed.location.key, listed.size):
                continue
            name = parse_digest(listed.location)
            if name is None:
                self.shelf.strangers.append(listed)
            else:
                self.shelf.add(name, listed)

    def search(
        self, root: Root, chain: ChainId, days: TimeWindow, *, newest_first: bool
    ) -> DigestName | None:
        """The chain's newest (or oldest) digest in the UTC days from `days.start` to `days.end`.

        Costs three folder listings, all at once and not again, and then a listing for each day that
        has a folder; days in other months than the first one looked at cost their month's too.
        """
        midnights = self._days_with_folders(root, days, newest_first=newest_first)
        while batch := list(islice(midnights, _BATCH)):
            self.list_days(root, batch)
            found = [
                name
                for name, _ in self.shelf.of(chain)
                if name.chain.root == root and day_of(name.end) in batch
            ]
            if found:
                return found[-1] if newest_first else found[0]
        return None

    def _days_with_folders(
        self, root: Root, days: TimeWindow, *, newest_first: bool
    ) -> Iterator[datetime]:
        """The days that have a folder. A level that cannot be listed shows nothing, and is told."""
        first, last = day_folder(days.start), day_folder(days.end)
        nearest = last if newest_first else first
        ahead = self._ask_ahead(root, ("", nearest[:5], nearest[:8]))

        def below(folder: str, digits: int) -> list[str]:
            size = len(folder) + digits
            numbers = self._numbers(root, folder, digits, ahead)
            inside = [n for n in numbers if first[:size] <= (folder + n)[:size] <= last[:size]]
            return sorted(inside, reverse=newest_first)

        for year in below("", 4):
            for month in below(f"{year}/", 2):
                for day in below(f"{year}/{month}/", 2):
                    midnight = parse_instant(f"{year}-{month}-{day}T00:00:00Z")
                    if midnight is not None:
                        yield midnight

    def _ask_ahead(
        self, root: Root, folders: Iterable[str]
    ) -> dict[str, Future[tuple[str, ...] | Unreachable]]:
        """Levels that are most likely wanted one after another, asked for at once."""
        wanted = [folder for folder in folders if (root, folder) not in self._below]
        region = digest_folder(root, self._account_id, self._region)
        ask = self._objects.list_folders
        return {
            folder: self._executor.submit(ask, root.bucket, region + folder) for folder in wanted
        }

    def _numbers(
        self,
        root: Root,
        folder: str,
        digits: int,
        ahead: Mapping[str, Future[tuple[str, ...] | Unreachable]],
    ) -> list[str]:
        answer: tuple[str, ...] | Unreachable | None = self._below.get((root, folder))
        if answer is None:
            asked = ahead.get(folder) or self._ask_ahead(root, [folder])[folder]
            answer = asked.result()
        if isinstance(answer, Unreachable):
            self.shelf.unlisted.append(answer)
            return []
        self._below[root, folder] = answer
        return [
            name for name in answer if len(name) == digits and name.isascii() and name.isdigit()
        ]


def days_from(first: datetime, last: datetime) -> list[datetime]:
    """The UTC midnights from the day of `first` to the day of `last`, both included."""
    start = day_of(first)
    return [start + DAY * number for number in range((day_of(last) - start) // DAY + 1)]
