"""`integrity trails`: which trails there are, and whether their log files are signed at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import click

from integrity.chain.terminal import escape
from integrity.cli.options import profile_option, region_option, shape_option, verbose_option
from integrity.cli.output import open_output
from integrity.cli.ports import wiring_of
from integrity.cli.times import read_clock
from integrity.record import ExitStatus
from integrity.wiring import Access, TrailListing

EPILOG = """
\b
Examples:
  integrity trails
  integrity trails --profile audit --format json

\b
Exit status:
    0  the trails were listed
    2  usage error, no credentials
    3  AWS would not answer
   70  a fault of the program itself
"""

_HEAD = ("NAME", "HOME REGION", "REGIONS", "ACCOUNTS", "BUCKET/PREFIX", "VALIDATION", "LOGGING")


@click.command(epilog=EPILOG, short_help="List trails, and whether their log files are signed.")
@profile_option
@region_option
@shape_option("A table for people, or one line of JSON a trail.")
@verbose_option
@click.pass_context
def trails(
    context: click.Context, /, profile: str | None, region: str | None, shape: str, **_: bool
) -> int:
    """List the trails of the account, and whether their log files are signed.

    Log files can be verified only for the time in which log file validation was on. Where it is
    off, the command that switches it on is shown.
    """
    access = Access(profile=profile, region=region)
    listings = wiring_of(context).connect(access, now=read_clock()).list_trails()
    lines = _json(listings) if shape == "json" else render_table(listings)
    with open_output(None) as output:
        output.write("".join(f"{line}\n" for line in lines))
    return ExitStatus.VALID


def render_table(listings: Sequence[TrailListing]) -> Iterator[str]:
    """A line a trail, and below what to do about the ones that are not signed or not known."""
    if not listings:
        yield (
            "This account has no trails. One whose log files can be verified is made by "
            "'aws cloudtrail create-trail --enable-log-file-validation'."
        )
        return
    rows = [_HEAD, *(_row(listing) for listing in listings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        yield "  ".join(
            f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()
    for listing in listings:
        yield from _advice(listing)


def _row(listing: TrailListing) -> tuple[str, ...]:
    trail = listing.trail
    logging = {True: "on", False: "OFF", None: "unknown"}[listing.logging]
    return (
        escape(trail.name),
        escape(trail.home_region),
        "all" if trail.multi_region else "home only",
        "organization" if trail.is_organization else escape(trail.account_id),
        escape(f"{trail.bucket}/{trail.prefix}".rstrip("/")),
        "on" if trail.validation else "OFF",
        logging,
    )


def _advice(listing: TrailListing) -> Iterator[str]:
    trail = listing.trail
    where = f"--region {escape(trail.home_region)} --name {escape(trail.arn)}"
    if not trail.validation:
        yield ""
        yield f"{escape(trail.name)}: its log files are not signed and cannot be verified. Next:"
        yield f"  aws cloudtrail update-trail {where} --enable-log-file-validation"
    if listing.logging is False:
        yield ""
        yield f"{escape(trail.name)}: it does not log. Next:"
        yield f"  aws cloudtrail start-logging {where}"
    if listing.detail:
        yield ""
        yield f"{escape(trail.name)}: {escape(listing.detail)}"


def _json(listings: Sequence[TrailListing]) -> Iterator[str]:
    for listing in listings:
        trail = listing.trail
        yield json.dumps(
            {
                "name": trail.name,
                "trail_arn": trail.arn,
                "account_id": trail.account_id,
                "home_region": trail.home_region,
                "s3_bucket": trail.bucket,
                "s3_prefix": trail.prefix or None,
                "multi_region": trail.multi_region,
                "organization": trail.is_organization,
                "organization_id": trail.organization_id or None,
                "log_file_validation": trail.validation,
                "logging": listing.logging,
                "detail": listing.detail,
            }
        )
