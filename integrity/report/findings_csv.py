"""The findings of records as CSV, for spreadsheets and machines: RFC 4180, ASCII, stable columns.

A cell that a spreadsheet would take for a formula begins with an apostrophe instead: whoever may
write to the bucket chooses keys, and a key may begin with `=`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime

from integrity.chain.findings import Finding
from integrity.chain.times import format_instant
from integrity.chain.words import explained
from integrity.record import Run
from integrity.report.markup import shown
from integrity.report.recorded import Recorded

COLUMNS = (
    "trail_arn", "outcome", "reason", "account_id", "region", "window_start", "window_end",
    "s3_uri", "version_id", "last_modified", "expected", "actual", "detail", "message", "count",
    "first", "last", "run_id", "judged_at", "record_sha256", "explanation", "versions_tried",
    "original_version_id", "original_gone_at", "originals", "first_seen", "first_seen_of",
)  # fmt: skip
"""New columns come after these."""

_MOST_CHARACTERS = 3000
"""A spreadsheet's cell holds 32,767, and an escaped character may take ten."""

_FORMULA = ("=", "+", "-", "@")


def render_findings_csv(records: Sequence[Recorded]) -> str:
    """A line of headings, and a line for each finding, in the records' order."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for recorded in records:
        for run in (recorded.run, *recorded.run.looks):
            for finding in run.findings:
                writer.writerow([_cell(text) for text in _row(recorded, run, finding)])
    return sheet.getvalue()


def _row(recorded: Recorded, run: Run, finding: Finding) -> Iterator[str | None]:
    yield from (run.trail_arn, finding.outcome.value, finding.reason.value)
    yield from (finding.account_id, finding.region)
    yield from (format_instant(finding.window.start), format_instant(finding.window.end))
    yield from (finding.s3_uri, finding.version_id, _time(finding.last_modified))
    yield from (finding.expected, finding.actual, finding.detail, finding.message)
    yield from (str(finding.count), finding.first, finding.last)
    yield from (run.run.id, format_instant(run.run.judged_at), recorded.sha256)
    tried, originals = finding.versions_tried, finding.originals
    own = next((one for one in originals if one.s3_uri == finding.s3_uri), None)
    yield from (explained(finding.explanation), None if tried is None else str(tried))
    yield from (own.version_id, _time(own.gone_at)) if own is not None else (None, None)
    yield str(len(originals)) if tried is not None else None
    seen = finding.first_seen
    yield from (_time(seen.at), seen.of) if seen else (format_instant(run.run.judged_at), "run")


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_instant(time)


def _cell(text: str | None) -> str:
    cell = shown(text or "", _MOST_CHARACTERS)
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
