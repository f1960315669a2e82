"""What is known of a chain, held against what the bucket shows now: whether its head was rewound.

1. A known head that is gone from its own bucket and key is `head_rewound`, whatever newer digests
   or restarts there are, and so is one that was lost earlier and is not back. The known digests
   before it that are gone with it, up to the newest that is left, are part of it.
2. A known digest in whose place another authentic one lies is `head_rewound` too: CloudTrail writes
   each once. Broken content is that digest's own finding.
3. Any other known digest that is gone is `digest_missing`, which is said where it was asked for.

One finding a chain. What retention removed is neither, unless it was lost before that; what could
not be read says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from integrity.chain.findings import Finding, Place, Reason, find
from integrity.chain.known import KnownChain, KnownDigest, cut_tail, is_changed, is_gone
from integrity.chain.link import Entry
from integrity.chain.model import ChainKind, S3Location, TimeWindow
from integrity.chain.times import HOUR

SEEN_BEFORE = "an earlier verification saw it"


class Contradiction(Struct, frozen=True):
    """Known digests that are not what they were. `gone` and `changed` are their places."""

    finding: Finding
    gone: frozenset[S3Location]
    changed: frozenset[S3Location]


def check_known(known: KnownChain, entries: Mapping[S3Location, Entry]) -> Contradiction | None:
    """`head_rewound`, where the entries contradict what is known of the chain."""
    looked_at = [
        (digest, entries[digest.location])
        for digest in (*known.held, *known.lost)
        if digest.location in entries
    ]
    tail = cut_tail(known, entries)
    gone = [
        digest
        for digest, entry in looked_at
        if digest in tail or (is_gone(entry) and _was_head(known, digest))
    ]
    changed = [digest for digest, entry in looked_at if is_changed(digest, entry)]
    if not gone and not changed:
        return None
    newest = max([*gone, *changed], key=lambda digest: (digest.end, digest.location))
    return Contradiction(
        _rewound(known, newest, entries[newest.location], [*gone, *changed]),
        frozenset(digest.location for digest in gone),
        frozenset(digest.location for digest in changed),
    )


def _was_head(known: KnownChain, digest: KnownDigest) -> bool:
    return digest.was_head and known.chain.kind is ChainKind.STANDARD


def _rewound(
    known: KnownChain, newest: KnownDigest, entry: Entry, wrong: Sequence[KnownDigest]
) -> Finding:
    """One finding for all of them, in the words of the newest."""
    what = "is gone" if is_gone(entry) else "has other content now"
    more = f", and {len(wrong) - 1} more like it" if len(wrong) > 1 else ""
    is_backfill = known.chain.kind is ChainKind.BACKFILL
    return find(
        Reason.HEAD_REWOUND,
        Place(known.chain.account_id, known.chain.region),
        TimeWindow(min(digest.end for digest in wrong) - HOUR, newest.end),
        s3_uri=newest.location.uri if is_backfill else None,
        version_id=entry.version_id,
        expected=newest.sha256,
        actual=entry.sha256 or None,
        detail=f"{newest.location.uri} {what}: {SEEN_BEFORE}{more}",
    )
