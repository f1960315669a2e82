"""What is derived of a jq program: narrow where it is plain, and never too narrow."""

from __future__ import annotations

import json
from typing import Any

import jq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from integrity.events.search import EVERYTHING, Wanted
from integrity.rules.prefilter import derive_wanted
from integrity.rules.reading import read_event

A = Wanted(names=("A",))


@pytest.mark.parametrize(
    ("program", "wanted"),
    [
        ('.eventName == "A"', A),
        ('"A" == .eventName', A),
        ('select(.eventName == "A")', A),
        ('  select( .eventName=="A" )|"who: \\(.user)", true', A),
        ('select((.eventName == "A"))', A),
        ('.eventName == "A" or .eventName == "B"', Wanted(names=("A", "B"))),
        ('(.eventName | IN("B", "A"))', Wanted(names=("A", "B"))),
        (
            '.eventSource == "signin.amazonaws.com" and .eventName == "A" and .x.y == "w"',
            Wanted(("A",), ("signin.amazonaws.com",), ("w",)),
        ),
        ('.userIdentity.userName == "alice"', Wanted(words=("alice",))),
        ('.awsRegion == "eu-central-1"', Wanted(words=("central",))),
        ('.eventName == "A" and (.b | tostring | test("x"))', A),
        ('.eventName == "A" and .errorCode == null and .n > 3.5 and .m + 1 != 2', A),
        ('.eventName == "A" and ([.a[] | select(.b)] | length) > 0', A),
        ('(.eventName == "A" or .eventName == "B") and .eventName == "A"', A),
    ],
)
def test_what_is_plain_is_derived(program: str, wanted: Wanted) -> None:
    assert derive_wanted(program) == wanted


@pytest.mark.parametrize(
    "program",
    [
        "true",
        "",
        "(",
        'select(.eventName == "A"), true',
        'select(.eventName == "A") // true',
        'select(.eventName == "A") |= true',
        'select(.eventName == "A")?',
        'select(.eventName == "A" | not)',
        '.eventName == "A" | not',
        '(.eventName == "A") | not',
        '(.eventName == "A") == false',
        '.eventName == "A" == true',
        '.eventName == "A" or .x',
        '.eventName == "A" or .x == "-"',
        '.eventName != "A"',
        '.eventName == "A" and .x // true',
        '.eventName == "A" and .x //= true',
        '.eventName == "A" and .x += 1',
        '.eventName == "A" and .eventName == "a\\"b"',
        '.eventName == "A" and .x, true',
        '.eventName == "A" and .x as $y | true',
        '.eventName == "A" and if .x then false else true end | not',
        'def select(f): true; select(.eventName == "A")',
        '.eventName == "\\u0041"',
        '.eventName == "A" # or true',
        '.eventName == "A\\(.x)"',
        '.["eventName"] == "A"',
        '.a == "-"',
        '(.eventName | IN("A", .x))',
        '(.eventName | IN("A"; "B"))',
        '(.eventName | IN("A") | not)',
        '(.eventName | startswith("A"))',
        'select([.eventName == "A")',
        '.eventName == "A" and (.x]',
        '.eventName == "A" and {',
        ". == .",
        '.eventName == "A" and ',
    ],
)
def test_what_is_not_plain_lets_everything_through(program: str) -> None:
    assert derive_wanted(program) == EVERYTHING


PATHS = st.sampled_from([".eventName", ".eventSource", ".u.name", ".x"])
TEXTS = st.sampled_from(["A", "B", "a.b", "x-y"])
PLAIN = st.builds(lambda path, text: f'{path} == "{text}"', PATHS, TEXTS)
ODD = st.sampled_from([".x", "true", ".x != 3", '(.x // "A")', ". == 1", '(.u | type == "null")'])
CONDITIONS = st.recursive(
    PLAIN | ODD | st.builds(lambda p, a, b: f'({p} | IN("{a}", "{b}"))', PATHS, TEXTS, TEXTS),
    lambda inner: st.builds(
        lambda one, word, other: f"({one} {word} {other})",
        inner,
        st.sampled_from(["and", "or", "and", "|", ",", "==", "//"]),
        inner,
    ),
    max_leaves=6,
)
PROGRAMS = (
    CONDITIONS
    | CONDITIONS.map("select({})".format)
    | CONDITIONS.map("select({}) | .x".format)
    | st.builds(
        "{} {} {}".format, CONDITIONS, st.sampled_from(["and", "or", "|", ",", "//"]), CONDITIONS
    )
)
VALUES = st.sampled_from(["A", "B", "a.b", "x-y", "", None, 1])
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "eventName": VALUES,
        "eventSource": VALUES,
        "x": VALUES,
        "u": st.fixed_dictionaries({}, optional={"name": VALUES}),
    },
)


@settings(max_examples=150, deadline=None)
@example('.eventName == "A" and .eventName == "A" == true', [{}])
@given(PROGRAMS, st.lists(EVENTS, min_size=1, max_size=5))
def test_what_it_drops_cannot_match(program: str, events: list[dict[str, Any]]) -> None:
    wanted = derive_wanted(program)
    if wanted.is_everything:
        return
    try:
        compiled = jq.compile(program)
    except ValueError:  # two comparisons in a row are no program, and are refused when it is read
        return
    for event in events:
        raw = json.dumps(event).encode()
        read = read_event(raw)
        if read is not None and not wanted.takes(read.name, read.source, raw):
            assert not matches(compiled, raw), (program, event, wanted)


def matches(compiled: Any, raw: bytes) -> bool:
    try:
        output = next(iter(compiled.input_text(raw.decode())), None)
    except ValueError:
        return False
    return output is not None and output is not False
