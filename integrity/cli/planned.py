"""`integrity verify --plan`: what a verification will take, said before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from integrity.chain.terminal import escape
from integrity.cli.interrupt import interruptible
from integrity.cli.output import open_output
from integrity.cli.ports import Connection
from integrity.cli.progress import format_bytes
from integrity.cli.verification import Options
from integrity.record import ExitStatus, worst_status
from integrity.report.text import Style

if TYPE_CHECKING:
    from integrity.verify.forecast import Forecast

_HEAD = ("account", "region", "chains", "digest files", "log files", "stored")
_REQUESTS = ("requests", "made so far", "it will take")


def plan_trails(
    options: Options, connect: Callable[[datetime], Connection], clock: Callable[[], datetime]
) -> int:
    """List what each trail's verification would read, say it, and give the exit status."""
    statuses = []
    with open_output(options.output) as output:
        connection = connect(clock())
        trails = connection.open_trails(options.claim)
        with interruptible() as stopping:
            for meant in trails:
                forecast = connection.forecast(options.job(meant), clock(), stopping)
                statuses.append(_status(forecast))
                if options.json:
                    output.write(msgspec.json.encode(forecast) + b"\n")
                else:
                    style = Style(zone=options.zone)
                    output.write("".join(f"{line}\n" for line in _lines(forecast, style)))
                if stopping.is_set():
                    break
    return worst_status(statuses)


def _status(forecast: Forecast) -> int:
    if forecast.interrupted:
        return ExitStatus.INTERRUPTED
    return ExitStatus.UNDETERMINED if forecast.unlisted else ExitStatus.VALID


def _lines(forecast: Forecast, style: Style) -> Iterator[str]:
    window = forecast.window
    yield (
        f"To verify {escape(forecast.trail_arn)} between {style.clock(window.start)} and "
        f"{style.clock(window.end)}"
    )
    yield ""
    shares = forecast.shares
    rows = [
        (escape(one.account_id), escape(one.region), one.chains, one.digest_files, one.log_files)
        for one in shares
    ]
    stored = [one.stored_bytes for one in shares]
    sums = [sum(column) for column in zip(*(row[2:] for row in rows), strict=True)] or [0, 0, 0]
    table = [(*row, format_bytes(size)) for row, size in zip(rows, stored, strict=True)]
    yield from _table([_HEAD, *table, ("all", "", *sums, format_bytes(sum(stored)))], names=2)
    yield ""
    made, needed = forecast.made, forecast.needed
    kinds = [
        ("LIST", made.list_objects, needed.list_objects),
        ("GET", made.get_object, needed.get_object),
        ("ListPublicKeys", made.list_public_keys, needed.list_public_keys),
    ]
    yield from _table([_REQUESTS, *kinds], names=1)
    yield ""
    for detail in forecast.unlisted:
        yield f"not counted: {escape(detail)}"
    yield "No object was read. Log files that no digest names are counted too; what is missing or"
    yield "contradicts itself is asked for again, and takes a few requests more."


def _table(rows: Sequence[Sequence[str | int]], *, names: int) -> Iterator[str]:
    """The first columns are `names`, to the left; the others numbers, to the right."""
    cells = [[one if isinstance(one, str) else f"{one:,}" for one in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        yield "  ".join(
            cell.ljust(width) if column < names else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
