"""The digest files of a trail in one account and region over a span: listed, read, completed.

All are fetched at once and in any order; pointers are then checked, not followed one by one. What a
pointer names and the listing did not show (another bucket, another prefix, a deleted object) is
fetched in a second round, and a place that it names is listed for the rest of the span. Hours that
must lie between two digests that are there are asked for by name, and so are digests of the span
that an earlier verification knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from integrity.chain.findings import Finding, Reason
from integrity.chain.known import Recall
from integrity.chain.limits import MIB
from integrity.chain.link import Entry, foreign, predicted_hours
from integrity.chain.model import ChainId, ChainKind, Fetched, Root, S3Location, TimeWindow
from integrity.chain.names import DigestName, digest_location
from integrity.chain.times import DAY, HOUR, day_of
from integrity.chain.wish import Wish
from integrity.structs import replace
from integrity.verify.gathered import Gathered
from integrity.verify.job import Job
from integrity.verify.judged import DigestJudge, Judged, found, unjudged
from integrity.verify.keyring import KeyRing
from integrity.verify.listing import CLOUDTRAIL_BEGAN, DigestFolders, days_from
from integrity.verify.parallel import each_small
from integrity.verify.remembered import name_of
from integrity.verify.span import DigestSpan
from integrity.verify.tools import Tools
from integrity.verify.trouble import in_archive

_IN_FLIGHT_BYTES = MIB
"""Of a span's digests in flight, as stored: what a thread once held stays with its allocator."""

Wanted = list[tuple[DigestName, S3Location]]


class DigestReader:
    """Reads the digests of one standard chain and of its backfill chain over one span.

    They lie under the chain's root, and older ones under the roots `beside`. The nearest digests
    outside of the span are looked for as far as `reach`; None: to the end. `known` are digests that
    an earlier verification saw; those of the span are read, listed or not. The one before the span,
    which ends at `predecessor`, is read for the link to it.
    """

    def __init__(
        self,
        chain: ChainId,
        span: TimeWindow,
        *,
        job: Job,
        tools: Tools,
        ring: KeyRing,
        folders: DigestFolders,
        beside: Iterable[Root] = (),
        reach: timedelta | None = None,
        known: Iterable[Recall] = (),
        predecessor: datetime | None = None,
    ) -> None:
        self._since = span.start if predecessor is None else predecessor
        self._chain, self._span, self._beside = chain, span, tuple(beside)
        self._backfill = replace(chain, kind=ChainKind.BACKFILL)
        self._job, self._tools, self._ring, self._folders = job, tools, ring, folders
        self._known = {one.digest.location: one for one in known if span.holds(one.digest.end)}
        lost = {location: one.is_lost for location, one in self._known.items()}
        self._judge = DigestJudge(job, tools, ring, lost)
        self._reach = reach
        self._roots: list[Root] = []
        self._gathered = Gathered(self._known, is_copy=job.is_copy)
        self._outside: list[Entry] = []

    def weigh(self) -> int:
        """How many bytes the listed digests of the span take where they are stored.

        What is remembered of them while their log files are checked is about as much.
        """
        self._begin()
        shelf = self._folders.shelf
        shown = [*shelf.of(self._chain), *shelf.of(self._backfill)]
        return sum(listed.size for name, listed in shown if self._span.holds(name.end))

    def _begin(self) -> None:
        if not self._roots:
            for root in (self._chain.root, *self._beside):
                self._follow(root)

    def read(self) -> DigestSpan:
        """List, read and complete: each round reads what the one before it named."""
        self._begin()
        while wanted := self._listed() or self._remembered() or self._named() or self._predicted():
            if self._tools.stopping.is_set():
                break
            self._read_all(wanted)
            self._gathered.ask_successors(self._ring)
        self._confirm()
        return self._result()

    def _confirm(self) -> None:
        """What a verified successor's word contradicts is read once more before that is said."""
        contradicted = self._gathered.contradicted()
        for judged in contradicted:
            self._gathered.add(self._judge.judge_again(judged.name, judged.location))
        if contradicted:
            self._gathered.ask_successors(self._ring)
        for judged in self._gathered.contradicted():
            self._gathered.add(judged.disproven())

    def _follow(self, root: Root) -> None:
        """List a place for the whole span: the trail's own, or one that a pointer led to.

        One digest beyond the end is looked up too: it is the second witness of the last signature,
        the link across the cut, and where the trail has moved, the pointer to the older place.
        """
        self._roots.append(root)
        last = max(self._span.start, min(self._span.end, self._tools.now + DAY))
        # In another layout whatever else lies there goes on for ever: one day more is enough.
        beside = root in self._beside
        self._folders.list_days(root, days_from(self._span.start, last + DAY * beside))
        shown = [
            name.end
            for name, _ in self._folders.shelf.of(self._chain)
            if name.chain.root == root and name.end > self._span.end
        ]
        if not shown and not beside and self._span.end < self._tools.now:
            ahead = TimeWindow(self._span.end, self._reached(self._span.end, self._tools.now + DAY))
            self._folders.search(root, self._chain, ahead, newest_first=False)

    def _reached(self, start: datetime, farthest: datetime) -> datetime:
        """How far to look from one end: a stranger's names must not make us list years."""
        if self._reach is None:
            return farthest
        return min(start + self._reach, farthest) if farthest > start else start - self._reach

    def _listed(self) -> Wanted:
        """Listed digests of the span, and one beyond, that are not read yet.

        In a copy one more, whose word may be needed to prove that one.
        """
        wanted: Wanted = []
        for chain in (self._chain, self._backfill):
            beyond = 1 + self._job.is_copy
            for name, listed in self._folders.shelf.of(chain):
                if name.end < self._since or name.chain.root not in self._roots:
                    continue
                if name.end > self._tools.now + DAY:
                    break
                wanted.append((name, listed.location))
                beyond -= name.end > self._span.end
                if not beyond:
                    break
        return [item for item in wanted if item[1] not in self._gathered]

    def _remembered(self) -> Wanted:
        """Known digests of the span that no listing showed."""
        return [
            (name_of(one), location)
            for location, one in self._known.items()
            if location not in self._gathered
        ]

    def _named(self) -> Wanted:
        """Predecessors that authentic digests name and no listing showed, as far as they matter."""
        named: dict[S3Location, DigestName] = {}
        since = self._gathered.since(self._span)
        for judged, previous in self._gathered.predecessors():
            name = self._folders.shelf.name_at(previous.location) or self._unnamed(judged)
            standard = judged.name.chain.kind is ChainKind.STANDARD
            if standard and name.chain.root not in self._roots:
                self._follow(name.chain.root)
            if previous.location not in self._gathered and self._is_near(judged, name, since):
                named[previous.location] = name
        return [(name, location) for location, name in named.items()] or self._listed()

    def _is_near(self, judged: Judged, previous: DigestName, since: datetime) -> bool:
        """Whether a predecessor has to be read.

        One of the standard chain that ends before the span belongs to another span; of those that
        end beyond it the first is enough, to count back from. Backfill digests have no order in
        time: from those of the span one step is taken, wherever it leads.
        """
        if judged.name.chain.kind is ChainKind.BACKFILL:
            return self._span.holds(judged.name.end)
        if previous.end > self._span.end:
            return judged.name.end == self._gathered.first_beyond(self._span)
        return previous.end >= since

    def _unnamed(self, judged: Judged) -> DigestName:
        """A predecessor whose key has another form than any we know: an hour before its
        successor's.
        """
        return DigestName(replace(judged.name.chain, root=self._chain.root), judged.name.end - HOUR)

    def _predicted(self) -> Wanted:
        """Hours between two digests that are there, which nobody names."""
        entries = self._gathered.entries(ChainKind.STANDARD)
        self._outside = self._look_back(entries)
        names = predicted_hours([*self._outside, *entries], self._span)
        wanted = [(name, digest_location(name.chain, name.end)) for name in names]
        return [item for item in wanted if item[1] not in self._gathered]

    def _look_back(self, entries: list[Entry]) -> list[Entry]:
        """The nearest older digest, where the first one in the span leaves time before it open."""
        first = entries[0] if entries else None
        begins = first is not None and first.is_authentic and not first.covers
        if first is not None and first.window.start <= self._span.start and not begins:
            return []
        if first is not None and first.previous is not None:
            name = self._folders.shelf.name_at(first.previous.location)
        else:
            name = self._older()
        if name is None or name.end >= self._span.start:
            return []
        return [unjudged(name)]

    def _older(self) -> DigestName | None:
        before = self._span.start
        shown = [name for name, _ in self._folders.shelf.of(self._chain) if name.end < before]
        if shown:
            return shown[-1]
        days = TimeWindow(self._reached(before, CLOUDTRAIL_BEGAN), day_of(before))
        for root in self._roots:
            self._folders.search(root, self._chain, days, newest_first=True)
        shown = [name for name, _ in self._folders.shelf.of(self._chain) if name.end < before]
        return shown[-1] if shown else None

    def _read_all(self, wanted: Wanted) -> None:
        """Beside each other as many as there are threads, fewer of those that are large.

        Without its key at hand, what came with many others would have to be fetched once more.
        """
        self._ring.begin(self._span)
        shelf, authentic = self._folders.shelf, list[Judged]()
        shown = [shelf.shown(location) for _, location in wanted]
        largest = max([1, *(listed.size for listed in shown if listed is not None)])

        def place(item: tuple[DigestName, S3Location]) -> S3Location | None:
            listed = shelf.shown(item[1])
            return None if listed is None or in_archive(listed) else item[1]

        def take(item: tuple[DigestName, S3Location], fetched: Fetched[bytes]) -> bool:
            judged = self._judge.take(item[0], fetched)
            if judged is not None:
                authentic.append(judged)
            return judged is not None

        wish = Wish(items=wanted, locate=place, take=take, with_metadata=True)
        judged = each_small(
            self._tools.executor,
            lambda item: self._judge.judge(*item, shelf.shown(item[1])),
            self._tools.fetch_small(wish),
            in_flight=max(1, min(2 * self._job.concurrency, _IN_FLIGHT_BYTES // largest)),
            stopping=self._tools.stopping,
        )
        for _, result in judged:
            self._gathered.add(result)
        for result in authentic:
            self._gathered.add(result)

    def _result(self) -> DigestSpan:
        standard = self._gathered.entries(ChainKind.STANDARD)
        strangers = {entry.location for entry in foreign(standard)}
        own = [entry for entry in standard if entry.location not in strangers]
        shown = [name.end for name, _ in self._folders.shelf.of(self._chain)]
        return DigestSpan(
            span=self._span,
            entries=[*self._outside, *own, *self._gathered.entries(ChainKind.BACKFILL)],
            authentic=self._gathered.authentic(),
            made=self._gathered.made(),
            findings=list(self._findings(strangers)),
            newest=max((end for end in shown if end <= self._tools.now + DAY), default=None),
            unlisted=self._folders.shelf.unlisted,
        )

    def _findings(self, strangers: Iterable[S3Location]) -> Iterator[Finding]:
        named = self._gathered.vouched()
        for judged in self._gathered:
            if judged.finding is None or not self._is_ours(judged):
                continue
            if judged.location in strangers:
                detail = "well-named and not authentic; CloudTrail's own digests cover its hour"
                yield found(Reason.DIGEST_FOREIGN, judged.name, judged.location, detail=detail)
            elif judged.is_absent and judged.location not in named:
                yield found(judged.finding.reason, judged.name, judged.location, detail="predicted")
            else:
                yield judged.finding

    def _is_ours(self, judged: Judged) -> bool:
        """Whether it ends in the span, or is a backfill digest that is gone and named from here."""
        late = judged.name.chain.kind is ChainKind.BACKFILL
        return self._span.holds(judged.name.end) or (late and judged.is_absent)
