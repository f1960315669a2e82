"""Heads and stages in a DynamoDB table: how a commit of any size becomes the state in one write.

A stage is written under the next version and a token of its own, and counts for nobody until the
head names it. Stages of versions that are over are garbage, whoever wrote them: a head only moves
on. Why it is safe stands in `dynamodb`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from msgspec import Struct

from integrity.chain.seal import SealedMonth
from integrity.errors import UsageError
from integrity.state import Checkpoint, Incident, Letter, RunSummary
from integrity.stores.documents import foreign, pack, unpack
from integrity.stores.dynamodb_table import Item, Table, binary, number, text

T = TypeVar("T")

SCHEMA_VERSION = 1
_HEADS = "trails"
_TRIES = 5


class Kept(Struct, frozen=True, kw_only=True):
    """What of a trail the next tick needs: one document."""

    checkpoint: Checkpoint | None = None
    incidents: tuple[Incident, ...] = ()


class News(Struct, frozen=True, kw_only=True):
    """What of a commit is to have items of its own."""

    letters: tuple[Letter, ...]
    resolved: tuple[Incident, ...]
    run: RunSummary | None
    months: tuple[SealedMonth, ...] = ()


class Head(Struct, frozen=True, kw_only=True):
    """Which stage is a trail's state. `spread`: the items of its news have been written."""

    trail_arn: str
    version: int
    token: str
    state_parts: int
    news_parts: int
    spread: bool = False


class Stages:
    """The heads and stages of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def head(self, trail_arn: str) -> Head | None:
        """The head as it is now. Raises UsageError where a newer program wrote it."""
        item = self._table.get(_HEADS, trail_arn)
        return None if item is None else self._read(item)

    def heads(self) -> Iterator[Head]:
        """Those of all trails."""
        return map(self._read, self._table.query(_HEADS))

    def state(self, trail_arn: str) -> tuple[Head | None, Kept]:
        """A head and what it names. While it is read the next commit may sweep it: then again."""
        head = None
        for _ in range(_TRIES):
            head = self.head(trail_arn)
            if head is None:
                return None, Kept()
            kept = self._parts(Kept, head, "state", head.state_parts)
            if kept is not None:
                return head, kept
        raise foreign(self._table.place, f"a state of {trail_arn} of which parts are missing")

    def news(self, head: Head) -> News | None:
        """What a commit brought; None where a later commit has swept it."""
        news = self._parts(News, head, "news", head.news_parts)
        if news is None and self.head(head.trail_arn) == head:
            raise foreign(self._table.place, f"news of {head.trail_arn} without all their parts")
        return news

    def write(self, trail_arn: str, version: int, token: str, state: Kept, news: News) -> Head:
        """Stage a commit: nobody sees it yet."""
        states, novelties = pack(state), pack(news)
        head = Head(
            trail_arn=trail_arn,
            version=version,
            token=token,
            state_parts=len(states),
            news_parts=len(novelties),
        )
        for name, parts in (("state", states), ("news", novelties)):
            for at, part in enumerate(parts):
                self._table.put(
                    {
                        "pk": text(_stage(trail_arn)),
                        "sk": text(f"{_prefix(head, name)}{at:06d}"),
                        "body": binary(part),
                    }
                )
        return head

    def flip(self, head: Head) -> bool:
        """Make a stage the state, if the state is still the version before; False otherwise."""
        before = head.version - 1
        won = self._table.put(
            {
                "pk": text(_HEADS),
                "sk": text(head.trail_arn),
                "schema": number(SCHEMA_VERSION),
                "version": number(head.version),
                "stage": text(head.token),
                "state_parts": number(head.state_parts),
                "news_parts": number(head.news_parts),
                "spread": {"BOOL": head.spread},
            },
            condition="version = :before" if before else "attribute_not_exists(pk)",
            values={":before": number(before)} if before else None,
        )
        if won:
            return True
        # An answer was lost on the way, and what botocore asked again met its own write.
        now = self.head(head.trail_arn)
        return now is not None and now.token == head.token

    def mark_spread(self, head: Head) -> None:
        """The news of this head need not be spread again."""
        self._table.update(
            _HEADS,
            head.trail_arn,
            "SET spread = :true",
            condition="stage = :stage",
            values={":true": {"BOOL": True}, ":stage": text(head.token)},
        )

    def sweep(self, head: Head) -> None:
        """Take away every stage of a version before this one: none of them can ever win."""
        older = self._table.query(
            _stage(head.trail_arn),
            "sk < :version",
            values={":version": text(f"{head.version:012d}#")},
            ProjectionExpression="pk, sk",
        )
        for item in list(older):
            self._table.delete(_stage(head.trail_arn), self._table.value(item, "sk", str))

    def _parts(self, kind: type[T], head: Head, name: str, count: int) -> T | None:
        found = self._table.query(
            _stage(head.trail_arn),
            "begins_with(sk, :stage)",
            values={":stage": text(_prefix(head, name))},
        )
        parts = [self._table.value(item, "body", bytes) for item in found]
        return unpack(kind, parts, self._table.place) if len(parts) == count else None

    def _read(self, item: Item) -> Head:
        value = self._table.value
        schema, trail_arn = value(item, "schema", int), value(item, "sk", str)
        if schema != SCHEMA_VERSION:
            raise UsageError(
                f"{self._table.place} has schema version {schema} of {trail_arn}; this program "
                f"knows version {SCHEMA_VERSION}: use the version of integrity that wrote it, or a "
                "newer one"
            )
        return Head(
            trail_arn=trail_arn,
            version=value(item, "version", int),
            token=value(item, "stage", str),
            state_parts=value(item, "state_parts", int),
            news_parts=value(item, "news_parts", int),
            spread=value(item, "spread", bool),
        )


def _stage(trail_arn: str) -> str:
    return f"stage#{trail_arn}"


def _prefix(head: Head, name: str) -> str:
    return f"{head.version:012d}#{head.token}#{name}#"
