"""Checks a segment: its digests, the log files that they name, and those that none names.

1. list the digest folders and read the digests, with one beyond each end (`digests`)
2. list the log folders, and check every log file that an authentic digest of the span names
   (`logs`)
3. judge the log files that none of them names (`unnamed`)
4. look for what earlier verifications know and the span does not show (`remembered`)
5. seal what of it the next verification looks at again, where all of it was proven (`hours`)

Hours that the last verification sealed at its begin are left alone while their listing is
unchanged. The result is small, as the segment is; links, coverage and the head are judged later,
from the results alone (`join`).
"""

from __future__ import annotations

from collections.abc import Iterable

from integrity.chain.findings import Finding, Place, Reason, find
from integrity.chain.hours import written_since
from integrity.chain.known import heard_of
from integrity.chain.limits import MIB
from integrity.chain.link import Entry, LogTally, check_links, in_order
from integrity.chain.model import ChainKind, Unreachable
from integrity.chain.names import digest_folder
from integrity.chain.retention import Expiry
from integrity.record import SegmentResult
from integrity.structs import replace
from integrity.verify.digests import DigestReader
from integrity.verify.head import due_by, newest_digest, was_redelivered
from integrity.verify.hours import Unchanged, find_unchanged, is_proven, seal_next
from integrity.verify.job import Job
from integrity.verify.judged import DigestJudge
from integrity.verify.kept import Retention
from integrity.verify.keyring import KeyRing
from integrity.verify.listing import DigestFolders
from integrity.verify.log_listing import LogListing, list_logs
from integrity.verify.logs import LogChecker, LogSpan, unread
from integrity.verify.named import NamedLogs
from integrity.verify.parallel import Budget
from integrity.verify.remembered import look_up
from integrity.verify.searched import Searches
from integrity.verify.segment import Segment
from integrity.verify.span import DigestSpan
from integrity.verify.strangers import find_strangers
from integrity.verify.tools import Tools
from integrity.verify.unnamed import UnnamedFinder, UnnamedLogs

_READ = Budget(MIB)
"""So many stored bytes of digests are read at a time, whatever the number of segments under way: it
bounds what is remembered of the log files that they name, at some seventy bytes each, and how many
log folders are listed beside each other. Nearly empty segments do not get in each other's way.
"""

_PAGE = 1000
_LISTED = Budget(2 * _PAGE)
"""So many log files are in memory as a listing shows them: a page of them takes some megabytes, and
a page is all that S3 gives at a time.
"""

_SHOWN = Budget(16_000)
"""So many log files of sealed hours are in memory at a time as their listing shows them."""


def check_segment(segment: Segment, job: Job, tools: Tools) -> SegmentResult:
    """Check one segment. Harmless to repeat.

    Where hours at its begin are unchanged and nothing is wrong with the others, it is these others
    that are read; else it is all of it, so that whatever is told is told of the whole.
    """
    result = _check_new(segment, job, tools)
    return SegmentCheck(segment, job, tools).check() if result is None else result


def _check_new(segment: Segment, job: Job, tools: Tools) -> SegmentResult | None:
    """What comes after unchanged hours, where that is enough."""
    hours = segment.hours
    # What ended chains may stand in any of its log files, and so may what rules were not asked.
    if hours is None or segment.wanted is not None or (job.rules and not hours.heard):
        return None
    with _SHOWN.hold(hours.seal.logs):
        window = segment.log_window
        unchanged = find_unchanged(hours, segment.chain, segment.beside, window, tools)
        if unchanged is None:
            return None
        check = SegmentCheck(segment, job, tools, unchanged)
        result = check.check()
        return result if check.is_proven or tools.stopping.is_set() else None


class SegmentCheck:
    """With `unchanged` hours the way leads through what comes after them.

    `is_proven`, once it is checked: everything was read, and nothing is to be said of it.
    """

    def __init__(
        self, segment: Segment, job: Job, tools: Tools, unchanged: Unchanged | None = None
    ) -> None:
        self.is_proven = False
        self._segment, self._job, self._tools = segment, job, tools
        chain = segment.chain
        self._unchanged, self._span, self._known = unchanged, segment.span, segment.known
        self._place = Place(chain.account_id, chain.region)
        self._ring = KeyRing(chain.region, tools.keys, segment.keys)
        self._folders = DigestFolders(
            tools.objects, tools.executor, account_id=chain.account_id, region=chain.region
        )
        if unchanged is not None:
            hours, self._folders = unchanged.hours.window, unchanged.folders
            self._span = segment.span_after(hours.end)
            self._known = tuple(one for one in self._known if not hours.holds(one.digest.end))
        self._heard = heard_of(segment.known)
        rules = job.rules if job.log_files else ()
        self._searches = Searches(segment.wanted, rules, job.limits, heard=self._heard)

    def check(self) -> SegmentResult:
        segment = self._segment
        reader = DigestReader(
            segment.chain,
            self._span,
            beside=segment.beside,
            job=self._job,
            tools=self._tools,
            ring=self._ring,
            folders=self._folders,
            known=() if self._job.accepting else self._known,
            predecessor=None if self._unchanged is None else self._unchanged.hours.end,
        )
        with _READ.hold(reader.weigh()):
            return self._check(reader.read())

    def _check(self, digests: DigestSpan) -> SegmentResult:
        entries = [e for e in digests.entries if self._belongs(e)]
        named = NamedLogs(
            (digests.made.get(entry.location), digests.authentic[entry.location])
            for entry in in_order(entries)
            if entry.is_authentic
        )
        self._tell_valid(entries, [*digests.findings, *check_links(digests.entries)])
        self._tools.progress.expect(len(named) if self._job.log_files else 0)
        listing = self._list_logs(digests, named)
        checker = LogChecker(
            self._place,
            listing.rewritten,
            listing.archived,
            job=self._job,
            tools=self._tools,
            searches=self._searches.all,
        )
        logs = checker.check(named) if self._job.log_files else unread(named)
        unnamed = self._unnamed(listing, digests)
        result = self._result(digests, entries, logs, listing, unnamed)
        self.is_proven, start = is_proven(result, digests), self._job.next_start
        if start is None or not (self.is_proven and self._segment.is_last):
            return result
        hours = seal_next(start, result, digests, listing, unnamed, self._folders)
        return replace(result, hours=hours)

    def _belongs(self, entry: Entry) -> bool:
        """A backfill digest counts where its name lies, in time; one that is gone, where it is
        named.
        """
        late = entry.chain.kind is ChainKind.BACKFILL
        return self._span.holds(entry.window.end) or (late and not entry.is_there)

    def _tell_valid(self, entries: Iterable[Entry], findings: Iterable[Finding]) -> None:
        """The digests that are counted, and counted as valid."""
        flawed = {finding.s3_uri for finding in findings}
        for entry in in_order(entries):
            if entry.is_authentic and entry.location.uri not in flawed:
                self._tools.progress.valid_digest(entry.location)

    def _list_logs(self, digests: DigestSpan, named: NamedLogs) -> LogListing:
        """Without digests, log files are all that shows that there is a chain."""
        if self._unchanged is not None:
            return self._unchanged.sort(named)
        if not self._job.unreferenced and digests.entries:
            return LogListing()
        roots = dict.fromkeys(
            [self._segment.chain.root, *(entry.chain.root for entry in digests.entries)]
        )
        segment, start = self._segment, self._job.next_start
        since = written_since(start) if segment.is_last and start is not None else None
        with _LISTED.hold(min(len(named), _PAGE)):
            return list_logs(
                segment.chain, roots, segment.log_window, named, self._tools, since=since
            )

    def _unnamed(self, listing: LogListing, digests: DigestSpan) -> UnnamedLogs:
        if not self._job.unreferenced:
            return UnnamedLogs()
        finder = UnnamedFinder(
            self._segment.chain,
            beside=self._segment.beside,
            job=self._job,
            tools=self._tools,
            ring=self._ring,
            folders=self._folders,
        )
        return finder.find(listing, digests, self._segment.log_window)

    def _result(
        self,
        digests: DigestSpan,
        entries: list[Entry],
        logs: LogSpan,
        listing: LogListing,
        unnamed: UnnamedLogs,
    ) -> SegmentResult:
        chain, witness = self._segment.chain, self._segment.witness
        judge = DigestJudge(self._job, self._tools, self._ring)
        due = due_by(witness, self._job.grace)
        newest = newest_digest(
            chain,
            self._folders,
            judge,
            beside=self._segment.beside,
            after=digests.span.end,
            now=self._tools.now,
            due=due,
        )
        is_behind = due is not None and (newest is None or newest < due)
        unlisted = dict.fromkeys([*digests.unlisted, *listing.unlisted])
        (events, unsearched), (asked, dropped) = self._searches.acts, self._searches.asked
        remembered, found = self._remembered(digests)
        signers = {signed.digest.fingerprint for signed in digests.authentic.values()}
        listed = self._job.unreferenced
        return SegmentResult(
            chain=chain,
            span=self._segment.span,
            entries=tuple(self._tallied(entry, logs) for entry in entries),
            neighbours=tuple(e for e in digests.entries if not self._belongs(e)),
            findings=(
                *digests.findings,
                *logs.findings,
                *unnamed.findings,
                *(() if self._job.accepting else found),
                *find_strangers(chain, self._segment.log_window, self._folders.shelf),
                *(self._not_listed(folder) for folder in unlisted),
            ),
            unattested=unnamed.unattested if listed else None,
            unreferenced=unnamed.unreferenced if listed else None,
            pending=unnamed.pending if listed else None,
            first_unattested=unnamed.earliest,
            has_logs=listing.found or bool(logs.tallies),
            newest=newest,
            redelivered=is_behind and was_redelivered(chain, self._folders, judge, witness),
            complete=not unlisted and not self._tools.stopping.is_set(),
            expiry=self._expiry(entries),
            keys=tuple(key for key in self._ring.keys if key.fingerprint in signers),
            stored_bytes=logs.stored_bytes,
            events=events,
            unread=unsearched,
            asked=asked,
            dropped=dropped,
            remembered=tuple(remembered),
            unchanged=None if self._unchanged is None else self._unchanged.hours,
        )

    def _tallied(self, entry: Entry, logs: LogSpan) -> Entry:
        """With its log files; heard once the rules were given the events of all of them."""
        tally = logs.tallies.get(entry.location, LogTally())
        is_whole = entry.is_authentic and tally.valid == tally.total
        heard = entry.location in self._heard or (self._searches.for_rules and is_whole)
        return entry.with_logs(tally, heard=heard)

    def _remembered(self, digests: DigestSpan) -> tuple[list[Entry], list[Finding]]:
        """Known digests that the span does not show, or not for sure."""
        seen = [e for e in digests.entries if e.is_authentic or self._belongs(e)]
        return look_up(self._known, seen, job=self._job, tools=self._tools, ring=self._ring)

    def _expiry(self, entries: list[Entry]) -> Expiry | None:
        """What the lifecycle does to the chain's digests, asked where the span begins without."""
        is_early = entries and in_order(entries)[0].window.start <= self._segment.window.start
        if self._unchanged is not None or is_early:
            return None
        chain = self._segment.chain
        folder = digest_folder(chain.root, chain.account_id, chain.region)
        return Retention(self._tools, self._job.known_rules).of_folder(chain.root.bucket, folder)

    def _not_listed(self, folder: Unreachable) -> Finding:
        return find(
            Reason.OBJECT_UNREADABLE,
            self._place,
            self._segment.window,
            s3_uri=folder.location.uri,
            detail=folder.detail,
        )
