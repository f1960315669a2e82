"""`integrity verify-evidence`: whether records are whose they say, whole, and in their chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from integrity.chain.findings import Outcome
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.cli.options import profile_option, region_option, verbose_option
from integrity.cli.output import open_output
from integrity.record import ExitStatus
from integrity.report.words import counted

if TYPE_CHECKING:
    from integrity.aws.session import Aws
    from integrity.evidence.chained import Link
    from integrity.evidence.examine import Examination, Examined

_MOST = 100
_STATUS = {
    Outcome.VALID: ExitStatus.VALID,
    Outcome.UNDETERMINED: ExitStatus.UNDETERMINED,
    Outcome.INVALID: ExitStatus.INVALID,
}

EPILOG = """
\b
Examples:
  integrity verify-evidence record.json --key auditor.pub.pem
  integrity verify-evidence s3://records/integrity --key kms:alias/evidence
  integrity verify-evidence q1 --key auditor.pub.pem
      The bundle in the folder q1, and each of its files.

\b
Exit status:
    0  everything is signed by a key that was given, and each chain of records is whole
    1  something contradicts its signature, its name or its chain
    2  usage error
    3  could not tell: unsigned, no key was given, or something could not be read
   70  a fault of the program itself
"""


@click.command(
    "verify-evidence", epilog=EPILOG, short_help="Check signatures and chains of records."
)
@click.argument("places", metavar="RECORD|DIR|s3://B/P...", nargs=-1, required=True)
@click.option(
    "--key",
    "keys",
    metavar="FILE.pem|kms:KEY",
    multiple=True,
    help="The public key that must have signed, from elsewhere than what it signed; repeatable.",
)
@profile_option
@region_option
@click.option("--all", "show_all", is_flag=True, help="Name each file, also where all is well.")
@verbose_option
def verify_evidence(
    *,
    places: tuple[str, ...],
    keys: tuple[str, ...],
    profile: str | None,
    region: str | None,
    show_all: bool,
    **_: bool,
) -> int:
    """Check that records and bundles are those that were signed, and that none is missing between.

    Says nothing of the trail itself: that is what the records say.
    """
    from integrity.wiring.signing import examine_evidence

    def open_aws() -> Aws:
        from integrity.wiring.access import Access

        return Access(profile=profile, region=region).recipe(None).open()

    examined = examine_evidence(places, keys, open_aws)
    with open_output(None) as output:
        for line in _lines(examined, show_all=show_all):
            output.write(escape(line) + "\n")
    return _STATUS[examined.outcome]


def _lines(examined: Examination, *, show_all: bool) -> Iterator[str]:
    doubtful = [one for one in examined.files if one.outcome is not Outcome.VALID]
    shown = examined.files if show_all or len(examined.files) <= _MOST // 5 else doubtful[:_MOST]
    for one in shown:
        yield f"{one.place}  {_word(one)}: {one.checked.detail}"
    if len(doubtful) > _MOST and not show_all:
        yield f"and {len(doubtful) - _MOST} more like these (see --all)"
    for remark in examined.remarks[: None if show_all else _MOST]:
        yield f"{remark.name}  {remark.kind.value.replace('_', ' ').upper()}: {remark.detail}"
    if not examined.files:
        yield "nothing was found: no record, no bundle, nothing that is signed"
    yield from _trails(examined)


def _word(one: Examined) -> str:
    return "INTACT" if one.outcome is Outcome.VALID else one.checked.standing.value.upper()


def _trails(examined: Examination) -> Iterator[str]:
    """How many runs of each trail are intact, and what nobody can see."""
    runs: dict[str, list[tuple[Link, Outcome]]] = defaultdict(list)
    for one in examined.files:
        for link in one.records:
            runs[link.trail_arn].append((link, one.outcome))
    for trail_arn, found in sorted(runs.items()):
        newest = max((link for link, _ in found), key=lambda link: link.started_at)
        oldest = min((link for link, _ in found), key=lambda link: link.started_at)
        intact = sum(outcome is Outcome.VALID for _, outcome in found)
        yield (
            f"{trail_arn}: {intact} of {len(found)} {counted(len(found), 'record')} intact, from "
            f"{format_instant(oldest.started_at)} to {format_instant(newest.started_at)}"
        )
        yield (
            f"  the newest is run {newest.run_id}, SHA-256 {newest.sha256}; whether later ones "
            "were removed cannot be seen from records, only from the service's store"
        )
