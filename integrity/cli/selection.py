"""The options that say which trail is meant, what of it, how it is judged and how it is shown."""

from __future__ import annotations

from pathlib import Path

import click

from integrity import grammar
from integrity.cli.options import Parsed, profile_option, region_option, together
from integrity.cli.times import parse_zone
from integrity.verify.job import CONCURRENCY

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
        "--rules",
        metavar="FILE",
        help="Show the events of verified log files that these rules match (see integrity rules).",
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
        default=CONCURRENCY,
        show_default=True,
        type=click.IntRange(1, 1024),
        help="How many objects a process reads at a time.",
    ),
    profile_option,
    region_option,
)
