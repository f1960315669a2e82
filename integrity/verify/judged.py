"""One digest file that was asked for, and what came of it, on its way to an `Entry`.

Reading and judging one digest: fetch, the fixed order of `chain.judge`, and once more through the
other decompressor before anything is called invalid. Nothing here knows of other digests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from queue import SimpleQueue
from types import MappingProxyType

from msgspec import Struct

from integrity.chain.content import Buffer, ReadContent, read_member, read_member_with_zlib
from integrity.chain.desk import Desk
from integrity.chain.findings import Finding, Outcome, Place, Reason, find
from integrity.chain.judge import (
    KeyAnswer,
    Opened,
    generated_at,
    hour_of,
    judge_algorithm,
    judge_copy,
    judge_form,
    judge_predecessor_algorithm,
    judge_signature,
    open_digest,
    signing_time,
)
from integrity.chain.limits import MIB
from integrity.chain.link import Entry, Standing
from integrity.chain.model import (
    Absent,
    AuthenticDigest,
    ChainKind,
    Digest,
    Fetched,
    Listed,
    S3Location,
    Unreachable,
)
from integrity.chain.names import DigestName, digest_location
from integrity.chain.recall import SEEN_BEFORE
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.kept import Retention
from integrity.verify.keyring import KeyRing
from integrity.verify.ports import Reader
from integrity.verify.tools import Tools
from integrity.verify.trouble import digest_trouble, in_archive, not_whole

Answer = Fetched[Opened] | Absent | Unreachable
KeyFor = Callable[[str, datetime, datetime | None], KeyAnswer]

_Desks = SimpleQueue[Desk]


def _desks() -> _Desks:
    """So many digests are inflated and decoded at a time: their size is a stranger's choice."""
    desks = _Desks()
    for _ in range(2):
        desks.put(Desk())
    return desks


_DESKS = _desks()
_SWIFT_DESKS = _desks()
"""For digests that are all there: at the others somebody may sit as long as a transfer takes."""
_SWIFT_BYTES = 8 * MIB


class Judged(Struct, frozen=True, gc=False):
    """One digest that is there, or was asked for by name and is not.

    `digest` is well-formed wherever there is one; `authentic` is the same, signed. `made` is when
    CloudTrail made it, where that is known: at its end, a backfill digest when it says so itself.
    `once_proven` is what is found of an unproven one should its successor prove it.
    """

    name: DigestName
    location: S3Location
    standing: Standing
    digest: Digest | None = None
    authentic: AuthenticDigest | None = None
    finding: Finding | None = None
    last_modified: datetime | None = None
    made: datetime | None = None
    version_id: str | None = None
    once_proven: Finding | None = None

    @property
    def is_invalid(self) -> bool:
        return self.finding is not None and self.finding.outcome is Outcome.INVALID

    @property
    def is_absent(self) -> bool:
        return self.standing in (Standing.MISSING, Standing.LATE)

    @property
    def is_unproven(self) -> bool:
        return self.standing is Standing.UNPROVEN

    def proven(self, authentic: AuthenticDigest) -> Judged:
        """The same digest, which its successor has proven. What else was found of it stays."""
        finding = self.once_proven if self.is_unproven else self.finding
        return replace(self, authentic=authentic, standing=Standing.AUTHENTIC, finding=finding)

    def disproven(self) -> Judged:
        """The same digest, of which a verified successor states another signature."""
        detail = "its verified successor states a signature of other content"
        finding = replace(
            found(Reason.DIGEST_SIGNATURE_INVALID, self.name, self.location, detail=detail),
            version_id=self.version_id,
            last_modified=self.last_modified,
        )
        return replace(self, standing=Standing.BROKEN, finding=finding)

    def entry(self, *, named: bool) -> Entry:
        """What links, coverage and the record need of it."""
        digest = self.authentic.digest if self.authentic is not None else None
        return Entry(
            chain=self.name.chain,
            location=self.location,
            window=hour_of(self.name) if digest is None else digest.window,
            standing=self.standing,
            named=named,
            sha256="" if digest is None else digest.sha256,
            signature="" if self.authentic is None else self.authentic.signature,
            previous=None if digest is None else digest.previous,
            log_files=0 if digest is None else len(digest.log_files),
            last_modified=self.last_modified,
            version_id=self.version_id,
        )


def unjudged(name: DigestName) -> Entry:
    """A digest outside of what was asked for, of which only its name is known."""
    location = digest_location(name.chain, name.end)
    return Entry(
        chain=name.chain, location=location, window=hour_of(name), standing=Standing.UNJUDGED
    )


class DigestJudge:
    """Reads and judges digests one at a time, from many threads.

    `known` are the places of digests that an earlier verification saw, and whether it has also seen
    them gone or changed since.
    """

    def __init__(
        self,
        job: Job,
        tools: Tools,
        ring: KeyRing,
        known: Mapping[S3Location, bool] = MappingProxyType({}),
    ) -> None:
        self._job, self._tools, self._ring, self._known = job, tools, ring, known
        self._retention = Retention(tools, job.known_rules)

    def judge(self, name: DigestName, location: S3Location, listed: Listed | None = None) -> Judged:
        """The digest at a place. Whatever would be invalid is read twice.

        `listed` is what a listing showed of it, where one did.
        """
        archive = in_archive(listed)
        if archive is not None:
            return _unreadable(name, location, digest_trouble(name, listed, archive))
        answer = self._fetch(location, read_member)
        judged = self._sort(name, location, listed, answer)
        return self.judge_again(name, location, listed) if judged.is_invalid else judged

    def judge_again(
        self, name: DigestName, location: S3Location, listed: Listed | None = None
    ) -> Judged:
        """The digest at a place, through the other decompressor."""
        answer = self._fetch(location, read_member_with_zlib)
        judged = self._sort(name, location, listed, answer)
        if judged.is_invalid and isinstance(answer, Fetched):
            detail = not_whole(self._tools.objects, location, answer)
            return _unreadable(name, location, detail) if detail else judged
        return judged

    def take(self, name: DigestName, fetched: Fetched[bytes]) -> Judged | None:
        """The digest that was fetched, if it is authentic: whatever else it is, `judge` says.

        Nobody is asked for a key meanwhile, nor waited for: whoever fetched this fetches for others
        too. What inflates to more than any usual digest is left to `judge`.
        """
        most = min(self._job.limits.max_digest_bytes, _SWIFT_BYTES)
        opened = _reader(read_member, most, _SWIFT_DESKS)((fetched.content,))
        judged = self._weigh(name, fetched.read_as(opened), self._ring.key_at_hand)
        return judged if judged.finding is None else None

    def _fetch(self, location: S3Location, read_content: ReadContent) -> Answer:
        most = self._job.limits.max_digest_bytes
        return self._tools.objects.fetch(location, _reader(read_content, most, _DESKS))

    def _sort(
        self, name: DigestName, location: S3Location, listed: Listed | None, answer: Answer
    ) -> Judged:
        if isinstance(answer, Absent):
            return self._absent(name, location)
        if isinstance(answer, Unreachable):
            return _unreadable(name, location, digest_trouble(name, listed, answer))
        return self._weigh(name, answer, self._ring.key_for)

    def _weigh(self, name: DigestName, fetched: Fetched[Opened], key_for: KeyFor) -> Judged:
        form = judge_form(name, fetched, trail_owner=self._job.trail.account_id)
        if isinstance(form, Finding):
            return _flawed(name, fetched, form, None)
        unsupported = judge_algorithm(name, fetched, form)
        if unsupported is not None:
            return _flawed(name, fetched, unsupported, None)
        signed_at = signing_time(name, fetched.metadata)
        key = key_for(form.fingerprint, signed_at, fetched.last_modified)
        result = judge_signature(name, fetched, form, key)
        unknown_hash = judge_predecessor_algorithm(name, fetched, form)
        if isinstance(result, Finding):
            result = judge_copy(name, fetched, result) if self._job.is_copy else result
            return replace(_flawed(name, fetched, result, form), once_proven=unknown_hash)
        return Judged(
            name,
            fetched.location,
            Standing.AUTHENTIC,
            form,
            result,
            unknown_hash,
            fetched.last_modified,
            _made(name, fetched),
            fetched.version_id,
        )

    def _absent(self, name: DigestName, location: S3Location) -> Judged:
        is_known = location in self._known
        if not is_known and name.end > self._tools.now - self._job.redelivery_grace:
            late = found(Reason.DIGEST_LATE, name, location)
            return Judged(name, location, Standing.LATE, finding=late)
        unkept = self._retention.explain(location, name.end)
        # What was gone before its time was over did not expire when it was.
        if unkept.expiry is not None and not self._known.get(location):
            expired = found(Reason.OBJECT_EXPIRED, name, location, detail=unkept.detail)
            return Judged(name, location, Standing.EXPIRED, finding=expired)
        detail = "; ".join(filter(None, [SEEN_BEFORE * is_known, unkept.detail]))
        missing = found(Reason.DIGEST_MISSING, name, location, detail=detail)
        return Judged(name, location, Standing.MISSING, finding=missing)


def _unreadable(name: DigestName, location: S3Location, detail: str) -> Judged:
    finding = found(Reason.OBJECT_UNREADABLE, name, location, detail=detail)
    return Judged(name, location, Standing.UNREADABLE, finding=finding)


def found(reason: Reason, name: DigestName, location: S3Location, *, detail: str = "") -> Finding:
    """A finding about a digest of which only the name is known."""
    place = Place(name.chain.account_id, name.chain.region)
    return find(reason, place, hour_of(name), s3_uri=location.uri, detail=detail)


def _reader(read_content: ReadContent, max_bytes: int, desks: _Desks) -> Reader[Opened]:
    def read(chunks: Iterable[Buffer]) -> Opened:
        desk = desks.get()
        try:
            return open_digest(chunks, max_bytes=max_bytes, desk=desk, read_content=read_content)
        finally:
            desks.put(desk)

    return read


def _flawed(
    name: DigestName, fetched: Fetched[Opened], finding: Finding, digest: Digest | None
) -> Judged:
    standing = Standing.BROKEN if finding.outcome is Outcome.INVALID else Standing.UNREADABLE
    if finding.reason is Reason.DIGEST_UNPROVEN:
        standing = Standing.UNPROVEN
    return Judged(
        name,
        fetched.location,
        standing,
        digest,
        None,
        finding,
        fetched.last_modified,
        _made(name, fetched),
        fetched.version_id,
    )


def _made(name: DigestName, fetched: Fetched[Opened]) -> datetime | None:
    backfill = name.chain.kind is ChainKind.BACKFILL
    return generated_at(fetched.metadata) if backfill else name.end
