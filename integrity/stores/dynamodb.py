"""State in one DynamoDB table: for containers that keep no disk, and for several machines.

A transaction of DynamoDB takes 100 items of 400 KB; a commit may have more. So it is **staged**
beside the state that counts, in as many parts as it takes and under the next version, and becomes
the state by one conditional write: of the trail's head, which names the stage. A commit that loses
or dies before that has changed nothing. Then its news (letters, resolved incidents, months of the
past, the run) is **spread** into items of their own, and the head says so; until it does, whoever
comes next spreads it again, which changes nothing where it was done. Last, stages of older
versions, which can never win any more, are swept away.

    pk               sk                               what
    trails           ARN                              the head: version, stage, parts, spread
    stage#ARN        VERSION#TOKEN#state#PART         checkpoint and open incidents
    stage#ARN        VERSION#TOKEN#news#PART          what is to be spread
    letters          letter id                        a letter; one that has arrived has no body
    incidents#ARN    time of resolution#incident id   a resolved incident
    runs#ARN         start#run id                     a tick
    months#ARN       account#region#month             a month of the watched past
    seen#ARN         event id                         an event seen live (`dynamodb_sightings`)

What is kept for a while has its end in `expires`, the table's TTL attribute, in seconds since 1970.
It decides nothing. (AWS: DynamoDB constraints on transactions; Using time to live.)
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec import Struct

from integrity.chain.seal import SealedMonth
from integrity.state import (
    Commit,
    ConflictError,
    Incident,
    Letter,
    RunSummary,
    TrailState,
)
from integrity.stores.documents import microseconds, unpack
from integrity.stores.dynamodb_items import LETTERS, Items, expiry, stamp
from integrity.stores.dynamodb_sightings import DynamoDbSightings
from integrity.stores.dynamodb_stage import Head, Kept, News, Stages
from integrity.stores.dynamodb_table import Item, Table, number, text
from integrity.stores.retention import USUAL, Retention

T = TypeVar("T")

_WAITING = "attribute_not_exists(sent)"
_DUE = f"{_WAITING} AND dead = :false AND due <= :now AND leased <= :now"


class _Items(Struct, frozen=True, kw_only=True):
    """What a commit's news come to: letters, which never replace one, and the rest."""

    letters: tuple[Item, ...]
    history: tuple[Item, ...]


class DynamoDbStore:
    """The table `table`, through a botocore client of DynamoDB. For many threads and processes.

    The table has the key `pk`, `sk`, both strings, and `expires` as its TTL attribute. The client
    should retry in botocore's standard mode. Needs dynamodb:GetItem, Query, PutItem, UpdateItem and
    DeleteItem. Every method may raise AccessError; after one of `commit` the commit is kept whole
    or not at all, and `load` tells which.
    """

    def __init__(self, table: str, client: Any, *, retention: Retention = USUAL) -> None:
        self._table = Table(table, client)
        self._stages = Stages(self._table)
        self._retention = retention
        self._made = Items(self._table, retention)
        self.sightings = DynamoDbSightings(self._table, retention.sightings)

    def close(self) -> None:
        """Nothing to let go of: the client is its owner's."""

    def load(self, trail_arn: str) -> TrailState:
        """What is kept of a trail; of one that nobody has heard of, version 0 and nothing.

        Raises UsageError where a newer program wrote it.
        """
        head, kept = self._stages.state(trail_arn)
        return TrailState(
            version=head.version if head else 0,
            checkpoint=kept.checkpoint,
            incidents=kept.incidents,
        )

    def commit(self, commit: Commit) -> None:
        """Stage, flip the head, spread the news, sweep.

        Raises ConflictError where the version is not the one that is kept.
        """
        head, kept = self._stages.state(commit.trail_arn)
        version = head.version if head else 0
        if version != commit.version:
            raise self._conflict(commit)
        if head is not None:
            self._spread(head)
        incidents = {incident.id: incident for incident in (*kept.incidents, *commit.incidents)}
        by_age = sorted(incidents.values(), key=lambda incident: (incident.first_seen, incident.id))
        state = Kept(
            checkpoint=commit.checkpoint,
            incidents=tuple(incident for incident in by_age if incident.resolved is None),
        )
        resolved = tuple(incident for incident in commit.incidents if incident.resolved is not None)
        news = News(letters=commit.letters, resolved=resolved, run=commit.run, months=commit.months)
        items = self._items(commit.trail_arn, version + 1, news)
        following = self._stages.write(
            commit.trail_arn, version + 1, secrets.token_hex(8), state, news
        )
        if not self._stages.flip(following):
            raise self._conflict(commit)
        self._spread(following, items)
        self._stages.sweep(following)

    def keep_letters(self, letters: Sequence[Letter]) -> None:
        """What is there already, sent or not, is left as it is."""
        items = {letter.id: self._made.letter(letter) for letter in reversed(letters)}
        self._table.put_missing(items.values())

    def claim_letters(
        self,
        now: datetime,
        *,
        lease: timedelta,
        limit: int,
        destinations: Collection[str] | None = None,
    ) -> Sequence[Letter]:
        """Letters that are due, oldest first, leased to this caller until `now` + `lease`."""
        self._spread_all()
        values: Item = {":now": number(microseconds(now)), ":false": {"BOOL": False}}
        due = sorted(self._letters(_DUE, values), key=self._age)
        claimed: list[Letter] = []
        for item in due:
            if len(claimed) == limit:
                break
            letter = self._letter(item)
            if destinations is not None and letter.destination not in destinations:
                continue
            if self._table.update(
                LETTERS,
                self._table.value(item, "sk", str),
                "SET leased = :until",
                condition=_DUE,
                values={**values, ":until": number(microseconds(now + lease))},
            ):
                claimed.append(letter)
        return claimed

    def mark_sent(self, letter_id: str, now: datetime) -> None:
        """Its content is forgotten at once, its id after `Retention.sent`."""
        self._table.update(
            LETTERS,
            letter_id,
            "SET sent = :now, expires = :expires REMOVE body",
            condition=f"attribute_exists(pk) AND {_WAITING}",
            values={
                ":now": number(microseconds(now)),
                ":expires": expiry(now, self._retention.sent),
            },
        )

    def mark_failed(self, letter: Letter) -> None:
        """Its lease ends. One that has arrived in the meantime stays so."""
        item = self._made.letter(letter)
        self._table.update(
            LETTERS,
            letter.id,
            "SET body = :body, due = :due, dead = :dead, leased = :leased",
            condition=f"attribute_exists(pk) AND {_WAITING}",
            values={f":{name}": item[name] for name in ("body", "due", "dead", "leased")},
        )

    def unsent_letters(self) -> Sequence[Letter]:
        """All letters that have not arrived, dead ones included, oldest first."""
        self._spread_all()
        return [self._letter(item) for item in sorted(self._letters(_WAITING, {}), key=self._age)]

    def list_incidents(self, trail_arn: str, *, since: datetime) -> Sequence[Incident]:
        """Open incidents, and those resolved at `since` or later, oldest first."""
        head, kept = self._stages.state(trail_arn)
        if head is not None:
            self._spread(head)
        resolved = self._table.query(
            f"incidents#{trail_arn}", "sk >= :since", values={":since": text(stamp(since))}
        )
        incidents = [self._document(Incident, item) for item in resolved]
        # The same one may have been resolved twice, or be open again: the last word counts.
        by_id = {incident.id: incident for incident in (*incidents, *kept.incidents)}
        return sorted(by_id.values(), key=lambda incident: (incident.first_seen, incident.id))

    def load_months(self, trail_arn: str) -> Sequence[SealedMonth]:
        """The months of the trail's watched past, by account, region and month."""
        head = self._stages.head(trail_arn)
        if head is not None:
            self._spread(head)
        items = self._table.query(f"months#{trail_arn}")
        months = [self._document(SealedMonth, item) for item in items]
        return [month for month in months if month.days]

    def list_runs(self, trail_arn: str, *, limit: int) -> Sequence[RunSummary]:
        """The newest ticks, newest first."""
        head = self._stages.head(trail_arn)
        if head is not None:
            self._spread(head)
        found = self._table.query(f"runs#{trail_arn}", limit=limit, ScanIndexForward=False)
        return [self._document(RunSummary, item) for item in found]

    def _spread_all(self) -> None:
        for head in self._stages.heads():
            self._spread(head)

    def _spread(self, head: Head, items: _Items | None = None) -> None:
        """Give the news of a commit that won items of their own: anybody may, and often."""
        if head.spread:
            return
        if items is None:
            news = self._stages.news(head)
            if news is None:
                return  # another has spread it, and a later commit has swept it
            items = self._items(head.trail_arn, head.version, news)
        self._table.put_missing(items.letters)
        for item in items.history:
            self._table.put(
                item,
                condition="attribute_not_exists(pk) OR version <= :version",
                values={":version": number(head.version)},
            )
        self._stages.mark_spread(head)

    def _items(self, trail_arn: str, version: int, news: News) -> _Items:
        """All that is spread. Raises AccessError for what no item can hold."""
        letters = {letter.id: self._made.letter(letter) for letter in reversed(news.letters)}
        history = [self._made.incident(trail_arn, incident) for incident in news.resolved]
        history += [self._made.month(trail_arn, month) for month in news.months]
        if news.run is not None:
            history.append(self._made.run(trail_arn, news.run))
        return _Items(
            letters=tuple(reversed(letters.values())),
            history=tuple({**item, "version": number(version)} for item in history),
        )

    def _letters(self, condition: str, values: Item) -> Iterator[Item]:
        return self._table.query(LETTERS, FilterExpression=condition, values=values)

    def _age(self, item: Item) -> tuple[int, str]:
        return self._table.value(item, "created", int), self._table.value(item, "sk", str)

    def _letter(self, item: Item) -> Letter:
        return self._document(Letter, item)

    def _document(self, kind: type[T], item: Item) -> T:
        return unpack(kind, [self._table.value(item, "body", bytes)], self._table.place)

    def _conflict(self, commit: Commit) -> ConflictError:
        return ConflictError(
            f"{self._table.place} has no version {commit.version} of {commit.trail_arn} any more, "
            "with which this tick began: another one was faster"
        )
