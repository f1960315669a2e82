"""The events that somebody wants, out of a log file's bytes that may hold anything."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.chain.limits import Limits
from integrity.events.search import Searched, Wanted, search_log

WANTED = Wanted(("StopLogging", "ConsoleLogin"))
LIMITS = Limits()


def log(*events: Any) -> bytes:
    return json.dumps({"Records": events}).encode()


def event(name: str, source: str = "cloudtrail.amazonaws.com", **more: Any) -> dict[str, Any]:
    return {"eventName": name, "eventSource": source, **more}


def found(body: bytes, wanted: Wanted = WANTED, limits: Limits = LIMITS) -> list[Any]:
    searched = search_log(body, [wanted], limits)
    assert (searched.flaw, searched.too_large) == ("", 0)
    return [json.loads(one) for one in searched.events]


def test_the_wanted_events_come_out_raw_and_in_order() -> None:
    stop, login = event("StopLogging", more={"b": [1.50, "\u00e9"]}), event("ConsoleLogin", "x")
    body = log(event("Decrypt"), login, event("StopLoggingNow"), stop)

    assert found(body) == [login, stop]
    (_, raw) = search_log(body, [WANTED], LIMITS).events
    assert raw in body


def test_sources_narrow() -> None:
    body = log(event("StopLogging"), event("StopLogging", "other.amazonaws.com"))

    assert found(body, Wanted(("StopLogging",), ("cloudtrail.amazonaws.com",))) == [
        event("StopLogging")
    ]


def test_a_name_elsewhere_in_an_event_is_not_its_name() -> None:
    assert found(log(event("Decrypt", requestParameters={"x": "StopLogging"}))) == []


def test_a_name_that_is_spelt_by_numbers_is_found() -> None:
    body = log(event("StopLogging")).replace(b'"Stop', rb'"\u0053t\u006Fp')

    assert b'"StopLogging"' not in body
    assert found(body) == [event("StopLogging")]


def test_what_holds_no_name_is_not_decoded() -> None:
    assert search_log(b"no JSON", [WANTED], LIMITS) == Searched()


def test_an_event_over_the_bound_is_left_out_and_counted() -> None:
    body = log(event("StopLogging", x="y" * 200), event("ConsoleLogin"))
    searched = search_log(body, [WANTED], Limits(max_event_bytes=150))

    assert [json.loads(one) for one in searched.events] == [event("ConsoleLogin")]
    assert searched.too_large == 1


@pytest.mark.parametrize(
    "body",
    [
        b'"StopLogging"',
        b'{"Records": "StopLogging"}',
        b'{"records": ["StopLogging"]}',
        b'{"Records": ["StopLogging"',
        b'{"Records": [{"eventName": "StopLogging"}]} and more',
        b'{"Records": [' + b"[" * 100_000 + b'"StopLogging"',
        b'\xff{"Records": ["StopLogging"]}',
    ],
)
def test_what_is_no_log_file_has_a_flaw(body: bytes) -> None:
    searched = search_log(body, [WANTED], LIMITS)

    assert searched.events == ()
    assert searched.flaw.startswith("not a log file: ")


@pytest.mark.parametrize("odd", [7, "StopLogging", {"eventName": 7}, {"eventName": None}])
def test_a_record_that_is_no_event_is_passed_by_and_told(odd: object) -> None:
    searched = search_log(log(odd, event("StopLogging")), [WANTED], LIMITS)

    assert [json.loads(one) for one in searched.events] == [event("StopLogging")]
    assert searched.flaw.startswith("not an event: ")


@given(st.binary() | st.text().map(lambda text: f'{{"Records":["StopLogging",{text}'.encode()))
def test_nothing_makes_it_raise(body: bytes) -> None:
    for more in (body, body + b'"StopLogging"', b'{"Records":[' + body + b'"StopLogging"]}'):
        assert search_log(more, [WANTED], LIMITS).events == ()


@pytest.mark.parametrize("names", [("",), ("Stop Logging",), ('Stop"',), ("Stöp",)])
def test_a_name_that_no_event_has_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="expected names of events such as ConsoleLogin"):
        Wanted(names)


def test_a_source_that_no_service_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected services such as signin.amazonaws.com"):
        Wanted(sources=("sign in",))


def test_a_service_alone_and_a_word_alone_are_enough() -> None:
    mine, other = event("A", "iam.amazonaws.com", user="alice"), event("B", "ec2.amazonaws.com")

    assert found(log(mine, other), Wanted(sources=("iam.amazonaws.com",))) == [mine]
    assert found(log(mine, other), Wanted(words=("alice",))) == [mine]
    assert found(log(mine, other), Wanted()) == [mine, other]
    assert found(log(mine, other), Wanted(words=("bob",))) == []


def test_a_word_or_service_that_is_spelt_by_numbers_is_found() -> None:
    mine = event("A", "iam.amazonaws.com", user="alice")
    body = log(mine).replace(b"alice", rb"\u0061lice").replace(b"iam.", rb"iam\u002e")

    assert found(body, Wanted(words=("alice",))) == [mine]
    assert found(body, Wanted(sources=("iam.amazonaws.com",))) == [mine]


def test_an_event_without_a_name_is_one_for_who_asks_for_no_name() -> None:
    insight = {"eventType": "AwsCloudTrailInsight", "eventID": "1"}

    assert found(log(insight), Wanted()) == [insight]
    assert found(log(insight, event("StopLogging"))) == [event("StopLogging")]


def test_what_one_asks_for_another_may_not() -> None:
    events = [event("A", user="alice"), event("B"), event("C")]
    searched = search_log(log(*events), [Wanted(("B",)), Wanted(words=("alice",))], LIMITS)

    assert [json.loads(one)["eventName"] for one in searched.events] == ["A", "B"]


def test_what_is_wanted_travels() -> None:
    assert pickle.loads(pickle.dumps(WANTED)) == WANTED


def spelt(text: str, how: list[bool]) -> str:
    """The text in JSON, with some of its letters by their numbers."""
    return "".join(
        f"\\u{ord(letter):04x}" if by_number else letter
        for letter, by_number in zip(text, [*how, *[False] * len(text)], strict=False)
    )


HOW = st.lists(st.booleans(), max_size=4)
SPELT = st.builds(spelt, st.sampled_from(["Aa", "Bb", "Cc"]), HOW)
RECORDS = st.lists(
    st.builds(
        '{{"eventName": "{}", "eventSource": "{}.b", "user": "{}"}}'.format, SPELT, SPELT, SPELT
    )
)
SOME = st.lists(st.sampled_from(["Aa", "Bb", "Cc"]), unique=True, max_size=2).map(tuple)
ASKED = st.lists(
    st.builds(
        lambda names, sources, words: Wanted(names, tuple(f"{one}.b" for one in sources), words),
        SOME,
        SOME,
        SOME,
    ),
    min_size=1,
    max_size=3,
)


@given(RECORDS, ASKED)
def test_no_event_is_missed_however_it_is_spelt(records: list[str], asked: list[Wanted]) -> None:
    def is_wanted(record: dict[str, str]) -> bool:
        return any(
            (not one.names or record["eventName"] in one.names)
            and (not one.sources or record["eventSource"] in one.sources)
            and (not one.words or any(word in str(record) for word in one.words))
            for one in asked
        )

    searched = search_log(f'{{"Records": [{",".join(records)}]}}'.encode(), asked, LIMITS)

    taken = [one.decode() for one in searched.events]
    assert taken == [one for one in records if one in taken]
    assert {one for one in records if is_wanted(json.loads(one))} <= set(taken)
