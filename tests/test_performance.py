"""The figures that are told are those that were kept: nobody wrote one by hand."""

from __future__ import annotations

from bench.page import render_page, render_short
from bench.plots import render_bars
from bench.results import DOCS, Results


def test_the_page_the_plot_and_the_readme_show_what_was_measured() -> None:
    results = Results.read()

    assert results.cases
    assert (DOCS / "performance.md").read_text(encoding="utf-8") == render_page(results)
    assert (DOCS / "performance.svg").read_text(encoding="utf-8") == render_bars(results.cases)
    assert render_short(results) in (DOCS.parent / "README.md").read_text(encoding="utf-8")
