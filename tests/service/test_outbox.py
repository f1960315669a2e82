"""Letters: to whom, how often they are tried, when they are given up, and that one is sent once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from integrity.errors import AccessError
from integrity.service.outbox import Outbox, address
from integrity.state import Audience, Commit, Letter, Message, Step
from integrity.structs import replace
from tests.memory_store import MemoryStore
from tests.service.memory_stage import Box
from tests.stores.specimens import NOW, checkpoint, commit, letter

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def outbox(store: MemoryStore, **boxes: Box) -> Outbox:
    destinations = {f"sns:{name}": box for name, box in boxes.items()}
    return Outbox(store, destinations, give_up_after=3 * DAY, stray_after=HOUR)


def with_letters(*letters: Letter) -> MemoryStore:
    store = MemoryStore()
    store.commit(commit(letters=letters))
    return store


def only(store: MemoryStore) -> Letter:
    [one] = store.unsent_letters()
    return one


def test_what_is_taken_is_sent_once() -> None:
    store, box = with_letters(letter("a"), letter("b")), Box()
    assert outbox(store, topic=box).deliver(NOW).sent == 2
    delivered = outbox(store, topic=box).deliver(NOW + DAY)

    assert (delivered.due, delivered.sent, len(box.taken)) == (0, 0, 2)
    assert store.unsent_letters() == []


def test_a_repeated_commit_of_what_was_sent_sends_nothing() -> None:
    store, box = with_letters(letter("a")), Box()
    outbox(store, topic=box).deliver(NOW)
    store.commit(commit(1, letters=(letter("a"),)))

    assert outbox(store, topic=box).deliver(NOW + HOUR).due == 0


def test_more_letters_than_are_claimed_at_once_all_go() -> None:
    store, box = with_letters(*(letter(f"{n:03}") for n in range(250))), Box()
    assert outbox(store, topic=box).deliver(NOW).sent == 250


def test_a_refusal_waits_longer_each_time_and_never_past_the_next_tick() -> None:
    store, box, now = with_letters(letter()), Box(refuses="throttled"), NOW
    waits = []
    for number in range(1, 9):
        delivered = outbox(store, topic=box).deliver(now)
        one = only(store)
        assert (delivered.due, delivered.sent) == (1, 0)
        assert (one.attempts, one.last_error, one.dead) == (number, "throttled", False)
        assert outbox(store, topic=box).deliver(one.due - timedelta(seconds=1)).due == 0
        waits.append(one.due - now)
        now = one.due
    assert waits == [n * MINUTE for n in (1, 2, 4, 8, 16, 30, 30, 30)]

    box.refuses = ""
    assert outbox(store, topic=box).deliver(now).sent == 1


def test_one_that_is_refused_for_three_days_is_dead_and_kept() -> None:
    store, box = with_letters(letter()), Box(refuses="no such topic")
    outbox(store, topic=box).deliver(NOW + 3 * DAY - MINUTE)
    assert not only(store).dead
    outbox(store, topic=box).deliver(NOW + 3 * DAY)
    assert only(store).dead

    box.refuses = ""
    assert outbox(store, topic=box).deliver(NOW + 9 * DAY).due == 0
    store.mark_failed(replace(only(store), dead=False, due=NOW))
    assert outbox(store, topic=box).deliver(NOW + 9 * DAY).sent == 1


def test_a_broken_destination_delays_its_own_letters_alone() -> None:
    other = replace(letter("b"), destination="sns:other")
    store, broken, well = with_letters(letter("a"), other), Box(refuses="denied"), Box()

    delivered = outbox(store, topic=broken, other=well).deliver(NOW)

    assert (delivered.due, delivered.sent) == (2, 1)
    assert (len(well.taken), only(store).id) == (1, "a")


def test_a_destination_that_the_configuration_has_no_more_is_named() -> None:
    store = with_letters(letter())
    assert outbox(store).deliver(NOW + HOUR - MINUTE).due == 0
    assert outbox(store).deliver(NOW + HOUR).due == 1
    one = only(store)
    assert "no destination sns:topic" in one.last_error

    assert outbox(store).deliver(one.due + HOUR).due == 1
    outbox(store).deliver(NOW + 3 * DAY)
    assert only(store).dead


def test_letters_to_what_another_process_tells_are_left_to_it() -> None:
    """Such as a function for live events beside the service: neither wears the other's out."""
    alarm, match = letter("a"), replace(letter("b"), destination="rules:slack")
    store, topic, slack = with_letters(alarm, match), Box(), Box()
    live = Outbox(store, {"rules:slack": slack}, give_up_after=3 * DAY)

    assert live.deliver(NOW + 4 * DAY).due == 1
    assert (len(slack.taken), only(store)) == (1, alarm)
    assert outbox(store, topic=topic).deliver(NOW).sent == 1
    assert store.unsent_letters() == []


def test_what_another_process_has_claimed_is_not_tried() -> None:
    store, box = with_letters(letter()), Box()
    store.claim_letters(NOW, lease=15 * MINUTE, limit=9)

    assert outbox(store, topic=box).deliver(NOW + 14 * MINUTE).due == 0
    assert outbox(store, topic=box).deliver(NOW + 15 * MINUTE).sent == 1


def test_a_store_that_goes_down_is_said() -> None:
    store = with_letters(letter())
    store.down = True
    with pytest.raises(AccessError):
        outbox(store, topic=Box()).deliver(NOW)


# To whom

SHARED: Mapping[Audience, tuple[str, ...]] = dict.fromkeys(Audience, ("topic",))
APART = {Audience.SECURITY: ("s1", "s2"), Audience.OPERATIONS: ("o",)}


def message(
    audience: Audience, step: Step, *ids: str, created_at: datetime = NOW, name: str = ""
) -> Message:
    return Message(
        id=name or f"{audience}-{step}-{'-'.join(ids)}",
        trail_arn="",
        incident_id=ids[0],
        audience=audience,
        step=step,
        subject="",
        text="",
        facts={"incident_ids": list(ids)},
        created_at=created_at,
    )


SECURITY, OPERATIONS = Audience.SECURITY, Audience.OPERATIONS


def test_each_destination_of_an_audience_has_its_letter() -> None:
    one, two = message(SECURITY, Step.OPENED, "a"), message(OPERATIONS, Step.OPENED, "a")
    letters = address([two, one], APART)

    assert [(letter.destination, letter.message) for letter in letters] == [
        ("s1", one),
        ("s2", one),
        ("o", two),
    ]
    assert letters[0].id == f"{one.id}>s1"
    assert letters[0].due == NOW


def test_an_audience_without_a_destination_has_none() -> None:
    assert address([message(SECURITY, Step.OPENED, "a")], {}) == []


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        # The same incident and step: security's.
        ([(OPERATIONS, "reminded", "a"), (SECURITY, "reminded", "a")], [(SECURITY, "a")]),
        # Another step is other news.
        (
            [(OPERATIONS, "reminded", "a"), (SECURITY, "opened", "a")],
            [(SECURITY, "a"), (OPERATIONS, "a")],
        ),
        # What tells more tells the other, too.
        ([(SECURITY, "reminded", "a"), (OPERATIONS, "reminded", "a b")], [(OPERATIONS, "a b")]),
        # Neither tells all of the other.
        (
            [(SECURITY, "reminded", "a c"), (OPERATIONS, "reminded", "a b")],
            [(SECURITY, "a c"), (OPERATIONS, "a b")],
        ),
    ],
)
def test_a_destination_that_audiences_share_is_told_a_step_once(
    messages: list[tuple[Audience, str, str]], told: list[tuple[Audience, str]]
) -> None:
    given = [message(audience, Step(step), *ids.split()) for audience, step, ids in messages]
    letters = address(given, SHARED)

    assert [
        (letter.message.audience, " ".join(letter.message.facts["incident_ids"]))  # type: ignore[arg-type]
        for letter in letters
    ] == told


def test_a_message_without_ids_is_its_incident_s() -> None:
    bare = replace(message(SECURITY, Step.OPENED, "a"), facts={})
    assert len(address([bare, replace(bare, audience=OPERATIONS)], SHARED)) == 1


def test_letters_of_a_commit_are_what_is_addressed() -> None:
    letters = address([message(SECURITY, Step.OPENED, "a")], APART)
    store = MemoryStore()
    store.commit(replace(_commit(), letters=tuple(letters)))
    assert list(store.unsent_letters()) == letters


def _commit() -> Commit:
    return commit(state=checkpoint())
