"""Log files kept while they are hashed: what is searched, in what order, and how much is held."""

from __future__ import annotations

import json
import threading

import pytest

from integrity.chain.limits import Limits
from integrity.chain.model import LogFileRef, S3Location
from integrity.events.search import Wanted
from integrity.verify import searched
from integrity.verify.searched import LogSearch, keeping

WANTED = Wanted(("StopLogging",))
DIGEST = S3Location("trail-logs", "a digest")


def ref(key: str = "a log") -> LogFileRef:
    return LogFileRef(S3Location("trail-logs", key), f"sha256 of {key}", "SHA-256")


def body(*ids: int, padding: int = 0) -> bytes:
    events = [{"eventName": "StopLogging", "eventID": number} for number in ids]
    return json.dumps({"Records": [*events, {"eventName": "x" * padding}]}).encode()


def search_for(limits: Limits | None = None, *, most: int = 1000) -> LogSearch:
    return LogSearch((WANTED,), limits or Limits(), most=most, most_bytes=10_000)


def read(search: LogSearch, content: bytes, key: str = "a log", *, verified: bool = True) -> None:
    """One file that was read in two windows, and searched once its hash had matched."""
    with keeping([search], DIGEST) as kept:
        assert kept is not None
        sink = kept.begin()
        sink(content[:20])
        sink(content[20:])
        if verified:
            kept.search(ref(key), DIGEST)


def ids(search: LogSearch) -> list[tuple[str, int]]:
    return [(one.log.key, json.loads(one.event)["eventID"]) for one in search.result()[0]]


def test_events_carry_the_file_its_hash_and_its_digest() -> None:
    search = search_for()
    read(search, body(1))

    ((event,), unread) = search.result()
    assert json.loads(event.event)["eventID"] == 1
    assert (event.log, event.sha256, event.digest) == (ref().location, ref().sha256, DIGEST)
    assert unread == 0


def test_what_was_not_verified_is_not_searched() -> None:
    search = search_for()
    read(search, body(1), verified=False)

    assert search.result() == ((), 0)


def test_a_second_reading_begins_from_nothing() -> None:
    search = search_for()
    with keeping([search], DIGEST) as kept:
        assert kept is not None
        kept.begin()(body(1))
        kept.begin()(body(2))
        kept.search(ref(), DIGEST)

    assert ids(search) == [("a log", 2)]


def test_nobody_who_wants_nothing_keeps_anything() -> None:
    with keeping([], DIGEST) as kept:
        assert kept is None


def test_a_file_over_the_bound_is_counted_and_not_searched() -> None:
    content = body(1)
    search = search_for(Limits(max_searched_bytes=len(content) - 1))
    read(search, content)
    assert search.result() == ((), 1)

    search = search_for(Limits(max_searched_bytes=len(content)))
    read(search, content)
    assert len(search.result()[0]) == 1


def test_a_file_that_goes_on_over_the_bound_stays_out() -> None:
    search = search_for(Limits(max_searched_bytes=10))
    with keeping([search], DIGEST) as kept:
        assert kept is not None
        sink = kept.begin()
        sink(b"x" * 11)
        sink(body(1)[:5])
        kept.search(ref(), DIGEST)

    assert search.result() == ((), 1)


def test_what_is_left_out_for_its_number_does_not_hang_on_the_order() -> None:
    outcomes = set()
    for order in (range(9), reversed(range(9))):
        search = search_for(most=2)
        for number in order:
            read(search, body(2 * number, 2 * number + 1), f"log {number}")
        outcomes.add((*ids(search), search.result()[1]))

    assert outcomes == {(("log 0", 0), ("log 0", 1), 16)}


def test_what_could_not_be_read_is_counted() -> None:
    search = search_for(Limits(max_event_bytes=20))
    read(search, body(1, 2))
    read(search, b'"StopLogging"', "another")

    assert search.result() == ((), 3)


def test_one_large_file_is_kept_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched, "_SMALL_BYTES", 50)
    search = search_for()
    done: list[str] = []

    def second() -> None:
        read(search, body(2, padding=100), "second")
        done.append("second")

    with keeping([search], DIGEST) as kept:
        assert kept is not None
        kept.begin()(body(1, padding=100))
        thread = threading.Thread(target=second)
        thread.start()
        read(search, b'{"Records":[]}', "small")
        thread.join(0.2)
        assert (thread.is_alive(), done) == (True, [])
        kept.begin()(body(1, padding=100))
        kept.search(ref("first"), DIGEST)
    thread.join(10)

    assert ids(search) == [("first", 1), ("second", 2)]


def test_who_may_not_wait_for_room_has_none_and_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searched, "_SMALL_BYTES", 50)
    search = search_for()
    with keeping([search], DIGEST) as first, keeping([search], DIGEST, may_wait=False) as second:
        assert first is not None
        assert second is not None
        first.begin()(body(1, padding=100))
        sink = second.begin()
        sink(body(2, padding=100))
        sink(b"more")
        assert (first.has_no_room, second.has_no_room) == (False, True)
    with keeping([search], DIGEST, may_wait=False) as third:
        assert third is not None
        third.begin()(body(3, padding=100))
        assert not third.has_no_room
    read(search, body(4, padding=100))

    assert ids(search) == [("a log", 4)]


def test_what_is_left_out_for_its_size_does_not_hang_on_the_order() -> None:
    outcomes = set()
    for order in (range(9), reversed(range(9))):
        search = LogSearch((WANTED,), Limits(), most=1000, most_bytes=120)
        for number in order:
            read(search, body(number), f"log {number}")
        outcomes.add((*ids(search), search.result()[1]))

    assert outcomes == {(("log 0", 0), ("log 1", 1), 7)}


def test_a_digest_whose_events_were_given_is_passed_by() -> None:
    heard = LogSearch((WANTED,), Limits(), most=9, most_bytes=999, heard={DIGEST})
    other = search_for()
    with keeping([heard], DIGEST) as kept:
        assert kept is None
    with keeping([heard, other], DIGEST) as kept:
        assert kept is not None
        kept.begin()(body(1))
        kept.search(ref(), DIGEST)

    assert (ids(heard), ids(other)) == ([], [("a log", 1)])
