"""What every store promises of events that were seen live, and of letters of no commit."""

from __future__ import annotations

from datetime import timedelta

from integrity.service.ports import StateStore
from integrity.structs import replace
from tests.stores.conftest import OpenStore
from tests.stores.specimens import ARN, DAY, HOUR, NOW, OTHER_ARN, commit, letter, sighting


def waiting(store: StateStore, arn: str = ARN) -> list[str]:
    return [one.event_id for one in store.sightings.waiting(arn, NOW)]


def test_of_nothing_that_was_seen_nothing_is_kept(store: StateStore) -> None:
    assert waiting(store) == []
    store.sightings.remember([])
    store.sightings.forget(ARN, ["nobody knows it"])
    assert waiting(store) == []


def test_what_was_seen_waits_for_everybody_oldest_first(open_store: OpenStore) -> None:
    seen = [sighting("late"), sighting("early", seen_at=NOW - HOUR), sighting("even later")]
    open_store().sightings.remember(seen)
    store = open_store()
    assert list(store.sightings.waiting(ARN, NOW)) == [seen[1], seen[2], seen[0]]
    assert waiting(store, OTHER_ARN) == []


def test_the_first_sight_counts(store: StateStore) -> None:
    first = sighting(seen_at=NOW - HOUR)
    store.sightings.remember([first])
    store.sightings.remember([replace(first, seen_at=NOW), replace(first, region="eu-west-1")])
    assert list(store.sightings.waiting(ARN, NOW)) == [first]


def test_what_is_confirmed_is_forgotten(store: StateStore) -> None:
    store.sightings.remember([sighting(name) for name in "abc"])
    store.sightings.remember([sighting("a", arn=OTHER_ARN)])
    store.sightings.forget(ARN, ["a", "c", "a"])
    assert waiting(store) == ["b"]
    assert waiting(store, OTHER_ARN) == ["a"]


def test_nothing_waits_for_ever(store: StateStore) -> None:
    store.sightings.remember([sighting("old", seen_at=NOW - 30 * DAY), sighting("new")])
    assert waiting(store) == ["new"]


def test_more_than_one_request_takes(store: StateStore) -> None:
    many = [sighting(f"{number:03}") for number in range(130)]
    store.sightings.remember(many)
    assert len(waiting(store)) == 130


def test_letters_of_no_commit_are_kept_once(store: StateStore) -> None:
    store.keep_letters([letter("a"), letter("b")])
    [first, _] = store.claim_letters(NOW, lease=HOUR, limit=10)
    store.mark_sent(first.id, NOW)
    store.keep_letters([letter("a", due=NOW + DAY), letter("b"), letter("c")])
    assert [one.id for one in store.unsent_letters()] == ["b", "c"]
    assert store.load(ARN).version == 0


def test_a_commit_leaves_such_a_letter_as_it_is(store: StateStore) -> None:
    store.keep_letters([letter("a")])
    store.mark_sent("a", NOW)
    store.commit(commit(letters=(letter("a"), letter("b"))))
    assert [one.id for one in store.unsent_letters()] == ["b"]


def test_of_the_same_letter_twice_the_first_is_kept(store: StateStore) -> None:
    store.keep_letters([letter("a"), letter("a", due=NOW + timedelta(days=9))])
    assert [one.due for one in store.unsent_letters()] == [NOW]
