"""Rules asked through real programs: what decides, what is stopped, what is counted."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrity.chain.limits import Limits
from integrity.errors import UsageError
from integrity.events.search import Wanted
from integrity.rules import programs as module
from integrity.rules.matching import Matcher
from integrity.rules.model import Event, Match, Rule, RuleCount
from integrity.rules.programs import Answer, Programs
from integrity.rules.reading import read_event

ENDLESS = "(def f: f; f)"
EVERY = Rule(name="every", match="true")


def cpu_of_children() -> float:
    """Seconds of a processor, by all that were started and are gone."""
    times = os.times()
    return times.children_user + times.children_system


def events(*documents: Any) -> list[Event]:
    read = [read_event(json.dumps(one).encode()) for one in documents]
    return [one for one in read if one is not None]


def run(rules: Sequence[Rule], given: Sequence[Event]) -> tuple[list[Match], Matcher]:
    with Programs([rule.match for rule in rules], Limits()) as programs:
        matcher = Matcher(rules, programs, Limits())
        return list(matcher.match(given)), matcher


@pytest.fixture(scope="module")
def asked() -> Iterator[Programs]:
    texts = [program for program, _ in DECIDES]
    with Programs(texts, Limits()) as programs:
        yield programs


DECIDES: list[tuple[str, str | None]] = [
    ("empty", None),
    ("null", None),
    ("false", None),
    ("false, true", None),
    ('error("no")', None),
    (".n.x", None),
    ("true", ""),
    ("true, error", ""),
    (".", ""),
    ("select(.eventID)", ""),
    ('"who: \\(.eventID)"', "who: 1"),
    ('""', ""),
    ("0", "0"),
    ("{a: .eventID}", '{"a": "1"}'),
    ("[.big | tostring]", '["12345678901234567890123"]'),
    (".name", "é\u2028"),
    ('env | has("HOME")', None),
    ('[env | keys[] | select(test("AWS|INTEGRITY"))] | length', "0"),
    ("input", None),
    ('"x" * 20000', "x" * 8191 + "…"),
    ("debug", ""),
]


@pytest.mark.parametrize("number", range(len(DECIDES)), ids=[one for one, _ in DECIDES])
def test_the_first_output_decides(asked: Programs, number: int) -> None:
    raw = b'{"eventID": "1", "n": 3, "big": 12345678901234567890123, "name": "\xc3\xa9\\u2028"}'
    [answer] = asked.ask([(number, raw)])
    text = DECIDES[number][1]

    assert (answer.text if answer.matches else None) == text


def test_a_rule_is_asked_only_about_what_it_may_match() -> None:
    rule = Rule(name="keys", match="true", wanted=Wanted(names=("CreateAccessKey",)))
    failing = Rule(name="failing", match='error("x")')
    found, matcher = run(
        [rule, failing], events({"eventName": "CreateAccessKey"}, {"eventName": "ListUsers"})
    )

    assert [(one.rule.name, one.event.name) for one in found] == [("keys", "CreateAccessKey")]
    assert matcher.counts() == {
        "keys": RuleCount(seen=2, skipped=1, matched=1),
        "failing": RuleCount(seen=2, skipped=2, failed=2),
    }
    assert matcher.disabled() == ()


def test_an_endless_rule_costs_its_own_time_and_nobody_elses_events() -> None:
    rules = [
        Rule(name="before", match="true"),
        Rule(name="endless", match=ENDLESS),
        Rule(name="behind", match="true"),
    ]
    started = cpu_of_children()
    found, matcher = run(rules, events(*({"eventID": str(one)} for one in range(20))))

    assert len(found) == 40
    [stopped] = matcher.disabled()
    assert stopped.rule == "endless"
    assert "did not end within 0.25 s" in stopped.detail
    assert matcher.counts()["endless"] == RuleCount(20, 20, 0, failed=1, unasked=19)
    assert cpu_of_children() - started < 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no bound on a process's memory")
def test_a_program_that_takes_its_process_down_is_the_only_one_stopped() -> None:
    huge = Rule(name="huge", match='("x" * 900000000) | length')
    found, matcher = run([huge, Rule(name="ok", match="true")], events({"eventID": "1"}))

    assert [one.rule.name for one in found] == ["ok"]
    assert [one.rule for one in matcher.disabled()] == ["huge"]


def test_a_rule_that_is_slow_again_and_again_is_stopped() -> None:
    class Slow:
        def ask(self, questions: Sequence[tuple[int, bytes]]) -> list[Answer]:
            return [Answer(matches=True, seconds=0.1) for _ in questions[:1]]

    matcher = Matcher([Rule(name="slow", match="")], Slow(), Limits())
    found = list(matcher.match(events(*({"eventID": str(one)} for one in range(9)))))

    assert len(found) == 3
    assert "0.3 s of processor time for 3 events" in matcher.disabled()[0].detail


def test_what_is_too_deep_to_be_told_is_an_error_and_stops_nothing() -> None:
    deep = Rule(name="deep", match="reduce range(5000) as $_ (0; [.])")
    found, matcher = run([deep], events({"eventID": "1"}))

    assert found == []
    assert matcher.counts()["deep"].failed == 1
    assert matcher.disabled() == ()


def test_what_is_no_program_is_said_by_its_check() -> None:
    with Programs([".x", "{", ENDLESS], Limits()) as programs:
        assert programs.check(0) == ""
        assert "syntax error" in programs.check(1)
        assert programs.check(2) == ""
        [answer] = programs.ask([(1, b"{}")])
        assert "syntax error" in answer.error


def test_a_silent_process_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not bound processor time, the parent's clock does."""
    with Programs([".x"], Limits()) as programs:
        with monkeypatch.context() as patch:
            patch.setattr(module, "_PATIENCE", 0)
            [answer] = programs.ask([(0, b'{"x": "late"}')])
        [another] = programs.ask([(0, b'{"x": "asked"}')])

    assert "did not end" in answer.stopped
    assert another.text == "asked"


def test_without_jq_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MODULE", "integrity.rules.nothing")
    with Programs([".x"], Limits()) as programs, pytest.raises(UsageError, match="did not start"):
        programs.ask([(0, b"{}")])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(DECIDES) - 1),
            st.builds(lambda n: b'{"eventID": "1", "n": %d}' % n, st.integers()) | st.binary(),
        ),
        min_size=1,
    )
)
def test_many_questions_have_the_answers_that_each_has_alone(
    asked: Programs, questions: list[tuple[int, bytes]]
) -> None:
    together: list[Answer] = []
    while len(together) < len(questions):
        together += asked.ask(questions[len(together) :])
    alone = [asked.ask([question])[0] for question in questions]

    for answer in (*together, *alone):
        answer.seconds = 0
    assert together == alone


def test_the_event_that_a_program_does_not_end_on_is_found_among_many() -> None:
    rules = [Rule(name="caught", match=f"if .n == 70 then {ENDLESS} else true end"), EVERY]
    found, matcher = run(rules, events(*({"eventID": str(n), "n": n} for n in range(100))))

    told = Counter(one.rule.name for one in found)
    assert told == {"caught": 70, "every": 100}
    assert [one.event.id for one in found if one.rule.name == "caught"][-1] == "69"
    assert [one.event.id for one in found if one.rule.name == "every"] == [*map(str, range(100))]
    assert [one.rule for one in matcher.disabled()] == ["caught"]
    assert matcher.counts()["caught"] == RuleCount(100, 30, 70, failed=1, unasked=29)


@pytest.mark.parametrize("size", [20_000, 200_000])
def test_a_slow_rule_does_not_have_its_time_anew_for_each_event(size: int) -> None:
    """Each event takes less than the bound for one: what they take together is bounded too."""
    slow = Rule(name="slow", match=f"[range({size})] | length > 0")
    started = cpu_of_children()
    _, matcher = run([slow], events(*({"eventID": str(one)} for one in range(1000))))

    assert [one.rule for one in matcher.disabled()] == ["slow"]
    assert matcher.counts()["slow"].unasked > 900
    assert cpu_of_children() - started < 1.5


def test_many_together_are_answered_as_long_as_a_share_of_the_time_of_one() -> None:
    questions = [(0, b"{}")] * 120
    with Programs(["[range(10000)] | length > 0"], Limits()) as programs:
        programs.ask(questions[:1])
        answers = programs.ask(questions)

    assert 0 < sum(one.seconds for one in answers) < Limits().max_rule_seconds


def test_a_program_that_has_not_answered_yet_takes_no_others_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[object] = []
    start = Programs._start

    def counted(programs: Programs) -> Any:
        started.append(programs)
        return start(programs)

    monkeypatch.setattr(Programs, "_start", counted)
    rules = [EVERY, Rule(name="endless", match=ENDLESS)]
    found, _ = run(rules, events(*({"eventID": str(one)} for one in range(20))))

    assert len(found) == 20
    assert len(started) == 2


class Fake:
    """Each program takes so long for an event, and says no."""

    def __init__(self, seconds: float = 0) -> None:
        self._seconds = seconds
        self.asked: list[Sequence[tuple[int, bytes]]] = []

    def ask(self, questions: Sequence[tuple[int, bytes]]) -> list[Answer]:
        self.asked.append(questions)
        return [Answer(seconds=self._seconds) for _ in questions]


@pytest.mark.parametrize(("seconds", "size"), [(0.0004, 1), (0.002, 10_000)])
def test_a_rule_has_a_little_more_time_for_each_event_and_for_its_bytes(
    seconds: float, size: int
) -> None:
    many = events(*({"eventID": str(one), "x": "y" * size} for one in range(1000)))
    matcher = Matcher([EVERY], Fake(seconds), Limits())
    assert list(matcher.match(many)) == []
    assert matcher.disabled() == ()


@pytest.mark.parametrize(("size", "times"), [(200_000, 4), (1, 1)])
def test_events_do_not_pile_up(size: int, times: int) -> None:
    many = events(*({"eventID": str(one), "x": "y" * size} for one in range(8)))
    fake = Fake()
    assert list(Matcher([EVERY], fake, Limits()).match(many)) == []
    assert len(fake.asked) == times


def test_small_events_do_not_pile_up_either() -> None:
    fake = Fake()
    many = events(*({"eventID": str(one)} for one in range(300)))
    assert list(Matcher([EVERY, EVERY], fake, Limits()).match(many)) == []
    assert [len(questions) for questions in fake.asked] == [66] * 9 + [6]
