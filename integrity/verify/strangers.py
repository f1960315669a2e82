"""Objects in the digest folders of a segment that are named like no trail's digest."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.chain.findings import Finding, Place, Reason, find
from integrity.chain.model import ChainId, TimeWindow
from integrity.chain.names import digest_folder
from integrity.chain.times import DAY, day_folder
from integrity.verify.listing import Shelf, days_from


def find_strangers(chain: ChainId, window: TimeWindow, shelf: Shelf) -> Iterator[Finding]:
    """A finding for each that lies in a day folder of the window, under the chain's root."""
    folder = digest_folder(chain.root, chain.account_id, chain.region)
    days = {folder + day_folder(day): day for day in days_from(window.start, window.end)}
    for listed in shelf.strangers:
        day = days.get(listed.location.key[: len(folder) + len("2026/03/01/")])
        if day is not None:
            yield find(
                Reason.DIGEST_FOREIGN,
                Place(chain.account_id, chain.region),
                TimeWindow(day, day + DAY),
                s3_uri=listed.location.uri,
                last_modified=listed.last_modified,
                detail="not named like a digest file",
            )
