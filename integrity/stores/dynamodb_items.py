"""What lies in a DynamoDB table beside stages and heads, as items: letters, history, the past.

Each is one packed document with the attributes that it is found by. Writing them is `dynamodb`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from integrity.chain.seal import SealedMonth
from integrity.chain.times import DAY
from integrity.errors import AccessError
from integrity.state import Incident, Letter, RunSummary
from integrity.stores.documents import microseconds, pack
from integrity.stores.dynamodb_table import Item, Table, binary, number, text
from integrity.stores.retention import Retention

LETTERS = "letters"
_MOST_KEY_BYTES = 1024


class Items:
    """Makes items for one table. Raises AccessError for what no item can hold."""

    def __init__(self, table: Table, retention: Retention) -> None:
        self._table, self._retention = table, retention

    def letter(self, letter: Letter) -> Item:
        """One that waits."""
        return {
            "pk": text(LETTERS),
            "sk": self._sort_key(letter.id),
            "body": binary(self._one_part(letter, f"letter {letter.id}")),
            "created": number(microseconds(letter.message.created_at)),
            "due": number(microseconds(letter.due)),
            "dead": {"BOOL": letter.dead},
            "leased": number(0),
        }

    def incident(self, trail_arn: str, incident: Incident) -> Item:
        """One that is resolved."""
        resolved = incident.resolved or incident.last_seen
        return {
            "pk": text(f"incidents#{trail_arn}"),
            "sk": self._sort_key(f"{stamp(resolved)}#{incident.id}"),
            "body": binary(self._one_part(incident, f"incident {incident.id}")),
            "expires": expiry(resolved, self._retention.resolved),
        }

    def run(self, trail_arn: str, run: RunSummary) -> Item:
        """A tick."""
        return {
            "pk": text(f"runs#{trail_arn}"),
            "sk": self._sort_key(f"{stamp(run.started_at)}#{run.run_id}"),
            "body": binary(self._one_part(run, f"run {run.run_id}")),
            "expires": expiry(run.finished_at, self._retention.runs),
        }

    def month(self, trail_arn: str, month: SealedMonth) -> Item:
        """One without a day is left for the table's TTL to take."""
        name = f"{month.account_id}#{month.region}#{month.month:%Y-%m}"
        item: dict[str, Mapping[str, Any]] = {
            "pk": text(f"months#{trail_arn}"),
            "sk": self._sort_key(name),
            "body": binary(self._one_part(month, f"month {name}")),
        }
        if not month.days:
            item["expires"] = expiry(month.month, DAY)
        return item

    def _one_part(self, value: object, name: str) -> bytes:
        parts = pack(value)
        if len(parts) > 1:
            raise AccessError(
                f"{self._table.place} cannot take {name}: packed it is larger than 350 KiB, and an "
                "item has at most 400 KB"
            )
        return parts[0]

    def _sort_key(self, key: str) -> dict[str, str]:
        if not 0 < len(key.encode()) <= _MOST_KEY_BYTES:
            raise AccessError(
                f"{self._table.place} cannot take {key[:80]!r}: a sort key has 1 to 1,024 bytes"
            )
        return text(key)


def expiry(since: datetime, span: timedelta) -> dict[str, str]:
    """When TTL may take an item away."""
    return number(int((since + span).timestamp()))


def stamp(time: datetime) -> str:
    """A time as a part of a sort key."""
    return f"{microseconds(time):020d}"
