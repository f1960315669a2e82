"""Events seen live: letters of what matched, and what is remembered until it is proven."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from integrity.errors import AccessError
from integrity.rules.model import Event, Match, Rule
from integrity.service.live import LiveEvents, Origin, Taken
from integrity.state import Step
from tests.memory_store import MemoryStore

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
ID = "0a1b2c3d-1111-4222-8333-0123456789ab"
RULE = Rule(name="logins", match='.eventName == "ConsoleLogin"', destinations=("mail", "ledger"))
OWN = Origin(trail_arn=TRAIL, is_reconciled=True)


def login(**changes: Any) -> bytes:
    event = {
        "eventID": ID,
        "eventName": "ConsoleLogin",
        "eventTime": "2026-03-05T11:58:00Z",
        "recipientAccountId": "111122223333",
        "awsRegion": "us-east-1",
        "eventCategory": "Management",
    }
    return json.dumps(event | changes).encode()


def match(events: Iterable[Event]) -> Iterator[Match]:
    """As the rule says, without its program."""
    return (Match(RULE, event) for event in events if event.name == "ConsoleLogin")


def take(store: MemoryStore, *raws: bytes, origin: Origin = OWN) -> Taken:
    return LiveEvents(match, store, lambda: NOW).take(raws, origin)


def test_what_matches_is_a_letter_to_each_destination_and_not_yet_proven() -> None:
    store = MemoryStore()

    taken = take(store, login(), login(eventName="ListUsers"))

    assert taken == Taken(seen=2, matched=1)
    letters = list(store.letters.values())
    assert [one.destination for one in letters] == ["rules:mail", "rules:ledger"]
    message = letters[0].message
    assert (message.step, message.trail_arn) == (Step.MATCHED, TRAIL)
    assert message.facts["proven"] is False
    assert "Not yet proven" in message.text
    assert json.loads(message.event)["eventID"] == ID


def test_it_is_remembered_with_its_chain() -> None:
    store = MemoryStore()

    take(store, login())

    [seen] = store.sightings.waiting(TRAIL, NOW)
    assert (seen.event_id, seen.event_name) == (ID, "ConsoleLogin")
    assert (seen.account_id, seen.region) == ("111122223333", "us-east-1")
    assert (seen.time, seen.seen_at) == (datetime(2026, 3, 5, 11, 58, tzinfo=UTC), NOW)


def test_to_be_handed_it_again_changes_nothing() -> None:
    store = MemoryStore()
    take(store, login())
    for letter_id in list(store.letters):
        store.mark_sent(letter_id, NOW)

    take(store, login())

    assert store.unsent_letters() == []
    assert len(store.sightings.kept) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"eventCategory": "Insight"},
        {"eventCategory": "NetworkActivity"},
        {"eventID": "no id of CloudTrail's"},
        {"eventID": ID.upper()},
        {"eventID": None},
        {"eventTime": "soon"},
        {"recipientAccountId": "12"},
        {"awsRegion": "../us-east-1"},
    ],
)
def test_what_no_digest_will_name_is_told_and_not_remembered(changes: dict[str, Any]) -> None:
    store = MemoryStore()

    assert take(store, login(**changes)).matched == 1

    assert len(store.letters) == 2
    assert store.sightings.kept == {}


def test_an_old_event_has_no_category() -> None:
    store = MemoryStore()
    event = json.loads(login())
    del event["eventCategory"]

    take(store, json.dumps(event).encode())

    assert len(store.sightings.kept) == 1


def test_what_came_another_way_is_not_remembered() -> None:
    store = MemoryStore()

    take(store, login(), origin=Origin(trail_arn=TRAIL))

    assert len(store.letters) == 2
    assert store.sightings.kept == {}


def test_what_is_no_event_is_counted_and_its_neighbours_are_taken() -> None:
    store = MemoryStore()

    taken = take(store, b"not JSON", login(), b"[]", b"\xff")

    assert taken == Taken(seen=4, matched=1, unread=3)
    assert len(store.letters) == 2


def test_nothing_is_written_where_nothing_matches() -> None:
    store = MemoryStore()
    store.down = True

    assert take(store, login(eventName="ListUsers")) == Taken(seen=1)


def test_a_store_that_is_away_loses_nothing() -> None:
    store = MemoryStore()
    store.down = True
    with pytest.raises(AccessError):
        take(store, login())
    store.down = False

    take(store, login())

    assert len(store.letters) == 2


def test_who_dies_after_remembering_repeats_it() -> None:
    store = MemoryStore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "keep_letters", dies)
        with pytest.raises(KeyboardInterrupt):
            take(store, login())

    take(store, login())

    assert (len(store.letters), len(store.sightings.kept)) == (2, 1)


def dies(*_: object) -> None:
    raise KeyboardInterrupt
