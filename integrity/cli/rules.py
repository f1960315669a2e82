"""`integrity rules`: whether a rules file can be used, and what would fire. Tells nobody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrity.chain.terminal import escape
from integrity.cli.options import shape_option, verbose_option
from integrity.cli.output import open_output
from integrity.record import ExitStatus

if TYPE_CHECKING:
    from integrity.events.search import Wanted

EPILOG = """
\b
Examples:
  integrity rules check rules.toml
  integrity rules test rules.toml --events sample.json
  integrity verify --last 24h --rules rules.toml
      What they find in log files that CloudTrail signed.

\b
Exit status:
    0  the rules can be used
    2  they cannot: every mistake is printed; or there are no events in the sample
    3  S3 would not give them
   70  a fault of the program itself
"""


@click.group(epilog=EPILOG, short_help="Check rules over events, and try them on a sample.")
def rules() -> None:
    """Check rules over events, and try them on a sample.

    A rules file is TOML: [[rule]] tables with a jq program each, and the [[destination]] tables
    that are told. Files of cloudtrail-tattletail are taken as they are.
    """


@rules.command(short_help="Tell every mistake, or what would be looked for.")
@click.argument("file", required=False)
@verbose_option
def check(file: str | None, **_: bool) -> int:
    """Read FILE (or s3://BUCKET/KEY) and tell every mistake in it, or what would be looked for.

    Without FILE it is found where the service finds it. Nothing is sent, and whether topics and
    buckets exist is not asked.
    """
    from integrity.cli.matches import warn
    from integrity.wiring.rules import load_rules

    found = load_rules(os.environ, file)
    for warning in found.warnings:
        warn(warning)
    lines = [f"The rules can be used ({found.place})."]
    for rule in found.rules:
        told = ", ".join(rule.destinations) or "nobody"
        lines.append(f"Rule       {rule.name}: tells {told}; looks at {_looks_at(rule.wanted)}")
    with open_output(None) as output:
        output.write("".join(f"{escape(line)}\n" for line in lines))
    return ExitStatus.VALID


@rules.command(short_help="Show what would fire on sample events.")
@click.argument("file")
@click.option(
    "--events",
    metavar="SAMPLE",
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A CloudTrail log file, plain or .gz, or a file with an event on each line.",
)
@shape_option("Text for people, or one line of JSON a match.")
@verbose_option
def test(file: str, events: Path, shape: str, **_: bool) -> int:
    """Ask the rules of FILE about the events of SAMPLE, and show what would be told.

    Nothing is sent. A sample proves nothing: its events are shown as not yet proven.
    """
    from integrity.cli.matches import encode_matches, match_events, render_matches
    from integrity.rules.samples import read_sample
    from integrity.wiring.rules import load_rules

    rulebook = load_rules(os.environ, file)
    sample = read_sample(events.read_bytes(), str(events))
    found = match_events(rulebook, sample)
    with open_output(None) as output:
        if shape == "json":
            output.write(b"".join(encode_matches(found)))
        else:
            output.write("".join(f"{line}\n" for line in render_matches(found)))
            said = f"{len(sample)} events, {len(found)} matches of {len(rulebook.rules)} rules"
            output.write(f"{said}\n")
    return ExitStatus.VALID


def _looks_at(wanted: Wanted) -> str:
    """The prefilter in words: what it leaves costs a hundred times what it drops."""
    if wanted.is_everything:
        return "every event (declare event_names or event_sources, where it can)"
    kinds = (("named", wanted.names), ("of", wanted.sources), ("with the text", wanted.words))
    said = (f"{kind} {' or '.join(texts)}" for kind, texts in kinds if texts)
    return f"events {', '.join(said)}"
