"""`integrity verify`: what can be asked for. Running it is `verification`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from integrity import grammar
from integrity.cli.offline import read_offline, replica_of
from integrity.cli.options import (
    Parsed,
    profile_option,
    region_option,
    together,
    window_options,
)
from integrity.cli.ports import wiring_of
from integrity.cli.times import asked_window, parse_zone, read_clock
from integrity.cli.verification import Options, connect, verify_trails
from integrity.errors import UsageError
from integrity.verify.claim import Claim
from integrity.verify.job import Job
from integrity.wiring import Access

EPILOG = """
\b
Examples:
  integrity verify
      Every trail of the account, the last 24 hours.
  integrity verify --trail-arn main --start-time 2026-03-01 --end-time 2026-03-07
      One trail, seven whole days in UTC.
  integrity verify --last 6h --quiet
      For cron: prints nothing as long as everything is valid.
  integrity verify --last 7d --format json --output record.json --report report.html
      The record, which all other forms only repeat, and a page for an auditor.
  integrity verify --trail-arn ARN --s3-bucket B
      A trail that was deleted, as long as its bucket is there.
  integrity verify --copy DIR --original s3://B --keys keys.json
      A copy of bucket B on this machine, all that it holds, without AWS.

\b
Exit status:
    0  valid: every file expected is there, signed, linked and unchanged
    1  invalid: files were changed, removed or forged
    2  usage or configuration error, no credentials, unknown trail; nothing was checked
    3  undetermined: could not tell, or nothing was found
   70  a fault of the program itself
  130  interrupted; what was judged so far is written
Of several trails, the worst counts.
"""

trail_options = together(
    click.option(
        "--trail-arn",
        metavar="ARN|NAME",
        type=Parsed("trail", grammar.parse_trail),
        help="The trail.  [default: every trail of the account]",
    ),
    click.option(
        "--s3-bucket",
        metavar="B",
        type=Parsed("bucket", grammar.parse_bucket),
        help="Where its files lie, if not where AWS says: an old bucket, a trail that was deleted.",
    ),
    click.option(
        "--s3-prefix", metavar="P", help="What stands before AWSLogs/ in that bucket (org/logs)."
    ),
    click.option(
        "--organization-id",
        metavar="O",
        type=Parsed("organization", grammar.parse_organization),
        help="What stands behind AWSLogs/ in the bucket of an organization trail.",
    ),
    click.option(
        "--expected-bucket-owner",
        metavar="A",
        type=Parsed("account", grammar.parse_account),
        help="Refuse buckets that do not belong to this account.",
    ),
)

scope_options = together(
    click.option(
        "--account-id",
        "account_ids",
        metavar="A",
        multiple=True,
        type=Parsed("account", grammar.parse_account),
        help="Verify the files of this account only; repeatable.  [default: all]",
    ),
    click.option(
        "--source-region",
        "source_regions",
        metavar="R",
        multiple=True,
        type=Parsed("region", grammar.parse_region),
        help="Verify the files of this region only; repeatable.  [default: all]",
    ),
    click.option(
        "--ignore",
        "ignored",
        metavar="ACCOUNT[/REGION]",
        multiple=True,
        type=Parsed("chain", grammar.parse_ignored),
        help="Expect no more files of an account, or of one region of it; repeatable.",
    ),
)

offline_options = together(
    click.option(
        "--copy",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Verify a copy in this folder (aws s3 sync) without AWS; needs --original and --keys.",
    ),
    click.option(
        "--original",
        metavar="s3://B/P",
        type=Parsed("place", grammar.parse_original),
        help="What was copied, or replicated to --s3-bucket: the place that the files were signed "
        "for.",
    ),
    click.option(
        "--bundle",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Verify what integrity bundle wrote, without AWS.",
    ),
)

judgement_options = together(
    click.option(
        "--grace",
        metavar="SPAN",
        default="1h",
        show_default=True,
        type=Parsed("span", grammar.parse_span),
        help="How late the newest digest file may be.",
    ),
    click.option(
        "--redelivery-grace",
        metavar="SPAN",
        default="24h",
        show_default=True,
        type=Parsed("span", grammar.parse_span),
        help="How long a digest file that is not there may still come.",
    ),
    click.option(
        "--allow-gaps",
        is_flag=True,
        help="Status 0 where nothing but gaps was found in which no log file was delivered.",
    ),
    click.option(
        "--no-unreferenced",
        "unreferenced",
        flag_value=False,
        default=True,
        help="Do not look for log files that no digest file names; saves listing them.",
    ),
    click.option(
        "--no-logs",
        "log_files",
        flag_value=False,
        default=True,
        help="Verify digest files only; log files are not read, and count as undetermined.",
    ),
    click.option(
        "--keys",
        "keys_file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
        help="Public keys for regions that this account has not enabled (see integrity keys).",
    ),
    click.option("--keys-profile", metavar="P", help="The same, asked for with another profile."),
)

report_options = together(
    click.option(
        "--format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Text for people, or the record, one line of JSON a trail.",
    ),
    click.option(
        "--output",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Write to this file, at one stroke.  [default: standard output]",
    ),
    click.option(
        "--report",
        metavar="FILE.html",
        type=click.Path(path_type=Path),
        help="Write a page for auditors too (see integrity report).",
    ),
    click.option(
        "--time-zone",
        metavar="Z",
        default="UTC",
        show_default=True,
        type=Parsed("zone", parse_zone),
        help="Show times in this zone (Europe/Berlin); what is typed stays UTC.",
    ),
    click.option(
        "--verbose", is_flag=True, help="Show each valid file too, and leave nothing out."
    ),
    click.option("--quiet", is_flag=True, help="Print nothing at all when everything is valid."),
)

access_options = together(
    click.option(
        "--concurrency",
        metavar="N",
        default=Job.__dataclass_fields__["concurrency"].default,
        show_default=True,
        type=click.IntRange(1, 1024),
        help="How many objects are read at a time.",
    ),
    profile_option,
    region_option,
)


@click.command(epilog=EPILOG, short_help="Verify trails: digest chains, signatures, log files.")
@trail_options
@window_options
@scope_options
@offline_options
@judgement_options
@report_options
@access_options
@click.pass_context
def verify(context: click.Context, /, **typed: Any) -> int:
    """Verify that the log files of a trail are what CloudTrail delivered.

    Reads the digest files of a time, checks their signatures, places and links against CloudTrail's
    public keys, and every log file they name against its signed hash. It writes nothing to AWS.
    """
    options = read_options(typed, read_clock())
    wiring = wiring_of(context)
    return verify_trails(options, lambda now: connect(options, wiring, now=now), read_clock)


def read_options(typed: dict[str, Any], now: datetime) -> Options:
    """What was typed, as one value. Raises UsageError where options contradict each other."""
    _refuse_contradictions(typed)
    offline = read_offline(typed)
    prefix = _prefix(typed["s3_prefix"], quiet=typed["quiet"])
    original, replica = replica_of(typed, prefix)
    is_timed = any(typed[name] is not None for name in ("start_time", "end_time", "last"))
    return Options(
        offline=offline,
        log_files=typed["log_files"],
        access=Access(
            profile=typed["profile"],
            region=typed["region"],
            expected_bucket_owner=typed["expected_bucket_owner"],
            keys_file=typed["keys_file"],
            keys_profile=typed["keys_profile"],
            concurrency=typed["concurrency"],
            original=original,
            replica=replica,
        ),
        claim=Claim(
            name=typed["trail_arn"],
            bucket=original[0] if original else typed["s3_bucket"],
            prefix=original[1].removesuffix("/") if original else prefix,
            organization_id=typed["organization_id"],
        ),
        window=asked_window(
            start=typed["start_time"], end=typed["end_time"], last=typed["last"], now=now
        )
        if offline is None or is_timed
        else None,
        account_ids=_unique(typed["account_ids"]),
        source_regions=_unique(typed["source_regions"]),
        ignored=_unique(typed["ignored"]) or (),
        grace=typed["grace"],
        redelivery_grace=typed["redelivery_grace"],
        unreferenced=typed["unreferenced"],
        allow_gaps=typed["allow_gaps"],
        json=typed["format"] == "json",
        output=typed["output"],
        report=typed["report"],
        zone=typed["time_zone"],
        verbose=typed["verbose"],
        quiet=typed["quiet"],
    )


def _refuse_contradictions(typed: dict[str, Any]) -> None:
    if typed["verbose"] and typed["quiet"]:
        raise UsageError("--verbose and --quiet contradict each other: leave one of them out")
    if typed["report"] is not None and typed["report"] == typed["output"]:
        raise UsageError("--report and --output name the same file: choose another for one of them")
    if typed["keys_file"] and typed["keys_profile"]:
        raise UsageError(
            "--keys and --keys-profile both say where public keys come from: leave one of them out"
        )
    if typed["trail_arn"] is None:
        for option in ("s3_bucket", "s3_prefix", "organization_id"):
            if typed[option] is not None:
                raise UsageError(
                    f"--{option.replace('_', '-')} needs to know whose files lie there: add "
                    "--trail-arn (integrity trails lists them)"
                )


def _prefix(typed: str | None, *, quiet: bool) -> str | None:
    if typed is None:
        return None
    prefix = grammar.parse_prefix(typed)
    if prefix != typed and not quiet:
        click.echo(f"--s3-prefix {prefix}: the slash at its end was taken off", err=True)
    return prefix


def _unique(values: tuple[str, ...]) -> tuple[str, ...] | None:
    """What narrows the run, each once, or None where nothing does."""
    return tuple(dict.fromkeys(values)) or None
