"""`integrity bundle`: verify a trail, and keep what a third party needs to do it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from integrity.cli.offline import refuse_inside
from integrity.cli.options import window_options
from integrity.cli.selection import (
    access_options,
    judgement_options,
    report_options,
    scope_options,
    trail_options,
)
from integrity.cli.signed import open_seal, sign_option
from integrity.cli.times import read_clock
from integrity.cli.verification import verify_trails
from integrity.cli.verify import read_options
from integrity.errors import UsageError
from integrity.evidence.manifest import MANIFEST
from integrity.structs import replace
from integrity.verify.claim import Claim, MeantTrail
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import Progress

if TYPE_CHECKING:
    from integrity.verify.resume import Keeping
    from integrity.verify.run import Verification
    from integrity.wiring import Connection

EPILOG = """
\b
Examples:
  integrity bundle --trail-arn main --start-time 2026-01-01 --end-time 2026-03-31 --out q1
  integrity verify --bundle q1
      Anywhere, without network and credentials.

\b
Exit status: that of integrity verify, for what was collected. What was interrupted (130) goes on
when the same is asked for again.
"""


@click.command(epilog=EPILOG, short_help="Collect a trail's files, to be verified elsewhere.")
@trail_options
@window_options
@scope_options
@judgement_options
@report_options
@sign_option
@access_options
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to make: one that is not there, is empty, or holds what was interrupted.",
)
@click.pass_context
def bundle(context: click.Context, /, out: Path, **typed: Any) -> int:
    """Collect what a third party needs to verify one trail again, without AWS.

    Verifies the trail like 'integrity verify' and keeps in a folder what was read for it: digest
    files with their metadata and version ids, log files, older versions that were tried as
    originals, public keys, what AWS answered, the record, and the SHA-256 of each; with --sign, the
    signature of the manifest that has these. Nothing is written to AWS.
    """
    options = read_options(typed, read_clock())
    is_fixed = typed["start_time"] is not None and typed["end_time"] is not None
    for name in ("output", "report"):
        refuse_inside(out, name, typed[name])
    seal = open_seal(options.sign, options.access)
    status = verify_trails(
        replace(options, sign=None),
        lambda now: _open(context, options.access, out, now, is_fixed=is_fixed),
        read_clock,
    )
    manifest = out / MANIFEST
    if seal is not None and manifest.exists():  # else it was interrupted, and is no bundle yet
        seal.sign(manifest, manifest.read_bytes(), read_clock())
    return status


def _open(
    context: click.Context, access: Any, out: Path, now: datetime, *, is_fixed: bool
) -> _Bundling:
    from integrity import wiring

    rest = wiring if context.obj is None else context.obj
    return _Bundling(rest.connect(access, now=now), out, is_fixed=is_fixed)


class _Bundling:
    """AWS, of which everything that is read is kept."""

    def __init__(self, connection: Connection, out: Path, *, is_fixed: bool) -> None:
        self._connection, self._out, self._is_fixed = connection, out, is_fixed

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]:
        """The one trail that is meant."""
        trails = self._connection.open_trails(claim)
        if len(trails) > 1:
            names = ", ".join(one.trail.arn for one in trails)
            raise UsageError(
                f"a bundle is of one trail: name it with --trail-arn; there are {names}"
            )
        return trails

    def verify(
        self,
        job: Job,
        *,
        progress: Progress,
        clock: Callable[[], datetime],
        stopping: Stopping,
        names_valid: bool,
        keeping: Keeping | None = None,
    ) -> Verification:
        """Its record, while it is collected. A bundle goes on from its own files."""
        from integrity.wiring import bundle_trail

        del names_valid, keeping
        return bundle_trail(
            self._connection,
            job,
            self._out,
            is_fixed=self._is_fixed,
            progress=progress,
            clock=clock,
            stopping=stopping,
        )
