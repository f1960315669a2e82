"""Runs what `integrity verify` was asked for, trail after trail, and shows each record.

The exit status is made of the records alone. Nothing is judged here; the clock is handed through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from integrity.chain.findings import Outcome, Reason
from integrity.chain.model import TimeWindow
from integrity.chain.terminal import escape
from integrity.cli.interrupt import interruptible
from integrity.cli.kept import Kept, open_kept
from integrity.cli.notices import notices
from integrity.cli.output import Output, open_output
from integrity.cli.ports import Verifier, Wiring
from integrity.cli.progress import choose_progress
from integrity.cli.signed import open_seal, signature_path
from integrity.errors import AccessError, UsageError
from integrity.record import ExitStatus, Run, encode, exit_status, worst_status
from integrity.report.text import Style, render_header, render_run, render_summary
from integrity.structs import replace
from integrity.verify.claim import Claim, MeantTrail
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.wiring import Access, Offline

if TYPE_CHECKING:
    from integrity.events.search import Wanted
    from integrity.verify.run import Verification
    from integrity.wiring.rules import Rulebook

_COLOURS = {Outcome.VALID: "green", Outcome.UNDETERMINED: "yellow", Outcome.INVALID: "red"}


class Options(Struct, frozen=True, kw_only=True):
    """What was asked for on the command line, checked and whole.

    Without a window it is as much as the copy holds, or what the bundle was made for.
    """

    access: Access
    claim: Claim
    window: TimeWindow | None
    account_ids: tuple[str, ...] | None
    source_regions: tuple[str, ...] | None
    ignored: tuple[str, ...]
    grace: timedelta
    redelivery_grace: timedelta
    unreferenced: bool
    allow_gaps: bool
    json: bool
    output: Path | None
    report: Path | None
    zone: tzinfo
    verbose: bool
    quiet: bool
    log_files: bool = True
    offline: Offline | None = None
    sign: str | None = None
    resume: Path | None = None
    is_fixed: bool = False
    rulebook: Rulebook | None = None

    def job(self, meant: MeantTrail) -> Job:
        """The verification of one trail."""
        if meant.collected is not None:
            return self._narrowed(meant.collected)
        window = self.window or meant.window
        if window is None:
            raise UsageError(
                "no time was given, and nothing says which: add --start-time or --last"
            )
        return Job(
            trail=meant.trail,
            window=window,
            account_ids=self.account_ids,
            source_regions=self.source_regions,
            ignored=self.ignored,
            grace=self.grace,
            redelivery_grace=self.redelivery_grace,
            unsigned_neighbours=meant.unsigned_neighbours,
            unreferenced=self.unreferenced,
            allow_gaps=self.allow_gaps,
            log_files=self.log_files,
            concurrency=self.access.concurrency,
            rules=self._wanted,
        )

    @property
    def _wanted(self) -> tuple[Wanted, ...]:
        return () if self.rulebook is None else self.rulebook.wanted

    def _narrowed(self, collected: Job) -> Job:
        """What was collected, or the part of it that is asked for."""
        return replace(
            collected,
            window=self.window or collected.window,
            account_ids=self.account_ids or collected.account_ids,
            source_regions=self.source_regions or collected.source_regions,
            ignored=tuple(dict.fromkeys([*collected.ignored, *self.ignored])),
            allow_gaps=self.allow_gaps or collected.allow_gaps,
            log_files=self.log_files and collected.log_files,
            concurrency=self.access.concurrency,
            rules=self._wanted,
        )


def connect(options: Options, wiring: Wiring, *, now: datetime) -> Verifier:
    """AWS, or the folder that stands for it."""
    if options.offline is not None:
        return wiring.open_offline(options.offline, now=now)
    return wiring.connect(options.access, now=now)


def verify_trails(
    options: Options, open_verifier: Callable[[datetime], Verifier], clock: Callable[[], datetime]
) -> int:
    """Verify each trail that is meant, show its record, and give the exit status.

    The page is made of the records when these are written: whatever happens to it, they are there.
    """
    seal = open_seal(options.sign, options.access)
    with open_kept(options.resume, quiet=options.quiet) as kept:
        with _open_page(options.report) as page:
            with open_output(options.output) as output:
                connection = open_verifier(clock())
                trails = connection.open_trails(options.claim)
                session = _Session(options, output, kept, several=len(trails) > 1)
                with interruptible() as stopping, notices(shown=options.verbose):
                    for trail in trails:
                        session.verify(connection, options.job(trail), clock, stopping)
                        if stopping.is_set():
                            break
                status = session.close()
                if seal is not None and options.output is not None:
                    signature_path(options.output).unlink(missing_ok=True)
            if seal is not None and options.output is not None:
                seal.sign(options.output, session.document, clock())
            if page is not None:
                page.write(session.render_page())
        kept.settle()
    return status


def _open_page(path: Path | None) -> AbstractContextManager[Output | None]:
    return nullcontext() if path is None else open_output(path)


class _Session:
    """One command's records and exit statuses, so far."""

    def __init__(self, options: Options, output: Output, kept: Kept, *, several: bool) -> None:
        self._options = options
        self._kept = kept
        self._output = output
        self._several = several
        self._silent = options.quiet and options.output is None
        self._runs: list[Run] = []
        self._statuses: list[int] = []
        self._unverified: list[tuple[str, str]] = []
        self._style = Style(
            zone=options.zone,
            paint=_paint if output.colour else Style().paint,
            verbose=options.verbose,
        )

    def verify(
        self,
        connection: Verifier,
        job: Job,
        clock: Callable[[], datetime],
        stopping: Stopping,
    ) -> None:
        """Verify one trail. Of several, one that AWS says nothing of does not stop the others."""
        names_valid = self._options.verbose and not self._options.json
        if names_valid:
            self._write(render_header(job.trail.arn, job.requested, self._style))
        progress = choose_progress(
            quiet=self._options.quiet,
            tell_valid=self._output.write if names_valid else None,
            lines_on_terminal=names_valid and self._output.terminal,
        )
        try:
            with progress:
                verification = connection.verify(
                    job,
                    progress=progress,
                    clock=clock,
                    stopping=stopping,
                    names_valid=names_valid,
                    keeping=self._kept.begin(job.trail.arn, is_fixed=self._options.is_fixed),
                )
        except AccessError as error:
            if not self._several:
                raise
            click.echo(escape(f"Error: {job.trail.arn}: {error}"), err=True)
            self._statuses.append(ExitStatus.UNDETERMINED)
            self._unverified.append((job.trail.arn, str(error)))
            return
        self._kept.note(verification)
        self._add(verification.run, header=not names_valid)
        if self._options.rulebook is not None:
            self._show_matches(self._options.rulebook, verification)

    def _add(self, run: Run, *, header: bool) -> None:
        self._runs.append(run)
        status = ExitStatus.INTERRUPTED if run.run.interrupted else exit_status(run)
        counts = not (self._several and _never_signed(run))
        if counts:
            self._statuses.append(status)
        if self._silent and (status == ExitStatus.VALID or not counts):
            return
        if self._options.json:
            self._output.write(encode(run) + b"\n")
            return
        lines = render_header(run.trail_arn, run.requested, self._style) if header else [""]
        lines += render_run(run, self._style, status=None if self._several else status)
        self._write([*lines, ""] if self._several else lines)

    @property
    def document(self) -> bytes:
        """The records as they are written, a line each."""
        return b"".join(encode(run) + b"\n" for run in self._runs)

    def _show_matches(self, rulebook: Rulebook, verification: Verification) -> None:
        """Behind the record, whatever it says. They are news, even to who wants to be quiet."""
        from integrity.cli.matches import encode_matches, match_verified, render_matches

        found = match_verified(rulebook, verification)
        if self._options.json:
            self._output.write(b"".join(encode_matches(found)))
        else:
            self._write([*render_matches(found), *([""] if found and self._several else [])])

    def render_page(self) -> str:
        """The records as one page."""
        from integrity.report.page import render_page
        from integrity.report.recorded import decode_record

        records = [decode_record(encode(run)) for run in self._runs]
        return render_page(records, unverified=self._unverified)

    def close(self) -> int:
        """Show what all trails come to, where there are several, and give the exit status."""
        status = worst_status(self._statuses)
        silent = self._silent and status == ExitStatus.VALID
        if self._several and not self._options.json and not silent:
            self._write([render_summary(self._runs, self._style, status=status)])
        return status

    def _write(self, lines: Sequence[str]) -> None:
        self._output.write("".join(f"{line}\n" for line in lines))


def _never_signed(run: Run) -> bool:
    """Whether the trail has validation off and never had a digest: a note beside other trails."""
    return (
        not run.chains
        and any(finding.reason is Reason.TRAIL_OFF for finding in run.findings)
        and all(finding.outcome is Outcome.VALID for finding in run.findings)
    )


def _paint(outcome: Outcome, text: str) -> str:
    return click.style(text, fg=_COLOURS[outcome])
