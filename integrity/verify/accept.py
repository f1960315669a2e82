"""A person takes what the bucket holds now for the truth, after a change that they know of.

The verification that comes before it (`Job.accepting`) looks for what is known and tells nobody
what is gone; here is what was given up by that, for the record. `chain.known:settle` then forgets
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from integrity.chain.known import KnownChain, KnownDigest
from integrity.record import Acceptance, Head


def accept(
    known: Iterable[KnownChain], *, who: str, why: str, at: datetime
) -> tuple[Acceptance, ...]:
    """What is given up of each chain, where something of it is lost. Not yet settled, that is."""
    return tuple(
        Acceptance(
            account_id=one.chain.account_id,
            region=one.chain.region,
            kind=one.chain.kind,
            old=_head(max(one.lost, key=lambda digest: (digest.was_head, digest.end))),
            new=_head(one.head) if one.head is not None else None,
            lost=len(one.lost),
            accepted_by=who,
            reason=why,
            accepted_at=at,
        )
        for one in known
        if one.lost
    )


def _head(digest: KnownDigest) -> Head:
    return Head(digest.location.uri, digest.end, digest.sha256, digest.signature)
