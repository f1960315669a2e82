"""The log files that authentic digests name, each fetched, inflated and hashed in a bounded window.

A log file is judged once, however many digests name it; where they name it with different hashes it
has to match them all. Whatever is judged invalid was read twice. Nothing of a log's content is
kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

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
    AuthenticDigest,
    ChainKind,
    Fetched,
    LogFileRef,
    S3Location,
    TimeWindow,
    Unreachable,
)
from integrity.verify.job import Job
from integrity.verify.kept import Retention
from integrity.verify.parallel import each
from integrity.verify.ports import Reader
from integrity.verify.tools import Tools

_FLAWS = {
    Flaw.MALFORMED: Reason.LOG_MALFORMED,
    Flaw.TRAILING_DATA: Reason.LOG_TRAILING_DATA,
    Flaw.TOO_LARGE: Reason.LIMIT_EXCEEDED,
}


_DELIVERY_SLACK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class NamedLog:
    """A log file with all that authentic digests say of it. `digest` and `window` are of the first.

    `delivered_by` is the latest time at which CloudTrail can have written it, where that is known.
    """

    location: S3Location
    refs: tuple[LogFileRef, ...]
    digest: S3Location
    window: TimeWindow
    delivered_by: datetime | None


@dataclass(slots=True)
class LogSpan:
    """What came of a span's log files: counts by the digest that names them, and the findings."""

    tallies: dict[S3Location, LogTally] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def named_logs(digests: Iterable[tuple[ChainKind, AuthenticDigest]]) -> dict[S3Location, NamedLog]:
    """Every log file that these digests name, once, in the order of the digests."""
    named: dict[S3Location, NamedLog] = {}
    for kind, authentic in digests:
        digest = authentic.digest
        late = None if kind is ChainKind.BACKFILL else digest.window.end + _DELIVERY_SLACK
        for ref in digest.log_files:
            log = named.get(ref.location)
            if log is None:
                log = NamedLog(ref.location, (ref,), digest.location, digest.window, late)
            elif ref not in log.refs:
                log = replace(log, refs=(*log.refs, ref), delivered_by=None)
            named[ref.location] = log
    return named


class LogChecker:
    """Checks log files of one account and region, many at once."""

    def __init__(self, place: Place, *, job: Job, tools: Tools) -> None:
        self._place, self._job, self._tools = place, job, tools
        self._retention = Retention(tools)
        self._written: Mapping[S3Location, datetime] = {}

    def check(self, logs: Iterable[NamedLog], written: Mapping[S3Location, datetime]) -> LogSpan:
        """Counts and findings of these log files.

        `written` holds their LastModified, where listed.
        """
        self._written = written
        result = LogSpan()
        in_flight = 2 * self._job.concurrency
        for log, finding in each(self._tools.executor, self._check, logs, in_flight=in_flight):
            outcome = Outcome.VALID if finding is None else finding.outcome
            result.tallies[log.digest] = result.tallies.get(log.digest, LogTally()).plus(outcome)
            if finding is not None:
                result.findings.append(finding)
        result.findings.sort(key=lambda finding: (finding.window, finding.s3_uri or ""))
        return result

    def _check(self, log: NamedLog) -> Finding | None:
        finding, stored_bytes = self._judge(log)
        self._tools.progress.done(1, stored_bytes)
        if finding is None:
            self._tools.progress.valid_log(log.location)
        return finding

    def _judge(self, log: NamedLog) -> tuple[Finding | None, int]:
        unknown = [ref.algorithm for ref in log.refs if ref.algorithm != HASH_ALGORITHM]
        if unknown:
            finding = self._found(
                Reason.ALGORITHM_UNSUPPORTED,
                log,
                expected=HASH_ALGORITHM,
                actual=unknown[0],
                detail=f"hashAlgorithm, in {log.digest.uri}",
            )
            return finding, 0
        first, stored_bytes = self._read(log, read_member)
        if first is not None and first.outcome is Outcome.INVALID:
            return self._read(log, read_member_with_zlib)
        return first, stored_bytes

    def _read(self, log: NamedLog, read_content: ReadContent) -> tuple[Finding | None, int]:
        answer = self._tools.objects.fetch(log.location, self._reader(read_content))
        if isinstance(answer, Absent):
            return self._absent(log), 0
        if isinstance(answer, Unreachable):
            return self._unreadable(log, answer), 0
        return self._weigh(log, answer), answer.size

    def _absent(self, log: NamedLog) -> Finding:
        """A log file is delivered, and so written, in the hour of the digest that names it."""
        unkept = self._retention.explain(log.location, log.window.start)
        reason = Reason.LOG_MISSING if unkept.expiry is None else Reason.OBJECT_EXPIRED
        named = f"named by {log.digest.uri}"
        return self._found(reason, log, detail="; ".join(filter(None, (named, unkept.detail))))

    def _reader(self, read_content: ReadContent) -> Reader[Content]:
        max_bytes = self._job.limits.max_log_bytes
        return lambda chunks: read_content(chunks, max_bytes=max_bytes)

    def _unreadable(self, log: NamedLog, answer: Unreachable) -> Finding:
        """A PUT into an archive, or under a stranger's key, hides content as an edit does."""
        written = self._written.get(log.location)
        detail = answer.detail
        if written is not None and log.delivered_by is not None and written > log.delivered_by:
            detail = f"{detail}; rewritten after delivery"
        return self._found(Reason.OBJECT_UNREADABLE, log, last_modified=written, detail=detail)

    def _weigh(self, log: NamedLog, fetched: Fetched[Content]) -> Finding | None:
        content, modified = fetched.content, fetched.last_modified
        if content.flaw is not None:
            reason = _FLAWS[content.flaw]
            return self._found(reason, log, last_modified=modified, detail=content.detail)
        wrong = [ref.sha256 for ref in log.refs if ref.sha256 != content.sha256]
        if not wrong:
            return None
        return self._found(
            Reason.LOG_HASH_MISMATCH,
            log,
            version_id=fetched.version_id,
            last_modified=modified,
            expected=wrong[0],
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
