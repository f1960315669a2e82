"""Many findings about one chain that say the same, told once, with a count.

Keys and credentials are a matter of the chain, not of each object that needed them; what a
lifecycle rule archived it archived by the day; and of anything else there is an end to what a
person reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from integrity.chain.findings import CLAUSES, Finding, Place, Reason, message, worst
from integrity.chain.model import TimeWindow
from integrity.chain.times import day_of, format_instant
from integrity.chain.trouble import ARCHIVED, EXPIRED_CREDENTIALS, OUTSIDE, REWRITTEN
from integrity.structs import replace


def fold(findings: Sequence[Finding], *, most: int) -> list[Finding]:
    """One chain's findings; what belongs together, or is more than `most`, becomes one."""
    return _fold(_fold(findings, 1, _shared_cause), most, lambda finding: finding.reason.value)


def _shared_cause(finding: Finding) -> str | None:
    """What is told once however few there are; None for what is told one by one."""
    if finding.reason is Reason.KEYS_UNAVAILABLE:
        return "keys"
    if finding.reason is not Reason.OBJECT_UNREADABLE or REWRITTEN in finding.detail:
        return None
    if finding.detail.startswith(EXPIRED_CREDENTIALS):
        return "credentials"
    if finding.detail.startswith(OUTSIDE):
        return "outside"
    if finding.detail.startswith(ARCHIVED):
        return f"archived {format_instant(day_of(finding.window.end))}"
    return None


def _fold(
    findings: Sequence[Finding], most: int, kind: Callable[[Finding], str | None]
) -> list[Finding]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(kind(finding) or "", []).append(finding)
    folded: list[Finding] = []
    for finding in findings:
        group = groups[kind(finding) or ""]
        if len(group) <= most or not kind(finding):
            folded.append(finding)
        elif finding is group[0]:
            folded.append(_folded(group))
    return folded


def _folded(group: list[Finding]) -> Finding:
    """The first finding, speaking for all of them."""
    first, last = group[0], group[-1]
    ends_with, begins_with = last.last or last.s3_uri, first.first or first.s3_uri
    start = min(finding.window.start for finding in group)
    window = TimeWindow(start, max(finding.window.end for finding in group))
    count = sum(finding.count for finding in group)
    ends = f"{count} of them" + (f", {begins_with} to {ends_with}" if begins_with else "")
    detail = f"{first.detail}; {ends}" if first.detail else ends
    place = Place(first.account_id, first.region)
    return replace(
        first,
        outcome=worst(finding.outcome for finding in group),
        s3_uri=None,
        window=window,
        version_id=None,
        last_modified=None,
        expected=None,
        actual=None,
        detail=detail,
        message=message(CLAUSES[first.reason], place, window, None, detail, ""),
        count=count,
        first=begins_with,
        last=ends_with,
    )
