"""What every state store promises (`service.ports.StateStore`): one suite for all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from integrity.record import Acknowledgement
from integrity.service.ports import StateStore
from integrity.state import ConflictError, Letter
from integrity.structs import replace
from tests.stores.conftest import OpenStore
from tests.stores.specimens import (
    ARN,
    DAY,
    HOUR,
    NOW,
    OTHER_ARN,
    checkpoint,
    commit,
    incident,
    letter,
    run_summary,
)

LEASE = timedelta(minutes=5)


def claim(store: StateStore, now: timedelta = timedelta(), limit: int = 100) -> list[str]:
    return [one.id for one in store.claim_letters(NOW + now, lease=LEASE, limit=limit)]


def unsent(store: StateStore) -> list[str]:
    return [one.id for one in store.unsent_letters()]


def test_of_a_trail_that_nobody_has_heard_of_there_is_nothing(store: StateStore) -> None:
    state = store.load(ARN)
    assert (state.version, state.checkpoint, state.incidents) == (0, None, ())
    assert store.list_runs(ARN, limit=10) == []
    assert store.list_incidents(ARN, since=NOW - DAY) == []
    assert store.unsent_letters() == []
    assert claim(store) == []


def test_what_was_committed_is_there_for_everybody(open_store: OpenStore) -> None:
    given = commit(incidents=(incident(),), letters=(letter(),))
    open_store().commit(given)
    store = open_store()
    state = store.load(ARN)
    assert (state.version, state.checkpoint) == (1, given.checkpoint)
    assert state.incidents == given.incidents
    assert list(store.unsent_letters()) == list(given.letters)
    assert list(store.list_runs(ARN, limit=10)) == [given.run]
    assert list(store.list_incidents(ARN, since=NOW)) == list(given.incidents)


def test_the_next_commit_takes_the_place_of_the_checkpoint(store: StateStore) -> None:
    store.commit(commit())
    later = checkpoint(NOW + HOUR, chains=3)
    store.commit(commit(1, state=later))
    assert (store.load(ARN).version, store.load(ARN).checkpoint) == (2, later)


def test_chains_keep_their_lost_digests_and_empty_heads(store: StateStore) -> None:
    known = checkpoint()
    first, second = known.chains
    odd = (
        replace(first, head=None, recent=(), verified=None),
        replace(second, lost=(replace(second.recent[0], version_id=None),)),
    )
    store.commit(commit(state=replace(known, chains=odd)))
    kept = store.load(ARN).checkpoint
    assert kept is not None
    assert kept.chains == odd


@pytest.mark.parametrize("version", [0, 2])
def test_a_commit_on_another_version_changes_nothing(store: StateStore, version: int) -> None:
    store.commit(commit(letters=(letter("first"),)))
    before = store.load(ARN)
    with pytest.raises(ConflictError):
        store.commit(
            commit(
                version,
                state=checkpoint(NOW + HOUR),
                incidents=(incident(),),
                letters=(letter("late"),),
                run=run_summary("late"),
            )
        )
    assert store.load(ARN) == before
    assert unsent(store) == ["first"]
    assert [run.run_id for run in store.list_runs(ARN, limit=10)] == ["run-1"]
    assert store.list_incidents(ARN, since=NOW - DAY) == []


def test_the_first_commit_needs_version_nought(store: StateStore) -> None:
    with pytest.raises(ConflictError):
        store.commit(commit(1))
    assert store.load(ARN).version == 0


def test_of_commits_at_once_one_wins(open_store: OpenStore) -> None:
    stores = [open_store() for _ in range(4)]

    def try_to(number: int) -> bool:
        own = commit(letters=(letter(f"of-{number}"),), run=run_summary(f"run-{number}"))
        try:
            stores[number].commit(own)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(try_to, range(4)))
    assert won.count(True) == 1
    winner = won.index(True)
    assert unsent(open_store()) == [f"of-{winner}"]
    assert [run.run_id for run in stores[0].list_runs(ARN, limit=9)] == [f"run-{winner}"]
    assert stores[0].load(ARN).version == 1


def test_trails_do_not_know_each_other(store: StateStore) -> None:
    store.commit(commit(incidents=(incident(),), letters=(letter("a"),)))
    other = commit(letters=(letter("b", arn=OTHER_ARN),), arn=OTHER_ARN)
    store.commit(other)
    assert store.load(OTHER_ARN).incidents == ()
    assert store.load(OTHER_ARN).checkpoint == other.checkpoint
    assert store.list_incidents(OTHER_ARN, since=NOW - DAY) == []
    assert len(store.list_runs(ARN, limit=9)) == 1
    assert sorted(claim(store)) == ["a", "b"]


def test_an_incident_stays_open_until_it_is_resolved(store: StateStore) -> None:
    older, newer = incident("b", first_seen=NOW - HOUR), incident("a")
    store.commit(commit(incidents=(newer, older)))
    store.commit(commit(1))
    assert store.load(ARN).incidents == (older, newer)
    changed = replace(newer, ticks=3, detail="graver")
    store.commit(commit(2, incidents=(changed, replace(older, resolved=NOW + HOUR))))
    assert store.load(ARN).incidents == (changed,)


def test_resolved_incidents_are_listed_for_a_time(store: StateStore) -> None:
    resolved = [
        incident(f"{hours}", first_seen=NOW - HOUR * hours, resolved=NOW + HOUR * hours)
        for hours in range(3)
    ]
    opened = incident("open", first_seen=NOW - DAY)
    store.commit(commit(incidents=(*resolved, opened)))
    listed = store.list_incidents(ARN, since=NOW + HOUR)
    assert list(listed) == [opened, resolved[2], resolved[1]]


def test_an_incident_that_comes_back_is_one_incident(store: StateStore) -> None:
    store.commit(commit(incidents=(incident(resolved=NOW),)))
    again = incident(detail="again")
    store.commit(commit(1, incidents=(again,)))
    assert store.load(ARN).incidents == (again,)
    assert list(store.list_incidents(ARN, since=NOW - DAY)) == [again]
    over = incident(resolved=NOW + HOUR, detail="over")
    store.commit(commit(2, incidents=(over,)))
    assert list(store.list_incidents(ARN, since=NOW - DAY)) == [over]
    assert store.load(ARN).incidents == ()


def test_a_commit_without_a_run_changes_incidents_and_no_history(open_store: OpenStore) -> None:
    known = Acknowledgement(by="an ARN", reason="mended soon", at=NOW, until=NOW + DAY)
    store = open_store()
    store.commit(commit(incidents=(incident(),), letters=(letter(),)))
    changed = replace(incident(), acknowledgements=(known, replace(known, until=NOW)))
    store.commit(replace(commit(1, incidents=(changed,)), run=None))

    state = open_store().load(ARN)
    assert (state.version, state.incidents) == (2, (changed,))
    assert state.checkpoint == commit().checkpoint
    assert [run.run_id for run in store.list_runs(ARN, limit=9)] == ["run-1"]
    assert unsent(store) == ["one"]
    with pytest.raises(ConflictError):
        store.commit(replace(commit(1, incidents=(incident(),)), run=None))


def test_runs_are_listed_newest_first(store: StateStore) -> None:
    for version in range(5):
        store.commit(commit(version))
    assert [run.run_id for run in store.list_runs(ARN, limit=3)] == ["run-5", "run-4", "run-3"]


def test_letters_are_claimed_oldest_first_and_once(store: StateStore) -> None:
    letters = (
        letter("new", created_at=NOW - HOUR),
        letter("old", created_at=NOW - DAY),
        letter("later", created_at=NOW - DAY, due=NOW + HOUR),
    )
    store.commit(commit(letters=letters))
    assert unsent(store) == ["later", "old", "new"]
    assert claim(store, limit=1) == ["old"]
    assert claim(store) == ["new"]
    assert claim(store) == []
    assert claim(store, HOUR - timedelta(seconds=1)) == ["old", "new"]
    assert claim(store, HOUR) == ["later"]


def test_a_lease_that_ran_out_gives_the_letter_out_again(open_store: OpenStore) -> None:
    open_store().commit(commit(letters=(letter(),)))
    assert claim(open_store()) == ["one"]
    assert claim(open_store(), LEASE - timedelta(seconds=1)) == []
    assert claim(open_store(), LEASE) == ["one"]
    assert claim(open_store(), LEASE) == []


def test_two_claimants_never_get_the_same_letter(open_store: OpenStore) -> None:
    names = [f"{number:03}" for number in range(60)]
    open_store().commit(commit(letters=tuple(letter(name) for name in names)))
    stores = [open_store() for _ in range(4)]

    def claim_all(store: StateStore) -> list[str]:
        got: list[str] = []
        while some := claim(store, limit=7):
            got += some
        return got

    with ThreadPoolExecutor(4) as pool:
        claimed = [name for got in pool.map(claim_all, stores) for name in got]
    assert sorted(claimed) == names


def test_who_names_destinations_is_given_letters_to_these_alone(store: StateStore) -> None:
    mine = replace(letter("mine"), destination="rules:mine")
    store.commit(commit(letters=(letter("a"), letter("b"), mine)))
    claims = [
        store.claim_letters(NOW, lease=LEASE, limit=1, destinations=one)
        for one in (
            ("rules:mine", "rules:more"),
            ("rules:mine",),
            (),
        )
    ]
    assert [[one.id for one in claimed] for claimed in claims] == [["mine"], [], []]
    assert claim(store) == ["a", "b"]
    assert claim(store, LEASE) == ["a", "b", "mine"]


def test_a_letter_that_arrived_is_not_sent_again(open_store: OpenStore) -> None:
    store = open_store()
    store.commit(commit(letters=(letter(),)))
    assert claim(store) == ["one"]
    store.mark_sent("one", NOW)
    # The tick that was killed comes again with the same news, and with some more.
    store.commit(commit(1, letters=(letter(), letter("two"))))
    assert unsent(open_store()) == ["two"]
    assert claim(store, DAY) == ["two"]


def test_a_repeated_commit_leaves_a_letter_as_it_is(store: StateStore) -> None:
    store.commit(commit(letters=(letter(),)))
    [claimed] = store.claim_letters(NOW, lease=LEASE, limit=1)
    failed = replace(claimed, attempts=1, last_error="throttled", due=NOW + HOUR)
    store.mark_failed(failed)
    store.commit(commit(1, letters=(letter(),)))
    assert list(store.unsent_letters()) == [failed]
    assert claim(store) == []


def test_the_same_letter_twice_in_a_commit_is_one(store: StateStore) -> None:
    store.commit(commit(letters=(letter(), letter(due=NOW + HOUR), letter("two"))))
    assert unsent(store) == ["one", "two"]
    assert claim(store) == ["one", "two"]


def test_a_letter_that_failed_is_due_when_it_says(store: StateStore) -> None:
    store.commit(commit(letters=(letter(),)))
    assert claim(store) == ["one"]
    store.mark_failed(replace(letter(), attempts=1, last_error="no", due=NOW + LEASE / 2))
    assert claim(store) == []
    [again] = store.claim_letters(NOW + LEASE / 2, lease=LEASE, limit=9)
    assert (again.attempts, again.last_error) == (1, "no")


def test_a_dead_letter_waits_for_a_person(store: StateStore) -> None:
    store.commit(commit(letters=(letter(),)))
    dead = replace(letter(), attempts=9, last_error="gone", dead=True)
    store.mark_failed(dead)
    assert claim(store, DAY) == []
    assert list(store.unsent_letters()) == [dead]
    store.mark_failed(replace(dead, dead=False, due=NOW + DAY))
    assert claim(store, DAY) == ["one"]


def test_what_has_arrived_does_not_fail_any_more(store: StateStore) -> None:
    store.commit(commit(letters=(letter(),)))
    store.mark_sent("one", NOW)
    store.mark_failed(replace(letter(), attempts=1))
    store.mark_sent("one", NOW + HOUR)
    assert unsent(store) == []
    assert claim(store, DAY) == []


def test_of_unknown_letters_nothing_is_made(store: StateStore) -> None:
    store.mark_sent("nobody", NOW)
    store.mark_failed(letter("nobody"))
    assert unsent(store) == []
    store.commit(commit(letters=(letter("nobody"),)))
    assert claim(store) == ["nobody"]


def test_odd_text_comes_back_as_it_was(store: StateStore) -> None:
    odd = "é\x00\n\t\"'; DROP TABLE letters;-- \U0001f512 \u2028"
    message = replace(letter().message, text=odd, facts={odd: [None, True, {"a": -1.5e10}]})
    given = Letter(id=odd, message=message, destination=odd, due=NOW)
    store.commit(commit(letters=(given,), incidents=(incident(odd, detail=odd),)))
    assert list(store.unsent_letters()) == [given]
    assert store.load(ARN).incidents == (incident(odd, detail=odd),)
    store.mark_sent(odd, NOW)
    assert unsent(store) == []


@pytest.mark.slow
def test_a_large_organization_fits(open_store: OpenStore) -> None:
    large = checkpoint(chains=340, recent=48)
    names = [f"{number:05}" for number in range(2000)]
    incidents = tuple(incident(f"i-{number:03}") for number in range(300))
    store = open_store()
    store.commit(commit(state=large, letters=tuple(map(letter, names)), incidents=incidents))
    state = open_store().load(ARN)
    assert state.checkpoint == large
    assert state.incidents == incidents
    assert unsent(store) == names
    store.commit(commit(1, incidents=tuple(replace(one, resolved=NOW) for one in incidents)))
    assert store.load(ARN).incidents == ()
    assert len(store.list_incidents(ARN, since=NOW)) == 300
