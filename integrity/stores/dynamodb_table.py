"""The DynamoDB table as a store sees it: items by `pk` and `sk`, read consistently.

What the items mean is `dynamodb`'s. Trouble that passes is waited out by botocore (its standard
mode, in the client that is handed in); what is left is an AccessError with the permission or the
cause. (AWS: DynamoDB API Reference, Error handling with DynamoDB, Condition expressions.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from integrity.aws.refusal import REFUSALS, Call, Refusal, error_code, explain, is_slow_down
from integrity.errors import AccessError
from integrity.stores.documents import foreign

T = TypeVar("T")
Item = Mapping[str, Mapping[str, Any]]

_MOST_TOGETHER = 100
_MOST_BYTES_TOGETHER = 3_000_000
_TRIES = 6
_FIRST_WAIT = 0.05
_THERE = "ConditionalCheckFailed"
# Of a transaction: another one writes the same items, or AWS wants fewer.
_IN_THE_WAY = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_LOST = frozenset({"ConditionalCheckFailedException", "TransactionConflictException"})


def text(value: str) -> dict[str, str]:
    """A string as DynamoDB writes it."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A whole number as DynamoDB writes it."""
    return {"N": str(value)}


def binary(value: bytes) -> dict[str, bytes]:
    """Bytes as DynamoDB writes them."""
    return {"B": value}


class Table:
    """One table, through a client that is safe for many threads."""

    def __init__(self, name: str, client: Any) -> None:
        self.name = name
        self.place = f"the DynamoDB table {name}"
        self._client = client

    def value(self, item: Item, name: str, kind: type[T]) -> T:
        """An attribute of an item: str, int, bool or bytes. Raises AccessError for another type."""
        [(tag, found)] = item.get(name, {"": None}).items()
        if (kind, tag) == (int, "N") and found.lstrip("-").isdecimal():
            found = int(found)
        if type(found) is not kind or (kind is str and tag != "S"):
            raise foreign(self.place, f"an item whose {name} is no {kind.__name__}")
        return found

    def get(self, pk: str, sk: str) -> Item | None:
        """The item as it is now, or None."""
        answer = self._ask("GetItem", Key=_key(pk, sk), ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    def query(
        self, pk: str, condition: str = "", *, limit: int | None = None, **more: Any
    ) -> Iterator[Item]:
        """Items of `pk` in the order of `sk`, as they are now, page by page.

        `condition` narrows the sort key; `more` are parameters of Query, `values` those of its
        expressions.
        """
        values = {":pk": text(pk)} | more.pop("values", {})
        where = f"pk = :pk AND {condition}" if condition else "pk = :pk"
        if limit is not None:
            more["Limit"] = limit
        pages = self._pages(
            KeyConditionExpression=where,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            **more,
        )
        yield from islice(pages, limit)

    def put(self, item: Item, *, condition: str = "", values: Item | None = None) -> bool:
        """Write an item; False where `condition` does not hold for the one that is there."""
        return self._write("PutItem", condition, values, Item=item)

    def update(self, pk: str, sk: str, change: str, *, condition: str, values: Item) -> bool:
        """Change an item; False where `condition` does not hold, or another is changing it."""
        return self._write(
            "UpdateItem", condition, values, Key=_key(pk, sk), UpdateExpression=change
        )

    def delete(self, pk: str, sk: str) -> None:
        """Take an item away, if it is there."""
        self._write("DeleteItem", "", None, Key=_key(pk, sk))

    def put_missing(self, items: Iterable[Item]) -> None:
        """Write those items that are not there; what is there is left as it is."""
        for group in _groups(items):
            self._put_group(group)

    def _put_group(self, group: list[Item]) -> None:
        codes: list[str] = []
        for attempt in range(_TRIES):
            codes = self._transact(group)
            group = [
                item for item, code in zip(group, codes, strict=True) if code not in ("", _THERE)
            ]
            if not group:
                return
            if _IN_THE_WAY.intersection(codes):
                time.sleep(_FIRST_WAIT * 2**attempt)
        raise AccessError(
            f"{self.place} could not be used: a transaction was refused {_TRIES} times "
            f"({', '.join(sorted(_IN_THE_WAY.intersection(codes)))}): try again later"
        )

    def _transact(self, group: list[Item]) -> list[str]:
        """For each item "" where all were written, else why not ("None": not for its own sake)."""
        puts = [
            {
                "Put": {
                    "TableName": self.name,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for item in group
        ]
        try:
            self._client.transact_write_items(TransactItems=puts)
        except REFUSALS as error:
            codes = _cancelled(error)
            if not codes or not ({"None", _THERE} | _IN_THE_WAY).issuperset(codes):
                raise self._refused(error, "PutItem") from error
            return codes
        return [""] * len(group)

    def _write(self, operation: str, condition: str, values: Item | None, **request: Any) -> bool:
        if condition:
            request["ConditionExpression"] = condition
        if values:
            request["ExpressionAttributeValues"] = values
        try:
            self._call(operation)(TableName=self.name, **request)
        except REFUSALS as error:
            if condition and error_code(error) in _LOST:
                return False
            raise self._refused(error, operation) from error
        return True

    def _pages(self, **request: Any) -> Iterator[Item]:
        while True:
            answer = self._ask("Query", **request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _ask(self, operation: str, **request: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._call(operation)(TableName=self.name, **request)
        except REFUSALS as error:
            raise self._refused(error, operation) from error
        return answer

    def _call(self, operation: str) -> Callable[..., dict[str, Any]]:
        calls: dict[str, Callable[..., dict[str, Any]]] = {
            "GetItem": self._client.get_item,
            "Query": self._client.query,
            "PutItem": self._client.put_item,
            "UpdateItem": self._client.update_item,
            "DeleteItem": self._client.delete_item,
        }
        return calls[operation]

    def _refused(self, error: Refusal, operation: str) -> AccessError:
        call = Call(f"dynamodb:{operation}", f"on the table {self.name}")
        code = error_code(error)
        region = self._client.meta.region_name
        if code == "ResourceNotFoundException":
            why = f"there is none of that name in {region}: check name, region and account"
        elif code == "ValidationException":
            why = (
                f"{explain(error, call)}: its key has to be `pk` (string, partition) and `sk` "
                "(string, sort)"
            )
        elif is_slow_down(error) or code == "ProvisionedThroughputExceededException":
            why = (
                f"AWS throttled {call} to the end of the retries ({code}): wait, or let the table "
                "take on-demand capacity"
            )
        else:
            why = explain(error, call)
        return AccessError(f"{self.place} could not be used: {why}")


def _key(pk: str, sk: str) -> Item:
    return {"pk": text(pk), "sk": text(sk)}


def _cancelled(error: Refusal) -> list[str]:
    """Why each item of a transaction was refused; nothing where it failed for another reason."""
    if error_code(error) != "TransactionCanceledException":
        return []
    reasons = getattr(error, "response", {}).get("CancellationReasons", [])
    return [str(reason.get("Code", "None")) for reason in reasons]


def _groups(items: Iterable[Item]) -> Iterator[list[Item]]:
    """As many together as one transaction takes (AWS: 100 items, 4 MB)."""
    group: list[Item] = []
    size = 0
    for item in items:
        weight = sum(
            len(name) + len(value)
            for name, typed in item.items()
            for value in typed.values()
            if isinstance(value, str | bytes)
        )
        if group and (len(group) == _MOST_TOGETHER or size + weight > _MOST_BYTES_TOGETHER):
            yield group
            group, size = [], 0
        group.append(item)
        size += weight
    if group:
        yield group
