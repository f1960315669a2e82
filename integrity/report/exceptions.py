"""Which hours are not proven, and why: the calendar, every finding, and what a person accepted.

Sections of a page, made from one record. Findings stand in the order of their gravity, then of
their time; where there are more than a page can bear, the CSV and the record have the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.times import format_instant
from integrity.chain.words import first_seen, label, said
from integrity.record import Acceptance, Run
from integrity.report.acknowledged import acknowledgement_of, render_acknowledged
from integrity.report.beside import beside
from integrity.report.calendar import (
    MOST_DAYS,
    MOST_ROWS,
    name_of,
    render_days,
    render_legend,
    render_overview,
)
from integrity.report.hours import OPEN, WORDS, hour_at, letters_of, spans, standard
from integrity.report.markup import Part, bounded, code, element, facts, shown, table
from integrity.report.recorded import Recorded
from integrity.report.words import counted, narrowing

MOST_SPANS = 300
"""So many spans of open hours stand in the table."""

MOST_FINDINGS = 400
"""So many findings stand on the page, the gravest first."""

_MOST_NAMES = 4


def answer_hours(recorded: Recorded, prefix: str) -> Iterator[Element]:
    """The calendar, and the same as a table."""
    run = recorded.run
    chains = standard(run)
    if not chains:
        yield element(
            "p", "No chain of digest files was found or expected: not one hour is proven."
        )
        return
    yield element(
        "p",
        "Each hour has the letter of the worst that touches it. Letters at the end of a row name "
        "what it holds besides proven hours.",
    )
    yield render_legend()
    yield from render_overview(chains, run.requested.window, prefix)
    if len(chains) > MOST_ROWS:
        yield element("p", f"And {len(chains) - MOST_ROWS:,} more chains, which the record has.")
    days = render_days(chains, run.requested.window, prefix)
    if days is not None:
        yield element("h4", "Hour by hour")
        yield days
        yield element(
            "p", f"{MOST_DAYS} such days are drawn at most; the table has the others too."
        )
    yield element("h4", "The same in words")
    yield from _open_hours(run)
    if any(not chain.hours for chain in run.chains):
        yield element(
            "p", "Backfill chains have no hours: they hold what came too late for others."
        )


def _open_hours(run: Run) -> Iterator[Element]:
    window = run.requested.window
    found: dict[tuple[int, int, int], list[str]] = {}
    for chain in standard(run):
        for span in spans(letters_of(chain, window)):
            if span.letter in OPEN:
                key = (OPEN.index(span.letter), span.first, span.count)
                found.setdefault(key, []).append(name_of(chain))
    if not found:
        yield element("p", "Every hour of every chain is proven.")
        return
    rows: list[Sequence[Part]] = []
    for (rank, first, count), names in sorted(found.items())[:MOST_SPANS]:
        start, end = hour_at(window, first), hour_at(window, first + count)
        rows.append(
            (
                f"{OPEN[rank]} {WORDS[OPEN[rank]]}",
                format_instant(start),
                format_instant(end),
                _several(names),
                f"{count * len(names):,}",
            )
        )
    yield table(
        "Hours that are not proven, the worst first",
        ("What", "From", "To", "Chains", "Hours"),
        rows,
        numbers=1,
    )
    if len(found) > MOST_SPANS:
        yield element("p", f"And {len(found) - MOST_SPANS:,} more spans, which the record has.")


def _several(names: Sequence[str]) -> str:
    few = ", ".join(names[:_MOST_NAMES])
    left = len(names) - _MOST_NAMES
    return f"{few} and {left:,} more" if left > 0 else few


def answer_why(recorded: Recorded, prefix: str) -> Iterator[Element | None]:
    """Every finding, every head that a person accepted, and every incident that one knew of."""
    run = recorded.run
    if not run.findings:
        yield element("p", "Nothing was found: there is no exception to explain.")
    else:
        yield element(
            "p",
            "First seen is when whoever verified learned of it. A service that verifies by "
            "schedule keeps that with its incidents; a run that stands alone knows its own time "
            "only. What had been acknowledged when it looked is told with the finding.",
            class_="soft",
        )
    left = MOST_FINDINGS
    for outcome in (Outcome.INVALID, Outcome.UNDETERMINED, Outcome.VALID):
        group = [finding for finding in run.findings if finding.outcome is outcome]
        if group:
            yield element("h4", f"{_TITLE[outcome]} ({len(group):,})")
            group.sort(key=lambda finding: (finding.window, finding.s3_uri or ""))
            yield from (_finding(finding, run) for finding in group[:left])
            yield _left(group[left:])
            left = max(0, left - len(group))
    if run.looks:
        yield element("h4", f"Windows of open incidents, looked at again ({len(run.looks):,})")
        yield element("p", "They count for nothing in the verdict; the CSV has their findings.")
        yield _looks(run.looks[:MOST_FINDINGS])
    yield element("h4", "Accepted heads", id=f"{prefix}-accepted")
    yield from _acceptances(run.accepted)
    yield element("h4", "Acknowledged incidents")
    yield from render_acknowledged(run)


_TITLE = {
    Outcome.INVALID: "Invalid: the evidence contradicts itself",
    Outcome.UNDETERMINED: "Undetermined: nobody can tell, or nobody vouches",
    Outcome.VALID: "Notes, which lower nothing",
}


def _finding(finding: Finding, run: Run) -> Element:
    head = element(
        "h5",
        f"{label(finding.outcome)}: {bounded(said(finding))} ",
        element("span", element("code", finding.reason.value)),
    )
    window = finding.window
    message = finding.message
    if finding.s3_uri is not None:
        message = message.replace(f": {finding.s3_uri} (", " (", 1)  # the line above says it
    subject = finding.s3_uri or (run.trail_arn if finding.reason is Reason.TRAIL_OFF else None)
    rows: list[tuple[str, Part | Sequence[Part]]] = [
        ("Object", code(subject) if subject else "none: it is about the chain"),
        ("Version", code(finding.version_id) if finding.version_id else None),
        ("Account, region", f"{shown(finding.account_id)} {shown(finding.region)}"),
        ("Window", f"{format_instant(window.start)} to {format_instant(window.end)}"),
        ("First seen", first_seen(finding.first_seen, run.run.judged_at)),
        ("Expected", code(finding.expected) if finding.expected else None),
        ("Actual", code(finding.actual) if finding.actual else None),
    ]
    if finding.last_modified is not None:
        rows.append(("Last modified", format_instant(finding.last_modified)))
    known = acknowledgement_of(finding, run)
    if known is not None:
        rows.append(("Acknowledgement", shown(known)))
    if finding.count != 1:
        ends = f", {shown(finding.first)} to {shown(finding.last or '')}" if finding.first else ""
        rows.append(("Stands for", f"{finding.count:,} findings{ends}"))
    rows += beside(finding)
    told = element("p", shown(message[:1].upper() + message[1:]))
    return element("article", head, told, facts(rows), class_=finding.outcome.value)


def _left(rest: Sequence[Finding]) -> Element | None:
    if not rest:
        return None
    reasons = Counter(finding.reason.value for finding in rest)
    told = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
    return element("p", f"And {len(rest):,} more, in the record and in the CSV: {told}.")


def _looks(looks: Sequence[Run]) -> Element:
    rows = []
    for look in looks:
        asked, narrowed = look.requested, narrowing(look.requested)
        period = f"{format_instant(asked.start)} to {format_instant(asked.end)}"
        found = f"{len(look.findings):,}"
        rows.append([period, bounded(narrowed) or "all", look.outcome.value, found])
    headings = ("Window", "Narrowed", "Outcome", "Findings")
    return table("Narrow runs of the same tick", headings, rows, numbers=1)


def _acceptances(accepted: Sequence[Acceptance]) -> Iterator[Element]:
    if not accepted:
        yield element(
            "p", "None: nobody took a head for the truth that contradicts what was known."
        )
        return
    for one in accepted[:100]:
        new = one.new
        yield facts(
            [
                ("Chain", f"{shown(one.account_id)} {shown(one.region)}, {one.kind.value}"),
                ("Lost", f"{one.lost:,} known {counted(one.lost, 'digest')} gone or changed"),
                ("Known before", [code(one.old.s3_uri), " ", code(one.old.sha256)]),
                ("Head now", [code(new.s3_uri), " ", code(new.sha256)] if new else "none"),
                ("Accepted by", code(one.accepted_by)),
                ("At", format_instant(one.accepted_at)),
                ("Because", shown(one.reason)),
            ]
        )
