"""A process that dies before or after any request of a commit: the old state or the new one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from integrity.stores.dynamodb import DynamoDbStore
from tests.stores.conftest import client, make_table
from tests.stores.specimens import (
    ARN,
    DAY,
    HOUR,
    NOW,
    checkpoint,
    commit,
    incident,
    letter,
    run_summary,
)

pytestmark = pytest.mark.slow

LEASE = timedelta(minutes=5)
OLD = checkpoint()
FIRST = commit(state=OLD, incidents=(incident("old"),), letters=(letter("first"),))
NEW = checkpoint(NOW + HOUR, chains=3)
SECOND = commit(
    1,
    state=NEW,
    incidents=(incident("old", resolved=NOW), incident("new")),
    letters=tuple(letter(f"{number:03}") for number in range(3)),
    run=run_summary("run-2", NOW + HOUR),
)


class DiedError(Exception):
    """The process is no more."""


@dataclass
class Mortal:
    """Dies at the request of that number: before it is sent, or after it was answered."""

    point: int
    moment: str
    asked: int = 0

    def commit(self, dynamodb: Any, table: str) -> None:
        events = dynamodb.meta.events
        events.register("before-call.dynamodb", self.before)
        events.register("after-call.dynamodb", self.after)
        try:
            DynamoDbStore(table, dynamodb).commit(SECOND)
        finally:
            events.unregister("before-call.dynamodb", self.before)
            events.unregister("after-call.dynamodb", self.after)

    def before(self, **_: Any) -> None:
        if self.asked == self.point and self.moment == "before":
            raise DiedError
        self.asked += 1

    def after(self, **_: Any) -> None:
        if self.asked > self.point and self.moment == "after":
            raise DiedError


def names(store: DynamoDbStore) -> list[str]:
    return [one.id for one in store.unsent_letters()]


def requests_of_second(dynamodb: Any) -> int:
    make_table("counted")
    DynamoDbStore("counted", dynamodb).commit(FIRST)
    mortal = Mortal(-1, "never")
    mortal.commit(dynamodb, "counted")
    return mortal.asked


def check_old(store: DynamoDbStore) -> None:
    state = store.load(ARN)
    assert (state.version, state.checkpoint) == (1, OLD)
    assert state.incidents == FIRST.incidents
    assert names(store) == ["first"]
    assert [run.run_id for run in store.list_runs(ARN, limit=9)] == ["run-1"]
    assert list(store.list_incidents(ARN, since=NOW - DAY)) == list(FIRST.incidents)


def check_new(store: DynamoDbStore) -> None:
    state = store.load(ARN)
    assert (state.version, state.checkpoint) == (2, NEW)
    assert [one.id for one in state.incidents] == ["new"]
    assert names(store) == [*(one.id for one in SECOND.letters), "first"]
    assert [run.run_id for run in store.list_runs(ARN, limit=9)] == ["run-2", "run-1"]
    assert [one.id for one in store.list_incidents(ARN, since=NOW - DAY)] == ["new", "old"]


def check_order(store: DynamoDbStore, asked: str) -> None:
    """Whoever comes first, and for whatever, finds the commit whole."""
    if asked == "claim":
        claimed = store.claim_letters(NOW, lease=LEASE, limit=500)
        assert len(claimed) in (1, 4)
    if asked == "runs":
        assert len(store.list_runs(ARN, limit=9)) == store.load(ARN).version
    if asked == "incidents":
        assert len(store.list_incidents(ARN, since=NOW - DAY)) == store.load(ARN).version


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts and several transactions without a megabyte of either."""
    monkeypatch.setattr("integrity.stores.documents.PART_BYTES", 3000)
    monkeypatch.setattr("integrity.stores.dynamodb_table._MOST_TOGETHER", 2)


@pytest.mark.usefixtures("aws", "small_parts")
def test_a_commit_that_dies_anywhere_is_whole_or_not_there() -> None:
    dynamodb = client("dynamodb")
    requests = requests_of_second(dynamodb)
    assert requests >= 15
    seen: Counter[int] = Counter()
    for point in range(requests):
        for moment in ("before", "after"):
            name = f"{moment}-{point}"
            make_table(name)
            DynamoDbStore(name, dynamodb).commit(FIRST)
            with pytest.raises(DiedError):
                Mortal(point, moment).commit(dynamodb, name)
            store = DynamoDbStore(name, dynamodb)
            check_order(store, ("load", "claim", "runs", "incidents")[point % 4])
            seen[store.load(ARN).version] += 1
            if store.load(ARN).version == 1:
                check_old(store)
                store.commit(SECOND)
            check_new(store)
            # The next commit clears up whatever was left lying about.
            store.commit(commit(2))
            items = dynamodb.scan(TableName=name)["Items"]
            stages = [item["sk"]["S"] for item in items if item["pk"]["S"].startswith("stage#")]
            assert {stage.split("#")[0] for stage in stages} == {"000000000003"}
            assert len(names(store)) == 4
            dynamodb.delete_table(TableName=name)  # moto copies every table for a transaction
    assert min(seen[1], seen[2]) > 4
    assert seen[1] + seen[2] == 2 * requests
