"""A record as one page: self-contained, without a script, with nothing to load.

Pure: records in, HTML out, and the same records give the same page whenever it is made. It judges
nothing and adds nothing. Ten questions that an auditor asks have a heading each. A policy in the
page itself forbids it to load or run anything, should an escape ever fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from xml.etree.ElementTree import Element

from integrity.chain.findings import Outcome
from integrity.chain.times import format_instant
from integrity.record import Run
from integrity.report import answers, assurance, exceptions
from integrity.report.calendar import render_patterns
from integrity.report.markup import add, code, element, items, serialize, shown, table
from integrity.report.recorded import Recorded
from integrity.report.style import STYLE
from integrity.report.words import counted

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

Unverified = tuple[str, str]
"""A trail's ARN, and why there is no record of it."""

_Answer = Callable[[Recorded, str], Iterable[Element | None]]


def _alone(answer: Callable[[Recorded], Iterable[Element | None]]) -> _Answer:
    return lambda recorded, _: answer(recorded)


QUESTIONS: tuple[tuple[str, str, str, _Answer], ...] = (
    (
        "asked",
        "Asked and proven",
        "What was asked, and what is proven?",
        _alone(answers.answer_asked),
    ),
    ("hours", "Hours", "Which hours are not proven?", exceptions.answer_hours),
    ("why", "Findings", "Why not: what was found?", exceptions.answer_why),
    (
        "who",
        "Who",
        "Who verified, and who is behind what was found?",
        _alone(answers.answer_who),
    ),
    ("keys", "Keys", "Which public keys vouch for it?", _alone(answers.answer_keys)),
    (
        "program",
        "Program",
        "Which program judged, and how was it set?",
        _alone(answers.answer_tool),
    ),
    (
        "population",
        "Population and counts",
        "What should be there, who says so, and is all of it counted?",
        _alone(answers.answer_population),
    ),
    ("limits", "Limits", "What does the verdict not prove?", _alone(assurance.answer_limits)),
    ("intact", "Intact?", "Is this report itself intact?", _alone(assurance.answer_intact)),
    ("again", "Check again", "How do I check it again?", _alone(assurance.answer_again)),
)
"""What an auditor asks, in the order of the page: an id, a word, the heading and the answer."""

_CONTROLS = "Which controls does it speak to?"


def render_page(records: Sequence[Recorded], *, unverified: Sequence[Unverified] = ()) -> str:
    """The page of one record or several. `unverified` trails have none, and the page says so."""
    title = "CloudTrail integrity report"
    several = len(records) + len(unverified) != 1
    main = element("main")
    if several:
        add(main, _several(records, unverified))
    for number, recorded in enumerate(records, 1):
        add(main, _trail(recorded, f"t{number}", first=number == 1))
    worst = _worst(records, unverified)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{worst}: {title}{_named(records)}"),
        element("style", STYLE),
    )
    top = element("header", element("h1", title))
    body = element("body", render_patterns(), top, main, _footer())
    return serialize(element("html", head, body, lang="en"))


def _worst(records: Sequence[Recorded], unverified: Sequence[Unverified]) -> str:
    outcomes = {recorded.run.outcome for recorded in records}
    outcomes |= {Outcome.UNDETERMINED} if unverified or not records else set()
    order = (Outcome.INVALID, Outcome.UNDETERMINED, Outcome.VALID)
    return next(outcome.value for outcome in order if outcome in outcomes).upper()


def _named(records: Sequence[Recorded]) -> str:
    if len(records) != 1:
        return ""
    return f", {shown(records[0].run.trail_arn, 200)}"


def _trail(recorded: Recorded, prefix: str, *, first: bool) -> Element:
    run = recorded.run
    made = element(
        "section",
        element("h2", "Trail ", code(run.trail_arn), id=prefix),
        answers.render_verdict(run),
        class_="first" if first else "second",
    )
    for name, _, heading, answer in QUESTIONS:
        add(made, _section(f"{prefix}-{name}", heading, answer(recorded, prefix)))
        add(made, _contents(prefix) if name == "asked" else None)
    add(made, _section(f"{prefix}-controls", _CONTROLS, [assurance.render_controls()]))
    return made


def _section(name: str, heading: str, parts: Iterable[Element | None]) -> Element:
    return element("section", element("h3", heading, id=name), *parts)


def _contents(prefix: str) -> Element:
    """Where to go from here: behind the verdict and the periods, which come first."""
    links = [_link(f"{prefix}-{name}", word) for name, word, _, _ in QUESTIONS[1:]]
    links.append(_link(f"{prefix}-controls", "Controls"))
    label = "Contents" if prefix == "t1" else f"Contents, record {prefix[1:]}"
    return element("nav", items(links), aria_label=label)


def _link(name: str, words: str) -> Element:
    return element("a", words, href=f"#{name}")


def _several(records: Sequence[Recorded], unverified: Sequence[Unverified]) -> Element:
    outcomes = Counter(recorded.run.outcome for recorded in records)
    told = ", ".join(
        f"{outcomes[outcome]:,} {outcome.value}" for outcome in Outcome if outcomes[outcome]
    )
    made = element(
        "section",
        element(
            "h2", f"{len(records):,} {counted(len(records), 'record')}: {told or 'none'}", id="all"
        ),
    )
    if records:
        add(
            made,
            table(
                "Every record on this page",
                ("Trail", "Outcome", "Asked from", "to", "Findings"),
                [_line(f"t{number}", one.run) for number, one in enumerate(records, 1)],
                numbers=1,
            ),
        )
    if unverified:
        add(made, element("p", "Could not be verified at all, so that nothing is known of them:"))
        add(made, items(f"{shown(arn)}: {shown(why)}" for arn, why in unverified))
    return made


def _line(name: str, run: Run) -> list[Element | str]:
    asked = run.requested
    return [
        _link(name, shown(run.trail_arn, 200)),
        run.outcome.value,
        format_instant(asked.start),
        format_instant(asked.end),
        f"{len(run.findings):,}",
    ]


def _footer() -> Element:
    return element(
        "footer",
        "Made from the record alone. The record is the truth, and this page only repeats it.",
    )
