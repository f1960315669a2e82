"""Figures as lines of text: for whoever watches a run, and for the page."""

from __future__ import annotations

from bench.measured import Figure, Measured


def render_case(measured: Measured) -> str:
    """A case as it is printed once it was measured."""
    lines = [f"{measured.case}: {measured.title}; {measured.runs} runs, load {measured.load:.1f}"]
    for figure in measured.figures:
        kept = "holds" if figure.holds else "MISSES"
        lines.append(f"  {kept:6} {figure.what}: {shown(figure)}, must be {bound(figure)}")
    lines += [f"         {what}: {number(value)}" for what, value in measured.details.items()]
    return "\n".join(lines)


def shown(figure: Figure) -> str:
    """`9.1x (8.4 to 9.9)`."""
    value = figure.value
    low, high = number(value.low), number(value.high)
    return f"{number(value.median)}{figure.unit} ({low} to {high})"


def bound(figure: Figure) -> str:
    """`at least 8x, aimed at 11x`."""
    kept = "at most" if figure.less else "at least"
    must, aimed = number(figure.must), number(figure.aimed)
    return f"{kept} {must}{figure.unit}, aimed at {aimed}{figure.unit}"


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
