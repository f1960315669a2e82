"""The chain of a trail's records: each names the SHA-256 of the one before it.

What is missing, reordered, forked or changed in the middle shows in its neighbours. What was
removed from the end shows in nobody: only whoever knows the newest record, as the service's store
does at each tick, can miss it. A record that names no predecessor begins a chain; those that
`integrity verify` writes are chains of one. Whether a record is whose it says is `signature`'s.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct

from integrity.chain.findings import Outcome
from integrity.errors import UsageError
from integrity.evidence.signature import Standing


class Link(Struct, frozen=True, kw_only=True):
    """A record as a part of its chain. `name` is where it was found, `standing` its signature's."""

    name: str
    trail_arn: str
    run_id: str
    started_at: datetime
    sha256: str
    previous_sha256: str | None
    standing: Standing


class Break(StrEnum):
    """What can be wrong with a chain of records."""

    MISSING = "missing"
    REORDERED = "reordered"
    FORKED = "forked"
    TWICE = "twice"
    BEGINS_ANEW = "begins_anew"
    BEGINS_LATE = "begins_late"


class Remark(Struct, frozen=True):
    """One thing about a chain, at one record."""

    kind: Break
    outcome: Outcome
    name: str
    detail: str


class _Info(msgspec.Struct):
    id: str
    started_at: datetime
    previous_sha256: str | None = None


class _Record(msgspec.Struct):
    trail_arn: str
    run: _Info


def decode_link(document: bytes, *, name: str, sha256: str, standing: Standing) -> Link:
    """A record's part of the chain. Raises UsageError where it is no record."""
    try:
        record = msgspec.json.decode(document, type=_Record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"it is no record of integrity ({error})") from error
    if record.run.started_at.tzinfo is None:
        raise UsageError("it is no record of integrity: its time has no zone")
    return Link(
        name=name,
        trail_arn=record.trail_arn,
        run_id=record.run.id,
        started_at=record.run.started_at,
        sha256=sha256,
        previous_sha256=record.run.previous_sha256,
        standing=standing,
    )


def check_chains(links: Iterable[Link]) -> list[Remark]:
    """What is wrong with the chains of all trails, each in the order of time."""
    by_trail: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_trail[link.trail_arn].append(link)
    return [
        remark
        for _, chain in sorted(by_trail.items())
        for remark in _check(sorted(chain, key=lambda link: (link.started_at, link.name)))
    ]


def _check(chain: Sequence[Link]) -> Iterator[Remark]:
    by_hash: dict[str, Link] = {}
    for link in chain:
        first = by_hash.setdefault(link.sha256, link)
        if first is not link:
            yield _remark(Break.TWICE, link, f"the same record lies at {first.name} too")
    distinct = list(by_hash.values())
    if not any(link.previous_sha256 for link in distinct):
        return  # each stands alone
    named = Counter(link.previous_sha256 for link in distinct)
    for place, link in enumerate(distinct):
        yield from _check_link(link, by_hash, distinct[:place], named)
    for sha256, number in named.items():
        if sha256 is not None and number > 1:
            yield _forked([link for link in distinct if link.previous_sha256 == sha256])


def _check_link(
    link: Link, by_hash: dict[str, Link], before: Sequence[Link], named: Counter[str | None]
) -> Iterator[Remark]:
    if link.previous_sha256 is None:
        if before:
            yield _remark(
                Break.BEGINS_ANEW,
                link,
                "it names no predecessor, though there are earlier records: the service had lost "
                "its memory, or the record was put in",
            )
        return
    previous = by_hash.get(link.previous_sha256)
    if previous is None and not before:
        yield _remark(
            Break.BEGINS_LATE, link, "its predecessor is not here: what came before was not seen"
        )
    elif previous is None:
        yield _remark(Break.MISSING, link, _lost(link, before, named))
    elif previous.started_at > link.started_at:
        yield _remark(
            Break.REORDERED, link, f"its predecessor, {previous.name}, is younger than it"
        )


def _lost(link: Link, before: Sequence[Link], named: Counter[str | None]) -> str:
    """A record that nobody names, just before one whose predecessor is gone, may be that one."""
    gone = f"its predecessor, SHA-256 {link.previous_sha256}, is not here: it was removed"
    if named[before[-1].sha256]:
        return f"{gone}, or could not be kept when it was made"
    return f"{gone}, or {before[-1].name}, which no record names, was changed since"


def _forked(followers: Sequence[Link]) -> Remark:
    """Two ticks at once, or one that died before it was committed, leave such a pair."""
    genuine = all(link.standing is Standing.GENUINE for link in followers)
    names = ", ".join(link.name for link in followers[1:4])
    return Remark(
        Break.FORKED,
        Outcome.VALID if genuine else Outcome.UNDETERMINED,
        followers[0].name,
        f"{names} names the same predecessor: two ticks were made beside each other, or one died, "
        "or a record was put in",
    )


_OUTCOMES = {
    Break.MISSING: Outcome.INVALID,
    Break.REORDERED: Outcome.INVALID,
    Break.TWICE: Outcome.UNDETERMINED,
    Break.BEGINS_ANEW: Outcome.UNDETERMINED,
    Break.BEGINS_LATE: Outcome.UNDETERMINED,
}


def _remark(kind: Break, link: Link, detail: str) -> Remark:
    return Remark(kind, _OUTCOMES[kind], link.name, detail)
