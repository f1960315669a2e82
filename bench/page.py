"""`docs/performance.md` and the table in the README, made of what was measured, without a hand."""

from __future__ import annotations

from bench.measured import Measured
from bench.plots import render_bars
from bench.results import DOCS, Results
from bench.table import bound, number, shown

_HEAD = """\
# Performance

`make bench` measures what stands here and writes this page, `performance.json` and the plot;
`python -m bench CASE` measures one row. It needs nginx with its Lua module (`apt-get install
nginx-light libnginx-mod-http-lua`) and says so where it is missing.

The AWS CLI (`aws cloudtrail validate-logs`) and `integrity verify` read the same bucket of a lab
world in turn, as whole processes with their start-up, and both have to find everything valid. nginx
serves the objects on the same machine and takes its share of the same processors. 30 ms is waited
before each answer: the time to the first byte, without slow starts of connections. A ratio is the
median of the ratios of runs that followed each other, with the least and the most. Inflating and
hashing the same files in memory, with nothing else, is the floor. Load is what else the machine had
to do: wall-clock ratios of a busy machine say little. Nothing here was measured against real S3.

[Where the time goes](where-the-time-goes.md) was looked at by hand, on one machine and once.
"""

_README = DOCS.parent / "README.md"
_IN_README = ("large", "large-far", "small-far", "chains")
_BEGIN, _END = "<!-- made by make bench: begin -->", "<!-- made by make bench: end -->"


def write_page(results: Results) -> None:
    """The page, its plot, and the README's table, as files."""
    (DOCS / "performance.svg").write_text(render_bars(results.cases))
    (DOCS / "performance.md").write_text(render_page(results))
    before, _, rest = _README.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    _README.write_text(f"{before}{_BEGIN}\n{render_short(results)}{_END}{after}")


def render_short(results: Results) -> str:
    """The README's table: the first figure of the cases that tell most."""
    rows = [
        f"| {case.title} | {case.figures[0].what} | {shown(case.figures[0])} | {case.load:.0f} |\n"
        for case in results.cases
        if case.case in _IN_README
    ]
    return "".join(["| | | measured | load of the machine |\n|---|---|---:|---:|\n", *rows])


def render_page(results: Results) -> str:
    """The page's text."""
    machine = results.machine
    lines = [
        _HEAD,
        f"Measured on {machine.processors} processors, {machine.system}, Python {machine.python}.",
        "",
        "![Each figure beside what it must be](performance.svg)",
        "",
        "| case | figure | measured | must be | holds | runs | load |",
        "|---|---|---:|---|---|---:|---:|",
    ]
    lines += [
        f"| [{case.case}](#{case.case}) | {figure.what} | {shown(figure)} | {bound(figure)} "
        f"| {'yes' if figure.holds else '**no**'} | {case.runs} | {case.load:.1f} |"
        for case in results.cases
        for figure in case.figures
    ]
    for case in results.cases:
        lines += ["", *_section(case)]
    return "\n".join([*lines, ""])


def _section(case: Measured) -> list[str]:
    lines = [f"## {case.case}", "", f"{case.title[:1].upper()}{case.title[1:]}."]
    if case.details:
        lines += ["", "| | |", "|---|---:|"]
        lines += [f"| {what} | {number(value)} |" for what, value in case.details.items()]
    return lines
