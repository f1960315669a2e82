"""`python -m bench [CASE ...]`: each case alone or all of them; `--write` for the page."""

from __future__ import annotations

import argparse
import signal
import sys

from bench.cases import CASES
from bench.page import write_page
from bench.results import Results
from bench.table import render_case


def main() -> None:
    """Measure what was asked for, and print it as it comes."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="integrity beside the AWS CLI, on this machine."
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--runs", type=int, default=3, help="rounds of each case (default: 3)")
    parser.add_argument(
        "--write", action="store_true", help="keep the figures, and make docs/performance.md"
    )
    typed = parser.parse_args()
    unknown = [name for name in typed.cases if name not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    # So that what was started is ended, whoever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    results = Results.read()
    for name in typed.cases or CASES:
        measured = CASES[name](typed.runs)
        print(render_case(measured), flush=True)
        if typed.write:
            results = results.add(measured, CASES)
            results.write()
            write_page(results)


# The processes that serve worlds import this module again, under another name.
if __name__ == "__main__":
    main()
