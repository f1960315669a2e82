"""Who vouches for one log file: the digest that names it, and the chain around that digest.

1. What the file's name says decides where digests could name it: every trail's in the folder of its
   account and region, over the minute in its name and over its LastModified, backfill included.
2. These are read and authenticated as in any verification (`digests`), with their neighbours.
3. Where one names the file, its content is held against the signed hash (`logs`).
4. Where none does, `chain.unnamed` says what that means.

Nothing of the rest of the trail is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from threading import Event

from integrity.chain.findings import Outcome, Place
from integrity.chain.link import merge
from integrity.chain.model import (
    ChainId,
    ChainKind,
    Listed,
    LogFileRef,
    Root,
    S3Location,
    TimeWindow,
    Trail,
    Unreachable,
)
from integrity.chain.names import LogName, digest_folder
from integrity.chain.times import DAY, HOUR
from integrity.chain.unnamed import NAME_SLACK, Claim, judge_unnamed, unnamed, vouchers
from integrity.structs import replace
from integrity.verify.digests import DigestReader
from integrity.verify.job import Job
from integrity.verify.keyring import KeyRing
from integrity.verify.listing import DigestFolders, days_from
from integrity.verify.logs import LogChecker
from integrity.verify.named import NamedLog
from integrity.verify.ports import OpenSources, Untold
from integrity.verify.span import DigestSpan
from integrity.verify.tools import Tools
from integrity.verify.voucher import Vouched, Word, chain_of, voucher


def find_log(
    location: S3Location,
    name: LogName,
    sources: OpenSources,
    *,
    trail: Trail | None,
    now: datetime,
    concurrency: int = 64,
) -> Vouched:
    """Who vouches for a log file of that name. With `trail`, only its digests are asked."""
    objects, keys, retention = sources
    with ThreadPoolExecutor(concurrency) as executor:
        tools = Tools(objects, keys, retention, executor, now, Untold(), Event())
        return _Search(location, name, tools, executor, trail, concurrency).find()


class _Search:
    def __init__(
        self,
        location: S3Location,
        name: LogName,
        tools: Tools,
        executor: Executor,
        trail: Trail | None,
        concurrency: int,
    ) -> None:
        self._location, self._name, self._tools = location, name, tools
        self._trail, self._concurrency = trail, concurrency
        self._folders = DigestFolders(
            tools.objects, executor, account_id=name.account_id, region=name.region
        )
        self._ring = KeyRing(name.region, tools.keys)

    def find(self) -> Vouched:
        """The one answer."""
        listed = self._listed()
        if isinstance(listed, Unreachable):
            return self._answer(Word.UNDETERMINED, None, listed.detail)
        times = self._times(listed)
        spans = [
            (chain, self._read(chain, span)) for chain in self._chains(times) for span in times
        ]
        naming = list(self._naming(spans))
        findings = [finding for _, span in spans for finding in span.findings]
        number = sum(len(span.authentic) for _, span in spans)
        if naming:
            answer = self._held(listed, naming)
        else:
            answer = self._unnamed(listed, spans)
            answer = replace(answer, findings=tuple(dict.fromkeys(findings)))
        return replace(answer, digests_read=number)

    def _listed(self) -> Listed | Unreachable | None:
        for listed in self._tools.objects.list_objects(self._location.bucket, self._location.key):
            if isinstance(listed, Unreachable) or listed.location == self._location:
                return listed
        return None

    def _times(self, listed: Listed | None) -> list[TimeWindow]:
        """Spans of digest ends, with the digests before them.

        Of a file that is gone nobody knows when it was delivered.
        """
        named_for = self._name.time
        windows = [TimeWindow(named_for - NAME_SLACK, named_for + (NAME_SLACK if listed else DAY))]
        if listed is not None:
            windows.append(TimeWindow(listed.last_modified, listed.last_modified))
        return merge(TimeWindow(window.start - HOUR, window.end + HOUR) for window in windows)

    def _chains(self, times: Iterable[TimeWindow]) -> list[ChainId]:
        """The standard chains of the trails whose digests lie there; with each its backfill one."""
        for span in times:
            last = min(span.end, self._tools.now + DAY)
            if span.start <= last:
                self._folders.list_days(self._name.root, days_from(span.start, last))
        shown = {
            replace(name.chain, kind=ChainKind.STANDARD)
            for name, _ in self._folders.shelf.digests.values()
        }
        trail = self._trail
        meant = None if trail is None else (trail.name, trail.home_region)
        return sorted(c for c in shown if meant in (None, (c.trail_name, c.home_region)))

    def _job(self, chain: ChainId) -> Job:
        """A trail that nobody named is its account's own."""
        owner = self._name.account_id if self._trail is None else self._trail.account_id
        root: Root = chain.root
        trail = Trail(
            arn="",
            name=chain.trail_name,
            account_id=owner,
            home_region=chain.home_region,
            bucket=root.bucket,
            prefix=root.prefix,
            organization_id=root.organization_id,
        )
        window = TimeWindow(self._name.time, self._name.time)
        return Job(trail=trail, window=window, concurrency=self._concurrency)

    def _read(self, chain: ChainId, span: TimeWindow) -> DigestSpan:
        return DigestReader(
            chain,
            span,
            job=self._job(chain),
            tools=self._tools,
            ring=self._ring,
            folders=self._folders,
            reach=DAY,
        ).read()

    # Named

    def _naming(
        self, spans: Iterable[tuple[ChainId, DigestSpan]]
    ) -> Iterator[tuple[DigestSpan, S3Location, LogFileRef]]:
        seen = set()
        for _, span in spans:
            for place, signed in span.authentic.items():
                for ref in signed.digest.log_files:
                    if ref.location == self._location and (place, ref) not in seen:
                        seen.add((place, ref))
                        yield span, place, ref

    def _held(
        self,
        listed: Listed | None,
        naming: Sequence[tuple[DigestSpan, S3Location, LogFileRef]],
    ) -> Vouched:
        """The content against what is signed; where it is named more than once, against all."""
        span, place, _ = naming[0]
        refs = tuple(dict.fromkeys(ref for _, _, ref in naming))
        window = span.authentic[place].digest.window
        checker = LogChecker(
            Place(self._name.account_id, self._name.region),
            {},
            {},
            job=self._job(chain_of(span, place)),
            tools=self._tools,
        )
        found = checker.check([NamedLog(self._location, refs, place, window)]).findings
        vouchers = tuple(voucher(*one, self._ring.keys) for one in naming)
        if not found:
            detail = "CloudTrail delivered it: its content is what an authentic digest file signs"
            answer = self._answer(Word.DELIVERED, listed, detail)
        else:
            (finding,) = found
            is_invalid = finding.outcome is Outcome.INVALID
            word = Word.CONTRADICTED if is_invalid else Word.UNDETERMINED
            answer = replace(self._answer(word, listed, finding.message), outcome=finding.outcome)
        return replace(answer, vouchers=vouchers, findings=tuple(found))

    # Not named

    def _unnamed(
        self, listed: Listed | None, spans: Sequence[tuple[ChainId, DigestSpan]]
    ) -> Vouched:
        unlisted = self._folders.shelf.unlisted
        if unlisted:
            detail = f"digest files could not be listed: {unlisted[0].detail}"
            return self._answer(Word.UNDETERMINED, listed, detail)
        if listed is None:
            detail = "it is not there, and no digest file that was read names it"
            return self._answer(Word.ABSENT, None, detail)
        if not spans:
            name = self._name
            folder = digest_folder(name.root, name.account_id, name.region)
            detail = (
                f"no digest file lies in s3://{name.root.bucket}/{folder} for its time: nobody "
                "signed it, or the digest files were removed or lie elsewhere"
            )
            return self._answer(Word.UNATTESTED, listed, detail)
        return self._answer(*self._claim(listed, spans))

    def _claim(
        self, listed: Listed, spans: Sequence[tuple[ChainId, DigestSpan]]
    ) -> tuple[Word, Listed, str]:
        """A trail of which no digest is authentic excuses nothing by itself."""
        believed = {chain for chain, span in spans if span.authentic}
        own = [entry for chain, span in spans if chain in believed for entry in span.entries]
        others = [entry for chain, span in spans if chain not in believed for entry in span.entries]
        newest = [span.newest for chain, span in spans if chain in believed]
        name = self._name
        log = unnamed(listed, [name.root], name.account_id, name.region)
        claim = judge_unnamed(log, vouchers(own, others, newest), self._tools.now)
        return Word(claim.value), listed, _MEANINGS[claim]

    def _answer(self, word: Word, listed: Listed | None, detail: str) -> Vouched:
        return Vouched(
            s3_uri=self._location.uri,
            word=word,
            outcome=Outcome.VALID if word is Word.DELIVERED else Outcome.UNDETERMINED,
            detail=detail,
            last_modified=None if listed is None else listed.last_modified,
        )


_MEANINGS = {
    Claim.UNREFERENCED: (
        "every digest file that could name it was read, and none does: nobody vouches for it, and "
        "nothing says that CloudTrail delivered it"
    ),
    Claim.UNATTESTED: (
        "a digest file that could name it is missing, not authentic or unreadable, or none covers "
        "its time: nobody can say"
    ),
    Claim.PENDING: "the digest file over its delivery is not there yet: ask again in a few hours",
}
