"""The log files that authentic digests name, each fetched, inflated and hashed in a bounded window.

A log file is judged once, however many digests name it; where they name it with different hashes it
has to match them all. Whatever is judged invalid was read twice. Nothing of a log's content is
kept but what `searched` takes out of it once it is verified.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from integrity.chain.content import (
    Content,
    Flaw,
    ReadContent,
    read_member,
    read_member_with_zlib,
)
from integrity.chain.decode import HASH_ALGORITHM
from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.link import LogTally
from integrity.chain.model import (
    Absent,
    Fetched,
    S3Location,
    Unreachable,
)
from integrity.chain.trouble import REWRITTEN, archived
from integrity.chain.wish import Proof, Wish
from integrity.verify.job import Job
from integrity.verify.kept import Retention
from integrity.verify.named import Drawn, NamedLog, NamedLogs
from integrity.verify.parallel import each_small
from integrity.verify.ports import Reader
from integrity.verify.searched import KeptFile, LogSearch, keeping
from integrity.verify.tools import Tools
from integrity.verify.trouble import not_whole

Answer = Fetched[Content] | Absent | Unreachable

_NOT_KEPT = nullcontext()
_FLAWS = {
    Flaw.MALFORMED: Reason.LOG_MALFORMED,
    Flaw.TRAILING_DATA: Reason.LOG_TRAILING_DATA,
    Flaw.TOO_LARGE: Reason.LIMIT_EXCEEDED,
}


@dataclass(slots=True)
class LogSpan:
    """What came of a span's log files: counts by the digest that names them, and the findings."""

    tallies: dict[S3Location, LogTally] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    stored_bytes: int = 0

    def count(self, digest: S3Location, outcome: Outcome, number: int = 1) -> None:
        """So many more log files that `digest` names came out so."""
        self.tallies[digest] = self.tallies.get(digest, LogTally()).plus(outcome, number)


def unread(logs: Iterable[NamedLog]) -> LogSpan:
    """Log files that nobody wants read: each is undetermined, and no finding."""
    named = Counter(log.digest for log in logs)
    return LogSpan({digest: LogTally(undetermined=many) for digest, many in named.items()})


class LogChecker:
    """Checks log files of one account and region, many at once.

    `rewritten` holds the LastModified of log files that were written after their delivery,
    `archived` the storage class of those that the listing shows in an archive. With `searches`, the
    verified ones are searched for events.
    """

    def __init__(
        self,
        place: Place,
        rewritten: Mapping[S3Location, datetime],
        archived: Mapping[S3Location, str],
        *,
        job: Job,
        tools: Tools,
        searches: Sequence[LogSearch] = (),
    ) -> None:
        self._place, self._rewritten, self._archived = place, rewritten, archived
        self._job, self._tools, self._searches = job, tools, searches
        self._retention = Retention(tools, job.known_rules)
        self._lock = Lock()

    def check(self, logs: NamedLogs | Sequence[NamedLog]) -> LogSpan:
        """Counts and findings of these log files. Those left unread by a stop are undetermined."""
        result, wanted, proven = LogSpan(), Drawn(logs), Counter[S3Location]()

        def note(log: NamedLog, stored_bytes: int) -> None:
            with self._lock:
                proven[log.digest] += 1
                result.stored_bytes += stored_bytes
            self._tools.progress.done(1, stored_bytes)
            self._tools.progress.valid_log(log.location)

        def take(log: NamedLog, fetched: Fetched[bytes]) -> bool:
            is_valid = self._prove(log, fetched)
            if is_valid:
                note(log, fetched.size)
            return is_valid

        wish = Wish(
            items=wanted,
            locate=self._easily_had,
            take=take,
            with_metadata=False,
            proof=None if self._searches else self._proof(note, len(logs)),
        )
        checked = each_small(
            self._tools.executor,
            self._check,
            self._tools.fetch_small(wish),
            in_flight=2 * self._job.concurrency,
            stopping=self._tools.stopping,
        )
        for log, (finding, stored_bytes) in checked:
            result.count(log.digest, Outcome.VALID if finding is None else finding.outcome)
            with self._lock:
                result.stored_bytes += stored_bytes
            if finding is not None:
                result.findings.append(finding)
        deque(wanted, maxlen=0)  # what was not even drawn counts too
        with self._lock:
            for digest, number in proven.items():
                result.count(digest, Outcome.VALID, number)
        for digest, number in wanted.by_digest.items():
            unread = number - result.tallies.get(digest, LogTally()).total
            result.count(digest, Outcome.UNDETERMINED, unread)
        return result

    def _easily_had(self, log: NamedLog) -> S3Location | None:
        """Where it lies, if its content alone decides."""
        if log.location in self._archived or _unknown_algorithm(log) is not None:
            return None
        return None if _are_at_odds(log) else log.location

    def _proof(self, proven: Callable[[NamedLog, int], None], many: int) -> Proof[NamedLog]:
        return Proof(
            many=many,
            sha256_of=lambda log: log.refs[0].sha256,
            max_bytes=self._job.limits.max_log_bytes,
            proven=proven,
        )

    def _prove(self, log: NamedLog, fetched: Fetched[bytes]) -> bool:
        """Whether it is what its digest says. Whatever else it is, `_judge` reads and says."""
        searches = self._searches
        with keeping(searches, log.digest, may_wait=False) if searches else _NOT_KEPT as kept:
            content = self._reader(read_member, kept)((fetched.content,))
            if content.flaw is not None or _other_hash(log, content) is not None:
                return False
            if kept is not None and kept.has_no_room:
                return False
            if kept is not None:
                kept.search(log.refs[0], log.digest)
        return True

    def _check(self, log: NamedLog) -> tuple[Finding | None, int]:
        with keeping(self._searches, log.digest) as kept:
            finding, stored_bytes = self._judge(log, kept)
            if finding is None and kept is not None:
                kept.search(log.refs[0], log.digest)
        self._tools.progress.done(1, stored_bytes)
        if finding is None:
            self._tools.progress.valid_log(log.location)
        return finding, stored_bytes

    def _judge(self, log: NamedLog, kept: KeptFile | None) -> tuple[Finding | None, int]:
        unknown = _unknown_algorithm(log)
        if unknown is not None:
            unsupported = self._found(
                Reason.ALGORITHM_UNSUPPORTED,
                log,
                expected=HASH_ALGORITHM,
                actual=unknown,
                detail=f"hashAlgorithm, in {log.digest.name}",
            )
            return unsupported, 0
        storage = self._archived.get(log.location)
        if storage is not None:
            return self._unreadable(log, archived(storage)), 0
        answer = self._fetch(log, read_member, kept)
        finding = self._sort(log, answer)
        if finding is not None and finding.outcome is Outcome.INVALID:
            answer = self._fetch(log, read_member_with_zlib, kept)
            finding = self._sort(log, answer)
        if not isinstance(answer, Fetched):
            return finding, 0
        if finding is not None and finding.outcome is Outcome.INVALID:
            detail = not_whole(self._tools.objects, log.location, answer)
            finding = self._unreadable(log, detail) if detail else finding
        return finding, answer.size

    def _fetch(self, log: NamedLog, read_content: ReadContent, kept: KeptFile | None) -> Answer:
        return self._tools.objects.fetch(log.location, self._reader(read_content, kept))

    def _sort(self, log: NamedLog, answer: Answer) -> Finding | None:
        if isinstance(answer, Absent):
            return self._absent(log)
        if isinstance(answer, Unreachable):
            return self._unreadable(log, answer.detail)
        return self._weigh(log, answer)

    def _absent(self, log: NamedLog) -> Finding:
        """A log file is delivered, and so written, in the hour of the digest that names it."""
        unkept = self._retention.explain(log.location, log.window.start)
        reason = Reason.LOG_MISSING if unkept.expiry is None else Reason.OBJECT_EXPIRED
        named = f"named by {log.digest.name}"
        return self._found(reason, log, detail="; ".join(filter(None, (named, unkept.detail))))

    def _reader(self, read_content: ReadContent, kept: KeptFile | None) -> Reader[Content]:
        max_bytes = self._job.limits.max_log_bytes
        begin = kept.begin if kept is not None else None
        return lambda chunks: read_content(chunks, max_bytes=max_bytes, sink=begin and begin())

    def _unreadable(self, log: NamedLog, detail: str) -> Finding:
        """A PUT into an archive, or under a stranger's key, hides content as an edit does."""
        written = self._rewritten.get(log.location)
        if written is not None:
            detail = f"{detail}; {REWRITTEN}"
        return self._found(Reason.OBJECT_UNREADABLE, log, last_modified=written, detail=detail)

    def _weigh(self, log: NamedLog, fetched: Fetched[Content]) -> Finding | None:
        content, modified = fetched.content, fetched.last_modified
        if content.flaw is not None:
            return self._found(
                _FLAWS[content.flaw],
                log,
                version_id=fetched.version_id,
                last_modified=modified,
                detail=content.detail,
            )
        expected = _other_hash(log, content)
        if expected is None:
            return None
        return self._found(
            Reason.LOG_HASH_MISMATCH,
            log,
            version_id=fetched.version_id,
            last_modified=modified,
            expected=expected,
            actual=content.sha256,
            detail="named with different hashes" if len(log.refs) > 1 else "",
        )

    def _found(
        self,
        reason: Reason,
        log: NamedLog,
        *,
        version_id: str | None = None,
        last_modified: datetime | None = None,
        expected: str | None = None,
        actual: str | None = None,
        detail: str = "",
    ) -> Finding:
        return find(
            reason,
            self._place,
            log.window,
            s3_uri=log.location.uri,
            version_id=version_id,
            last_modified=last_modified,
            expected=expected,
            actual=actual,
            detail=detail,
        )


def _unknown_algorithm(log: NamedLog) -> str | None:
    """One that a digest hashed it with, and nobody here knows."""
    return next((ref.algorithm for ref in log.refs if ref.algorithm != HASH_ALGORITHM), None)


def _are_at_odds(log: NamedLog) -> bool:
    """Whether digests state different hashes of it."""
    return any(ref.sha256 != log.refs[0].sha256 for ref in log.refs)


def _other_hash(log: NamedLog, content: Content) -> str | None:
    """One that a digest states, and that its content has not."""
    return next((ref.sha256 for ref in log.refs if ref.sha256 != content.sha256), None)
