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
"""

_WHY = """\
## Where the time goes

Of a 240 KB log file, in CPU time on the machine above while it was quiet (perf, one thread): 0.16
ms inflate and 0.16 ms hash; 0.27 ms are the GET, half of it in the kernel, where a request goes
to the HTTP client's own thread and its answer back; 0.17 ms are Python, and the rest is memory. A
bare loop that does nothing but GET, inflate and hash takes 0.64 ms in one thread, 0.51 in four,
0.67 in 128 and 0.69 in 128 at 30 ms a request, there 2,200 files a second. With listing, judging
and counting it is 0.76 in four threads and 0.95 in 128. Between few threads and many lies the
interpreter's lock: 33 changes of thread for a file in place of 6, and a sixth of both processors
idle meanwhile.

So 95 times the AWS CLI's speed at 30 ms a request, some 2,700 files a second, is more than the
bare loop reaches here; a quarter of its CPU time, 0.6 ms, leaves a tenth of one for all else.
Four threads would be faster where answers come at once, but at 30 ms they read 130 files a
second. What was tried and brought a twentieth or nothing: as many hashing at a time as there are
processors, a place held for many files, processes beside each other, larger windows, other heaps,
no garbage collection. What would help is a client that answers in the thread that asks, or an
interpreter without that lock.
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
    return "\n".join([*lines, "", _WHY])


def _section(case: Measured) -> list[str]:
    lines = [f"## {case.case}", "", f"{case.title[:1].upper()}{case.title[1:]}."]
    if case.details:
        lines += ["", "| | |", "|---|---:|"]
        lines += [f"| {what} | {number(value)} |" for what, value in case.details.items()]
    return lines
