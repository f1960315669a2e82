"""A region's public keys: asked for generously, once, and unknown only where somebody answered."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import pytest

from integrity.chain.judge import KeyAnswer, NoKey
from integrity.chain.model import KeysUnavailable, PublicKey, TimeWindow
from integrity.chain.signature import UsableKey
from integrity.lab.keys import LabKey, pooled_key
from integrity.verify.keyring import KeyRing, asked_for
from tests.chain.specimens import at, hours

KEY = LabKey.made(pooled_key("a key"), at(-24))
OTHER = LabKey.made(pooled_key("another key"), at(-24))
Answer = tuple[PublicKey, ...] | KeysUnavailable


def published(key: LabKey = KEY, not_before: float = -24, not_after: float = 24 * 29) -> PublicKey:
    return PublicKey(
        "us-east-1", key.fingerprint, key.der, at(not_before), at(not_after), at(24 * 60)
    )


class Source:
    """ListPublicKeys, answering as it is told to."""

    def __init__(self, answer: Callable[[TimeWindow], Answer]) -> None:
        self.asked: list[TimeWindow] = []
        self._answer = answer

    def fetch_keys(self, region: str, window: TimeWindow) -> Answer:
        assert region == "us-east-1"
        self.asked.append(window)
        return self._answer(window)


def ring(answer: Callable[[TimeWindow], Answer], *keys: PublicKey) -> tuple[KeyRing, Source]:
    source = Source(answer)
    return KeyRing("us-east-1", source, keys), source


def key_for(keys: KeyRing, signed: float = 5, modified: float | None = None) -> KeyAnswer:
    return keys.key_for(KEY.fingerprint, at(signed), None if modified is None else at(modified))


def test_keys_are_asked_for_from_two_hours_before_to_a_day_after_the_last_digest() -> None:
    assert asked_for(hours(0, 24)) == hours(-2, 49)


def test_a_key_that_is_known_is_not_asked_for() -> None:
    keys, source = ring(lambda _: (), published())

    answer = key_for(keys)

    assert isinstance(answer, UsableKey)
    assert answer.key == published()
    assert source.asked == []


def test_where_no_key_was_given_those_of_the_window_are_asked_for_once() -> None:
    keys, source = ring(lambda _: (published(),))

    for _ in range(2):
        keys.begin(hours(0, 24))

    assert source.asked == [asked_for(hours(0, 24))]
    assert isinstance(keys.key_at_hand(KEY.fingerprint, at(5), None), UsableKey)


def test_where_keys_were_given_none_is_asked_for_beforehand() -> None:
    keys, source = ring(lambda _: (), published())

    keys.begin(hours(0, 24))

    assert source.asked == []


def test_for_a_key_at_hand_nobody_is_asked_nor_waited_for() -> None:
    asking, answer = Event(), Event()

    def slowly(_: TimeWindow) -> Answer:
        asking.set()
        assert answer.wait(10)
        return ()

    keys, source = ring(slowly, published())
    thread = Thread(target=keys.key_for, args=(OTHER.fingerprint, at(5), None))
    thread.start()
    assert asking.wait(10)

    known = keys.key_at_hand(KEY.fingerprint, at(5), None)
    unknown = keys.key_at_hand(OTHER.fingerprint, at(5), None)
    assert (len(source.asked), thread.is_alive()) == (1, True)
    answer.set()
    thread.join(10)

    assert isinstance(known, UsableKey)
    assert isinstance(unknown, KeysUnavailable)


def test_on_a_miss_it_asks_around_the_signing_then_the_writing_then_widely() -> None:
    keys, source = ring(lambda _: ())

    key_for(keys, 5, 50)

    assert source.asked == [hours(3, 29), hours(48, 74), hours(5 - 45 * 24, 50 + 45 * 24)]


@pytest.mark.parametrize("answering", [0, 1, 2])
def test_it_asks_until_the_key_is_there(answering: int) -> None:
    answers: list[Answer] = [(), (), ()]
    answers[answering] = (published(),)
    left = iter(answers)
    keys, source = ring(lambda _: next(left))

    assert isinstance(key_for(keys, 5, 50), UsableKey)
    assert len(source.asked) == answering + 1
    assert keys.keys == (published(),)


def test_the_same_is_not_asked_twice() -> None:
    keys, source = ring(lambda _: ())

    first, second = key_for(keys), key_for(keys)

    assert first == second
    assert len(source.asked) == 2


def test_a_fingerprint_is_unknown_where_keys_of_that_time_were_answered() -> None:
    keys, _ = ring(lambda _: (published(OTHER),))

    assert key_for(keys) == NoKey()


@pytest.mark.parametrize(
    ("not_before", "not_after", "known"),
    [(5, 9, True), (1, 5, True), (5.01, 9, False), (1, 4.99, False)],
)
def test_keys_of_another_time_say_nothing(
    not_before: float, not_after: float, *, known: bool
) -> None:
    keys, _ = ring(lambda _: (published(OTHER, not_before, not_after),))

    assert isinstance(key_for(keys), NoKey if known else KeysUnavailable)


def test_nothing_answered_is_told_with_region_and_day() -> None:
    keys, _ = ring(lambda _: ())

    answer = key_for(keys)

    assert isinstance(answer, KeysUnavailable)
    assert answer.region == "us-east-1"
    assert "us-east-1" in answer.detail
    assert "2026-03-01" in answer.detail


def test_a_refusal_is_told_in_its_own_words() -> None:
    keys, _ = ring(lambda _: KeysUnavailable("us-east-1", "AccessDenied: allow ListPublicKeys"))

    assert key_for(keys) == KeysUnavailable("us-east-1", "AccessDenied: allow ListPublicKeys")


def test_a_refusal_matters_not_where_keys_of_that_time_are_known() -> None:
    refused = KeysUnavailable("us-east-1", "Throttled")
    keys, _ = ring(lambda _: refused, published(OTHER))

    assert key_for(keys) == NoKey()


def test_a_key_that_is_not_what_its_fingerprint_says_is_not_used() -> None:
    impostor = PublicKey("us-east-1", KEY.fingerprint, OTHER.der, at(-24), at(600), at(0))
    keys, _ = ring(lambda _: (impostor,))

    assert key_for(keys) == NoKey()


def test_every_key_that_was_answered_is_remembered_once() -> None:
    keys, _ = ring(lambda _: (published(), published(OTHER)), published())

    keys.key_for("00" * 16, at(5), None)

    assert keys.keys == (published(), published(OTHER))
