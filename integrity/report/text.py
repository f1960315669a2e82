"""A record as text for people: what was asked, what was found, what is proven, and the verdict.

Pure: a record in, lines out. It judges nothing and adds nothing; whatever comes from a bucket or an
account passes `terminal.escape`, so the text is printable ASCII whatever anybody wrote. Times are
shown in the zone that was asked for; a finding's own line stays as it was recorded, in UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from msgspec import Struct

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.model import S3Location
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.chain.words import (
    backfill_mark,
    explained,
    first_seen,
    label,
    restorable,
    said,
    subject,
)
from integrity.record import Acceptance, KeyRecord, Requested, Run, Totals, exit_status
from integrity.report.acknowledged import text_line
from integrity.report.markup import bounded
from integrity.report.periods import render_periods
from integrity.report.words import counted, meaning, narrowing, ratio, told

MOST_FINDINGS = 20
"""So many findings of one reason in one chain are shown; the record has them all."""

MOST_CHAINS = 50
"""So many chains that are not wholly proven have a line of their own."""


def _plain(outcome: Outcome, text: str) -> str:
    del outcome
    return text


class Style(Struct, frozen=True):
    """How a record is shown. `paint` colours what an outcome says; `verbose` leaves nothing out."""

    zone: tzinfo = UTC
    paint: Callable[[Outcome, str], str] = _plain
    verbose: bool = False

    def clock(self, time: datetime) -> str:
        """`2026-03-01T00:00:00Z`, or with the offset of the zone asked for."""
        if self.zone is UTC:
            return format_instant(time)
        return time.astimezone(self.zone).isoformat(timespec="seconds")


def render_header(trail_arn: str, requested: Requested, style: Style) -> list[str]:
    """The first line, in the AWS CLI's words, and what the run was narrowed to."""
    narrowed = narrowing(requested)
    return [
        f"Validating log files for trail {escape(trail_arn)} between "
        f"{style.clock(requested.start)} and {style.clock(requested.end)}"
        + (f", {narrowed}" if narrowed else ""),
        "",
    ]


def render_valid_digest(location: S3Location) -> str:
    """The AWS CLI's line for a valid digest file."""
    return f"{backfill_mark(location.key)}Digest file\t{escape(location.uri)}\tvalid"


def render_valid_log(location: S3Location) -> str:
    """The AWS CLI's line for a valid log file."""
    return f"Log file\t{escape(location.uri)}\tvalid"


def render_run(run: Run, style: Style, *, status: int | None) -> list[str]:
    """Everything after the header. `status` is the exit status to name in the last line, if any."""
    return [
        *_findings(run, Outcome.INVALID, style),
        *_findings(run, Outcome.UNDETERMINED, style),
        *_findings(run, Outcome.VALID, style),
        *render_periods(run, style.clock, most_chains=None if style.verbose else MOST_CHAINS),
        *_population(run),
        *_keys(run.keys, style),
        *(_accepted(one, style) for one in run.accepted),
        *(text_line(one, run) for one in run.acknowledged),
        _judged(run, style),
        *_first_seen(run, style),
        *_resumed(run, style),
        "",
        *_ratios(run.totals),
        *_beside(run.totals),
        _verdict(run, style, status),
    ]


def render_summary(runs: Sequence[Run], style: Style, *, status: int) -> str:
    """The last line where several trails were verified."""
    outcomes = Counter(run.outcome for run in runs)
    shares = ", ".join(
        style.paint(outcome, f"{outcomes[outcome]} {outcome.value.upper()}")
        for outcome in (Outcome.INVALID, Outcome.UNDETERMINED, Outcome.VALID)
        if outcomes[outcome]
    )
    narrowed = narrowing(runs[0].requested) if runs else ""
    return (
        f"{len(runs)} {counted(len(runs), 'trail')}"
        + (f", {narrowed}" if narrowed else "")
        + (f": {shares}" if shares else "")
        + f" (exit status {status})"
    )


def _findings(run: Run, outcome: Outcome, style: Style) -> Iterator[str]:
    """Of one reason in one chain the earliest findings, and how many more there are."""
    groups: dict[tuple[str, str, Reason], list[Finding]] = {}
    for finding in run.findings:
        if finding.outcome is outcome:
            key = (finding.account_id, finding.region, finding.reason)
            groups.setdefault(key, []).append(finding)
    for group in groups.values():
        group.sort(key=lambda finding: finding.window)
        shown = group if style.verbose else group[:MOST_FINDINGS]
        for finding in shown:
            yield from _finding(run, finding, style)
        if len(group) > len(shown):
            yield f"and {len(group) - len(shown)} more like this (see --verbose or --format json)"
            yield ""


def _finding(run: Run, finding: Finding, style: Style) -> Iterator[str]:
    word = f"{label(finding.outcome)}: {said(finding)}"
    yield f"{subject(finding, run.trail_arn)}\t{style.paint(finding.outcome, word)}"
    message, hours = finding.message, ""
    if finding.s3_uri is not None:
        message = message.replace(f": {finding.s3_uri} (", " (", 1)  # the line above says it
    if style.zone is not UTC:
        window = finding.window
        hours = f"{style.clock(window.start)} to {style.clock(window.end)}: "
    yield f"  {hours}{escape(message)}"
    for beside in (explained(finding.explanation), restorable(finding)):
        if beside:
            yield f"  {bounded(beside[:1].upper() + beside[1:])}"
    if finding.first_seen is not None:
        seen = first_seen(finding.first_seen, run.run.judged_at, style.clock)
        yield f"  First seen {seen}"
    yield ""


def _population(run: Run) -> Iterator[str]:
    chains, accounts = run.population.chains, run.population.accounts
    yield (
        f"Expected   {chains.expected} {counted(chains.expected, 'chain')} in {accounts.expected} "
        f"{counted(accounts.expected, 'account')}; found {chains.found} in {accounts.found} "
        f"(asked: {escape(', '.join(run.population.method)) or 'nobody'})"
    )
    yield f"           {escape(told(run.population))}"
    for note in run.population.notes:
        yield f"           {escape(note)}"


def _keys(keys: Sequence[KeyRecord], style: Style) -> Iterator[str]:
    origins = Counter(key.origin for key in keys)
    shares = [f"{count} from {escape(origin)}" for origin, count in sorted(origins.items())]
    yield f"Keys       {', '.join(shares) or 'no public key was used'}"
    if style.verbose:
        for key in keys:
            yield (
                f"           {escape(key.region)} {escape(key.fingerprint)}, valid "
                f"{style.clock(key.not_before)} to {style.clock(key.not_after)}"
            )


def _accepted(acceptance: Acceptance, style: Style) -> str:
    """What a person took for the truth though an earlier verification knew better."""
    new = acceptance.new
    return (
        f"Accepted   {acceptance.account_id} {escape(acceptance.region)}, {acceptance.kind.value}: "
        f"{acceptance.lost} {counted(acceptance.lost, 'known digest')} gone or changed, the newest "
        f"{escape(acceptance.old.s3_uri)}; the head is now "
        f"{escape(new.s3_uri) if new is not None else 'nothing'}; "
        f"by {escape(acceptance.accepted_by)} at {style.clock(acceptance.accepted_at)}: "
        f"{escape(acceptance.reason)}"
    )


def _judged(run: Run, style: Style) -> str:
    caller = f" as {escape(run.run.caller_arn)}" if run.run.caller_arn else ""
    return (
        f"Judged     {style.clock(run.run.judged_at)} from {escape(run.run.source)}{caller}, "
        f"{escape(run.tool.name)} {escape(run.tool.version)}, run {escape(run.run.id)}"
    )


def _first_seen(run: Run, style: Style) -> Iterator[str]:
    """Of findings that have no line for it: nobody kept what was seen before."""
    if any(finding.first_seen is None for finding in run.findings):
        which = "other findings" if any(one.first_seen for one in run.findings) else "findings"
        yield f"           {which} first seen {first_seen(None, run.run.judged_at, style.clock)}"


def _resumed(run: Run, style: Style) -> Iterator[str]:
    """What was read over a longer time speaks of each object as of then."""
    if run.run.resumed_at:
        times = counted(len(run.run.resumed_at), "time")
        yield (
            f"Resumed    {len(run.run.resumed_at)} {times}: each object was read between "
            f"{style.clock(run.run.started_at)} and {style.clock(run.run.finished_at)}, once"
        )


def _ratios(totals: Totals) -> Iterator[str]:
    """The AWS CLI's lines, each only where there is something to count."""
    if totals.digest_files.total:
        yield ratio(totals.digest_files, "digest files")
    if totals.backfill_digest_files.total:
        yield ratio(totals.backfill_digest_files, "backfill digest files")
    if totals.log_files.total:
        yield ratio(totals.log_files, "log files")


def _beside(totals: Totals) -> Iterator[str]:
    """Log files that no authentic digest names: they are in no ratio."""
    logs = totals.log_files
    if logs.unattested is None or logs.unreferenced is None or logs.pending is None:
        yield "log files that no digest names were not looked for (--no-unreferenced)"
        return
    for number, words in (
        (logs.unattested, "UNATTESTED: no authentic digest was there to name them"),
        (logs.unreferenced, "UNREFERENCED: every digest was read, and none names them"),
        (logs.pending, "pending: the digest that will name them is not due yet"),
    ):
        if number:
            yield f"{number} {counted(number, 'log file')} {words}"


def _verdict(run: Run, style: Style, status: int | None) -> str:
    narrowed = narrowing(run.requested)
    scope = f", {narrowed}, which says nothing about the rest of the trail" if narrowed else ""
    means = meaning(run.outcome, exit_status(run), empty=not run.chains)
    word = style.paint(run.outcome, run.outcome.value.upper())
    return f"{word}{scope}: {means}" + (f" (exit status {status})" if status is not None else "")
