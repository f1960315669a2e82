"""What persons said of incidents that were open: on a page and in text, from the record alone.

An acknowledgement lowers nothing. A finding is shown with the one of the incident of its own reason
and place whose window it lies in; the list has every one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from integrity.chain.findings import Finding
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.record import Acknowledged, Run
from integrity.report.markup import Part, code, element, facts, shown

_MOST_INCIDENTS = 100


def acknowledgement_of(finding: Finding, run: Run) -> str | None:
    """Who has acknowledged what it belongs to, in a sentence, if anybody has."""
    for one in run.acknowledged:
        place = (one.reason, one.account_id, one.region)
        if place == (finding.reason, finding.account_id, finding.region) and (
            one.window.overlaps(finding.window) or one.window == finding.window
        ):
            return one.acknowledgements[-1].told(run.run.judged_at)
    return None


def render_acknowledged(run: Run) -> Iterator[Element]:
    """Each incident with all that was said of it, the newest last."""
    if not run.acknowledged:
        yield element("p", "None: nobody had acknowledged an incident that was open.")
    for one in run.acknowledged[:_MOST_INCIDENTS]:
        rows: list[tuple[str, Part | Sequence[Part]]] = [
            ("Incident", code(one.incident_id)),
            ("Reason", f"{shown(one.reason)}, {one.outcome.value}"),
            ("Account, region", f"{shown(one.account_id)} {shown(one.region)}"),
            ("Window", f"{format_instant(one.window.start)} to {format_instant(one.window.end)}"),
        ]
        rows += [("Said", shown(given.told(run.run.judged_at))) for given in one.acknowledgements]
        yield facts(rows)
    left = len(run.acknowledged) - _MOST_INCIDENTS
    if left > 0:
        yield element("p", f"And {left:,} more incidents, which the record has.")


def text_line(one: Acknowledged, run: Run) -> str:
    """The last that was said of an incident."""
    where = f"{escape(one.account_id)} {escape(one.region)}"
    last = one.acknowledgements[-1].told(run.run.judged_at)
    return f"Known      {escape(one.reason)} {where}: {escape(last)}"
