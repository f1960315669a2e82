"""`integrity verify`: what can be asked for. Running it is `verification`."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from integrity import grammar
from integrity.cli.offline import read_offline, replica_of
from integrity.cli.options import window_options
from integrity.cli.ports import wiring_of
from integrity.cli.selection import (
    access_options,
    judgement_options,
    offline_options,
    report_options,
    scope_options,
    trail_options,
)
from integrity.cli.signed import refuse_unsigned, sign_option
from integrity.cli.times import asked_window, read_clock
from integrity.cli.verification import Options, connect, verify_trails
from integrity.errors import UsageError
from integrity.verify.claim import Claim
from integrity.wiring import Access

if TYPE_CHECKING:
    from integrity.wiring.rules import Rulebook

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
  integrity verify --trail-arn main --start-time 2020-01-01 --end-time 2025-12-31 \
      --resume six-years.part --format json --output record.json
      Six years. Interrupted, the same again goes on.
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


@click.command(epilog=EPILOG, short_help="Verify trails: digest chains, signatures, log files.")
@trail_options
@window_options
@scope_options
@offline_options
@judgement_options
@report_options
@sign_option
@click.option(
    "--plan",
    is_flag=True,
    help="Read nothing; list, and say how many files, bytes and requests it will take.",
)
@click.option(
    "--resume",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep what was verified in this file until all is done: after an interruption the same "
    "command goes on.",
)
@access_options
@click.pass_context
def verify(context: click.Context, /, **typed: Any) -> int:
    """Verify that the log files of a trail are what CloudTrail delivered.

    Reads the digest files of a time, checks their signatures, places and links against CloudTrail's
    public keys, and every log file they name against its signed hash. It writes nothing to AWS.
    """
    options = read_options(typed, read_clock())
    wiring = wiring_of(context)
    if typed["plan"]:
        from integrity.cli.planned import plan_trails

        return plan_trails(options, lambda now: wiring.connect(options.access, now=now), read_clock)
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
        sign=typed["sign"],
        resume=typed.get("resume"),
        is_fixed=typed["start_time"] is not None and typed["end_time"] is not None,
        rulebook=_read_rules(typed["rules"]),
    )


def _read_rules(file: str | None) -> Rulebook | None:
    if file is None:
        return None
    from integrity.wiring.rules import load_rules

    return load_rules(os.environ, file)


def _refuse_contradictions(typed: dict[str, Any]) -> None:
    if typed["verbose"] and typed["quiet"]:
        raise UsageError("--verbose and --quiet contradict each other: leave one of them out")
    for name in ("report", "sign", "resume", "copy", "bundle", "verbose", "quiet"):
        if typed.get("plan") and typed.get(name):
            raise UsageError(f"--plan reads nothing and lists in S3 alone: leave --{name} out")
    if "plan" in typed:  # of a bundle it is the manifest that is signed
        refuse_unsigned(typed["output"], typed["sign"], typed["format"])
    files = [typed[name] for name in ("output", "report", "resume") if typed.get(name) is not None]
    if len(set(files)) < len(files):
        raise UsageError(
            "--output, --report and --resume are different files: choose another for one of them"
        )
    if typed.get("resume") is not None and typed["verbose"] and typed["format"] == "text":
        raise UsageError(
            "--verbose names each valid file, and what was verified before an interruption is not "
            "named again: leave --verbose or --resume out"
        )
    if typed.get("rules") is not None and not typed["log_files"]:
        raise UsageError("--rules asks about events, and --no-logs leaves them out: choose one")
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
