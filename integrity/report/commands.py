"""The commands that check a record again, as they are typed, made from the record alone.

Every part that comes out of the record is bounded, printable and quoted for a shell, so that a
record that somebody made up cannot hide a command of its own in one of these.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from integrity.chain.findings import Reason
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.record import KeyRecord, Run

_MOST_PART = 1200
_MOST_PARTS = 500


def verify_again(run: Run) -> str:
    """`integrity verify` with what was asked for."""
    asked = run.requested
    accounts, regions = asked.account_ids or (), asked.source_regions or ()
    lines = [
        f"integrity verify --trail-arn {_part(run.trail_arn)}",
        f"--start-time {format_instant(asked.start)} --end-time {format_instant(asked.end)}",
    ]
    lines += [f"--account-id {_part(account)}" for account in accounts[:_MOST_PARTS]]
    lines += [f"--source-region {_part(region)}" for region in regions[:_MOST_PARTS]]
    lines += [f"--ignore {_part(ignored)}" for ignored in asked.ignored[:_MOST_PARTS]]
    lines += ["--no-unreferenced"] * (not asked.unreferenced)
    lines += ["--allow-gaps"] * asked.allow_gaps
    lines.append("--format json --output again.json")
    return " \\\n    ".join(lines)


def hash_record(line: int | None, *, laid_out: bool) -> str:
    """The SHA-256 of the record's bytes, without the end of its line."""
    if laid_out:
        return "sha256sum record.json"
    if line is None:
        return "tr -d '\\n' < record.json | sha256sum"
    return f"sed -n '{line}p' record.json | tr -d '\\n' | sha256sum"


def ask_for_key(key: KeyRecord) -> str:
    """The same public key, asked of AWS by its own command, as the SHA-256 of its DER."""
    known = re.fullmatch("[0-9a-f]{1,64}", key.fingerprint)
    fingerprint = f"=='{key.fingerprint}'" if known else ""
    query = f"PublicKeyList[?Fingerprint{fingerprint}].Value"
    return (
        f"aws cloudtrail list-public-keys --region {_part(key.region)} \\\n"
        f"    --start-time {format_instant(key.not_before)} "
        f"--end-time {format_instant(key.not_after)} \\\n"
        f'    --query "{query}" --output text | base64 -d | sha256sum'
    )


def validate_logs(run: Run, region: str) -> str:
    """AWS's own verification of one region."""
    asked = run.requested
    return (
        f"aws cloudtrail validate-logs --trail-arn {_part(run.trail_arn)} \\\n"
        f"    --start-time {format_instant(asked.start)} "
        f"--end-time {format_instant(asked.end)} \\\n"
        f"    --region {_part(region)} --verbose"
    )


def hash_log(run: Run) -> Iterator[str]:
    """For the first log file whose content is not the signed one: its content's SHA-256 now."""
    for finding in run.findings:
        if finding.reason is Reason.LOG_HASH_MISMATCH and finding.s3_uri is not None:
            yield f"aws s3 cp {_part(finding.s3_uri)} - | gunzip -c | sha256sum"
            return


def _part(text: str) -> str:
    """One word of a command. What had to be cut or escaped is no longer what was there."""
    return shlex.quote(escape(text[:_MOST_PART]))
