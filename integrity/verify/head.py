"""The newest digest of a chain, wherever in the bucket it lies, for AWS's own word to be held
against.

GetTrailStatus names the time of its latest digest delivery. To say that the head was rewound, the
bucket is looked through to its real end, not the window's; and since a planted digest must not
stand in for the head that was cut, what lies beyond the window counts only if it is authentic.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from integrity.chain.model import ChainId, Root, TimeWindow, TrailStatus
from integrity.chain.times import DAY, HOUR
from integrity.verify.judged import DigestJudge
from integrity.verify.listing import DigestFolders

_DELIVERY_SLACK = timedelta(minutes=15)
_MOST_TRIES = 64


def newest_digest(
    chain: ChainId,
    folders: DigestFolders,
    judge: DigestJudge,
    *,
    beside: Iterable[Root] = (),
    after: datetime,
    now: datetime,
    due: datetime | None,
) -> datetime | None:
    """The end of the newest digest. One that ends beyond `after` was judged; None: there is none.

    With `due`, the time until which AWS must have delivered, later folders are listed for it.
    """

    def shown() -> list[datetime]:
        return [name.end for name, _ in folders.shelf.of(chain) if name.end <= now + DAY]

    if due is not None and max(shown(), default=after) < due and after < now:
        for root in (chain.root, *beside):
            folders.search(root, chain, TimeWindow(after, now + DAY), newest_first=True)
    tries = 0
    for name, listed in reversed(folders.shelf.of(chain)):
        if name.end > now + DAY:
            continue
        if due is None or name.end <= after:
            return name.end
        tries += 1
        if (
            tries <= _MOST_TRIES
            and judge.judge(name, listed.location, listed).authentic is not None
        ):
            return name.end
    return None


def was_redelivered(
    chain: ChainId, folders: DigestFolders, judge: DigestJudge, status: TrailStatus | None
) -> bool:
    """Whether an authentic digest, or a backfill one, was written when AWS says it delivered one.

    Junk under a good name could otherwise explain the delivery of a digest that was removed.
    """
    if status is None or status.latest_digest_delivery is None:
        return False
    delivery = status.latest_digest_delivery
    written_then = [
        (name, listed)
        for name, listed in folders.shelf.digests.values()
        if (name.chain.trail_name, name.chain.home_region) == (chain.trail_name, chain.home_region)
        and abs(listed.last_modified - delivery) <= _DELIVERY_SLACK
    ]
    return any(
        judge.judge(name, listed.location, listed).authentic is not None
        for name, listed in written_then[:_MOST_TRIES]
    )


def due_by(status: TrailStatus | None, grace: timedelta) -> datetime | None:
    """The end of the oldest digest that AWS's latest delivery can have been: an hour and a delay
    before.
    """
    if status is None or status.latest_digest_delivery is None:
        return None
    return status.latest_digest_delivery - HOUR - grace
