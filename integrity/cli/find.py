"""`integrity find`: was this one file delivered by CloudTrail, and who says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from integrity import grammar
from integrity.chain.findings import Outcome
from integrity.chain.model import S3Location
from integrity.chain.names import LogName, parse_digest, parse_log
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.cli.options import Parsed, profile_option, region_option, verbose_option
from integrity.cli.output import open_output
from integrity.cli.ports import wiring_of
from integrity.cli.times import read_clock
from integrity.errors import UsageError
from integrity.record import ExitStatus
from integrity.wiring import Access

if TYPE_CHECKING:
    from integrity.verify.voucher import Neighbour, Vouched, Voucher

_MOST = 20
_STATUS = {
    Outcome.VALID: ExitStatus.VALID,
    Outcome.UNDETERMINED: ExitStatus.UNDETERMINED,
    Outcome.INVALID: ExitStatus.INVALID,
}

EPILOG = """
\b
Examples:
  integrity find s3://audit-logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/NAME.json.gz
  integrity find s3://audit-logs/AWSLogs/ORGANIZATION/.../NAME.json.gz --trail-arn ARN
      Of an organization's trail: whose account it is.

\b
Exit status:
    0  delivered: its content is what an authentic digest file signs
    1  its content, or that it is gone, contradicts what CloudTrail signed
    2  usage error, or not the name of a log file; nothing was asked
    3  nobody vouches for it, or could not tell
   70  a fault of the program itself
"""


@click.command(epilog=EPILOG, short_help="Was one log file delivered by CloudTrail?")
@click.argument("uri", metavar="s3://BUCKET/KEY")
@click.option(
    "--trail-arn",
    metavar="ARN",
    help="The trail whose digest files are asked.  [default: every trail's that lie there]",
)
@click.option(
    "--expected-bucket-owner",
    metavar="A",
    type=Parsed("account", grammar.parse_account),
    help="Refuse buckets that do not belong to this account.",
)
@click.option(
    "--keys",
    "keys_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="Public keys for regions that this account has not enabled (see integrity keys).",
)
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or one JSON document.",
)
@profile_option
@region_option
@verbose_option
@click.pass_context
def find(context: click.Context, /, uri: str, **typed: Any) -> int:
    """Say who vouches for one log file, or why nobody does.

    Reads the digest files that could name it, checks their signatures, places and links, and holds
    the file's content against the signed hash. Nothing of the rest of the trail is judged.
    """
    location, name = _read_uri(uri)
    now = read_clock()
    access = Access(
        profile=typed["profile"],
        region=typed["region"],
        expected_bucket_owner=typed["expected_bucket_owner"],
        keys_file=typed["keys_file"],
    )
    connection = wiring_of(context).connect(access, now=now)
    vouched = connection.find_log(location, name, typed["trail_arn"], now)
    with open_output(None) as output:
        if typed["format"] == "json":
            output.write(msgspec.json.encode(vouched) + b"\n")
        else:
            output.write("".join(f"{escape(line)}\n" for line in _lines(vouched)))
    return _STATUS[vouched.outcome]


def _read_uri(uri: str) -> tuple[S3Location, LogName]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise UsageError(f"{uri!r} names no object: expected s3://BUCKET/KEY")
    location = S3Location(bucket, key)
    name = parse_log(location)
    if name is not None:
        return location, name
    if parse_digest(location) is not None:
        raise UsageError("that is a digest file: integrity verify checks it, over its hour")
    raise UsageError(
        f"{uri!r} is not named like a log file of CloudTrail: expected "
        ".../AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/"
        "ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_....json.gz, with one account, region and day in "
        "folder and name"
    )


def _lines(vouched: Vouched) -> Iterator[str]:
    yield f"{vouched.s3_uri}  {vouched.word.value.upper()}"
    yield f"  {vouched.detail}"
    if vouched.last_modified is not None:
        yield f"  written    {format_instant(vouched.last_modified)}"
    for voucher in vouched.vouchers:
        yield from _voucher(voucher)
    if not vouched.vouchers:
        yield f"  digest files read and found authentic: {vouched.digests_read}"
        for finding in vouched.findings[:_MOST]:
            yield f"  {finding.reason.value}: {finding.message}"


def _voucher(voucher: Voucher) -> Iterator[str]:
    window = voucher.window
    yield f"  named by   {voucher.s3_uri}"
    yield (
        f"             of trail {voucher.trail_name} ({voucher.home_region}), "
        f"{voucher.kind.value}, {format_instant(window.start)} to {format_instant(window.end)}"
    )
    yield f"             SHA-256 {voucher.sha256}"
    yield (
        f"  signed by  key {voucher.fingerprint} ({voucher.key_origin}); the signature is stated "
        f"by the {voucher.witness}"
    )
    yield f"  log file   SHA-256 {voucher.log_sha256} of its content, as signed"
    yield f"  before it  {_neighbour(voucher.previous, 'nothing: the chain begins with it')}"
    yield f"  after it   {_neighbour(voucher.following, 'no digest file that was read')}"


def _neighbour(neighbour: Neighbour | None, none: str) -> str:
    if neighbour is None:
        return none
    link = "linked" if neighbour.is_linked else "the link is not proven"
    return f"{neighbour.s3_uri} ({neighbour.standing.value}, {link})"
