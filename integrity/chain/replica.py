"""Digests that were all signed for one other bucket: a replica, told once instead of thousands.

Nothing is forgiven: they stay `digest_moved`. But where not one digest of a chain is in its place
and all name the same bucket, the likely reason is that another bucket is looked at than the one
that CloudTrail wrote to, and that is what the finding says. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from integrity.chain.findings import CLAUSES, Finding, Place, Reason, message
from integrity.chain.link import Entry
from integrity.chain.model import TimeWindow
from integrity.structs import replace

_ALL = "every digest file here names another bucket: if this is its replica, add --original "


def tell_replica(findings: Sequence[Finding], entries: Iterable[Entry]) -> list[Finding]:
    """One chain's findings; its moved digests become one where all of them name one bucket."""
    moved = {f.s3_uri: f for f in findings if f.reason is Reason.DIGEST_MOVED}
    there = {entry.location.uri for entry in entries if entry.is_there}
    meant = {_bucket(f.expected) for f in moved.values()}
    here = {_bucket(f.actual) for f in moved.values()}
    if len(moved) < 2 or there != moved.keys() or len(meant) != 1 or meant & here:
        return list(findings)
    return _told(findings, list(moved.values()), _ALL + f"s3://{meant.pop()}")


def join_replicas(findings: Sequence[Finding]) -> list[Finding]:
    """All chains' findings; those that say the same of one bucket become one."""
    moved = [f for f in findings if f.reason is Reason.DIGEST_MOVED]
    if len(moved) < 2 or len({f.detail for f in moved}) > 1 or not moved[0].detail.startswith(_ALL):
        return list(findings)
    return _told(findings, moved, moved[0].detail)


def _told(findings: Sequence[Finding], moved: Sequence[Finding], detail: str) -> list[Finding]:
    """These findings with one in place of those that are moved, where the first of them stood."""
    first, last = moved[0], moved[-1]
    window = TimeWindow(min(f.window.start for f in moved), max(f.window.end for f in moved))
    place = Place(first.account_id, first.region)
    one = replace(
        first,
        s3_uri=None,
        window=window,
        version_id=None,
        last_modified=None,
        detail=detail,
        message=message(CLAUSES[first.reason], place, window, None, detail, ""),
        count=sum(f.count for f in moved),
        first=first.first or first.s3_uri,
        last=last.last or last.s3_uri,
    )
    gone = {id(f) for f in moved[1:]}
    return [one if f is first else f for f in findings if id(f) not in gone]


def _bucket(uri: str | None) -> str:
    return (uri or "").removeprefix("s3://").partition("/")[0]
