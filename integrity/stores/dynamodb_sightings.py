"""Events seen live, in the state's DynamoDB table, until a verified log file confirms them.

pk               sk          what
seen#ARN         event id    a sighting
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from integrity.state import Sighting
from integrity.stores.documents import decode, encode
from integrity.stores.dynamodb_table import Item, Table, binary, number, text


class DynamoDbSightings:
    """They are forgotten `keep` after they were seen, whatever became of them."""

    def __init__(self, table: Table, keep: timedelta) -> None:
        self._table, self._keep = table, keep

    def remember(self, sightings: Iterable[Sighting]) -> None:
        """One that is known already stays as it was first seen."""
        items: dict[tuple[str, str], Item] = {
            (one.trail_arn, one.event_id): {
                "pk": text(f"seen#{one.trail_arn}"),
                "sk": text(one.event_id),
                "body": binary(encode(one)),
                "expires": number(int((one.seen_at + self._keep).timestamp())),
            }
            for one in sightings
        }
        self._table.put_missing(items.values())

    def waiting(self, trail_arn: str, now: datetime) -> Sequence[Sighting]:
        """All that are neither confirmed nor too old, oldest first."""
        items = self._table.query(f"seen#{trail_arn}")
        bodies = (self._table.value(item, "body", bytes) for item in items)
        found = [decode(Sighting, body, self._table.place) for body in bodies]
        kept = (one for one in found if one.seen_at > now - self._keep)
        return sorted(kept, key=lambda one: (one.seen_at, one.event_id))

    def forget(self, trail_arn: str, event_ids: Iterable[str]) -> None:
        """They are confirmed, or have been told; one that nobody knows changes nothing."""
        for event_id in event_ids:
            self._table.delete(f"seen#{trail_arn}", event_id)
