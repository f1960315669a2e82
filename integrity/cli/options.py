"""Options that several commands share, and how click reads the kinds of values that they take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from integrity.cli.times import parse_end, parse_start
from integrity.errors import UsageError
from integrity.grammar import parse_region, parse_span

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Parsed(click.ParamType[Any]):
    """A value that one of our parsers reads; its UsageError becomes click's, naming the option."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """What the parser makes of the text."""
        try:
            return self._parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


def together(*decorators: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Several options as one decorator, shown in the order in which they are given."""

    def decorate(function: Decorated) -> Decorated:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


window_options = together(
    click.option(
        "--start-time",
        metavar="T",
        type=Parsed("time", parse_start),
        help="Where to start: ISO 8601, UTC unless it has an offset (2026-03-01 or "
        "2026-03-01T05:00:00+02:00).",
    ),
    click.option(
        "--end-time",
        metavar="T",
        type=Parsed("time", parse_end),
        help="Where to end; a bare date is the end of that day. May lie in the future.  "
        "[default: now]",
    ),
    click.option(
        "--last",
        metavar="SPAN",
        type=Parsed("span", parse_span),
        help="Instead of --start-time: so long before the end (90m, 24h, 7d, 2w).  [default: 24h]",
    ),
)

profile_option = click.option(
    "--profile", metavar="P", help="Profile of the AWS configuration, as for the AWS CLI."
)

region_option = click.option(
    "--region",
    metavar="R",
    type=Parsed("region", parse_region),
    help="Where to look trails up, as for the AWS CLI; it does not narrow what is verified.",
)


def shape_option(help_: str) -> Callable[[Decorated], Decorated]:
    """`--format`, as `shape`: for people, or for programs."""
    return click.option(
        "--format",
        "shape",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help=help_,
    )


verbose_option = click.option(
    "--verbose", is_flag=True, help="Should the program itself fail, show where."
)
