"""`integrity config`: whether a configuration can be used, and what it would do. Runs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from integrity.chain.terminal import escape
from integrity.cli.options import verbose_option
from integrity.cli.output import open_output
from integrity.record import ExitStatus

if TYPE_CHECKING:
    from integrity.config.model import Config, TrailTable

EPILOG = """
\b
Examples:
  integrity config check integrity.toml
  INTEGRITY_CONFIG=s3://settings/integrity.toml integrity config check
  integrity config reference

\b
Exit status:
    0  the configuration can be used
    2  it cannot: every mistake is printed
    3  S3 would not give it
   70  a fault of the program itself
"""


@click.group(epilog=EPILOG, short_help="Check a configuration of the service.")
def config() -> None:
    """Check a configuration of the service, or list what can be configured.

    It is TOML, in a file or an object that INTEGRITY_CONFIG names, or in INTEGRITY_CONFIG_TOML
    itself; each key has an environment variable, too, which counts more.
    """


@config.command(short_help="Tell every mistake, or what would be done.")
@click.argument("file", required=False)
@verbose_option
def check(file: str | None, **_: bool) -> int:
    """Read FILE (or s3://BUCKET/KEY) and tell every mistake in it, or what would be done.

    Without FILE the environment says where the configuration is. Nothing but that text is read:
    whether the roles, topics and buckets exist is not asked.
    """
    from integrity.wiring.configuration import load_config

    found = load_config(os.environ, file)
    with open_output(None) as output:
        output.write("".join(f"{escape(line)}\n" for line in render_summary(found)))
    return ExitStatus.VALID


@config.command(short_help="List every key with its variable, default and meaning.")
@verbose_option
def reference(**_: bool) -> int:
    """List every key with its variable, its default and its meaning, as Markdown."""
    from integrity.wiring.configuration import load_reference

    with open_output(None) as output:
        output.write(load_reference())
    return ExitStatus.VALID


def render_summary(found: Config) -> Iterator[str]:
    """What would be done, and who would hear of it. Secrets are not in it."""
    from integrity.config.keys import format_span
    from integrity.wiring.destinations import name_destinations

    yield f"The configuration can be used (sha256 {found.sha256})."
    for trail in found.trails:
        yield from _trail(trail)
    service, state, records = found.service, found.state, found.records
    yield f"Ticks      {service.schedule} (UTC), each up to {format_span(service.jitter)} later"
    yield f"State      {state.place}"
    yield f"Records    {records.place}"
    metrics = found.metrics
    yield f"Metrics    {f'CloudWatch, {metrics.namespace}' if metrics.enabled else 'none'}"
    for audience, names in name_destinations(found).items():
        told = ", ".join(names) or 'nobody (notify = "none")'
        yield f"{audience.value.capitalize():<10} {told}"


def _trail(trail: TrailTable) -> Iterator[str]:
    yield f"Trail      {trail.trail_arn}"
    if trail.s3_bucket:
        yield f"  files    s3://{trail.s3_bucket}/{trail.s3_prefix or ''}"
    yield f"  as       {trail.role_arn or 'the service itself'}"
    yield f"  bucket   {trail.bucket_role_arn or trail.role_arn or 'the service itself'}"
    for name, values in (
        ("accounts", trail.account_ids),
        ("regions", trail.source_regions),
        ("ignored", trail.ignore),
    ):
        if values:
            yield f"  {name:<8} {', '.join(values)}"
