"""What stands beside findings: the events that explain them, and the originals that are left.

Parts of a page, made from one record, bounded like all of it. What explains what was decided when
the record was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from integrity.chain.evidence import EventRecord
from integrity.chain.findings import Finding
from integrity.chain.times import format_instant
from integrity.chain.words import explained
from integrity.record import Run
from integrity.report.markup import Part, bounded, code, element, shown, table

MOST_EVENTS = 100
"""So many events are listed."""

_MOST_ORIGINALS = 5


def render_events(run: Run) -> Iterator[Element]:
    """Every event that explains a finding, once."""
    events = dict.fromkeys(
        event
        for finding in run.findings
        if finding.explanation is not None
        for event in finding.explanation.events
    )
    if not events:
        return
    yield table(
        "Events that explain findings",
        ("Event", "By", "At", "Witness", "Log file that holds it", "Its SHA-256"),
        [_event(event) for event in list(events)[:MOST_EVENTS]],
    )
    if len(events) > MOST_EVENTS:
        left = len(events) - MOST_EVENTS
        yield element("p", f"And {left:,} more events, which the record has.")


def _event(event: EventRecord) -> list[Part]:
    return [
        shown(event.event_name),
        code(event.by or "nobody named"),
        format_instant(event.time),
        event.witness.value,
        code(event.s3_uri) if event.s3_uri else "none",
        code(event.sha256) if event.sha256 else "none",
    ]


def beside(finding: Finding) -> list[tuple[str, Part | Sequence[Part]]]:
    """Who did it, and what lay there before, as far as anybody looked."""
    rows: list[tuple[str, Part | Sequence[Part]]] = []
    if finding.explanation is not None:
        rows.append(("Explanation", bounded(explained(finding.explanation))))
    tried = finding.versions_tried
    if tried is None:
        return rows
    if not finding.originals:
        none = f"none that verifies ({tried:,} tried)" if tried else "none is left"
        return [*rows, ("Older versions", none)]
    for one in finding.originals[:_MOST_ORIGINALS]:
        when = (
            f", written {format_instant(one.written_at)}, {one.fate.value} "
            f"{format_instant(one.gone_at)}"
        )
        name: list[Part] = [] if one.s3_uri == finding.s3_uri else [" of ", code(one.s3_uri)]
        rows.append(("Proven original", [code(one.version_id), *name, when]))
    left = len(finding.originals) - _MOST_ORIGINALS
    if left > 0:
        rows.append(("Proven originals", f"and {left:,} more, which the record has"))
    return rows
