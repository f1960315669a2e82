"""Bars, as SVG: each figure as far as it goes towards what it must be, and beyond."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from bench.measured import Figure, Measured
from bench.table import number, shown

_WIDTH, _ROW, _LABEL, _RIGHT = 860, 30, 330, 150
_SPAN = _WIDTH - _LABEL - _RIGHT
_MOST = 2.0
_COLOURS = {True: "#2f7d4f", False: "#b5482f"}


def render_bars(cases: Sequence[Measured]) -> str:
    """How much better than it must be (right of the line), or worse, each figure is."""
    rows = [(case, figure) for case in cases for figure in case.figures]
    height = _ROW * (len(rows) + 2)
    middle = _LABEL + _SPAN / 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="12" role="img">',
        "<title>Each figure beside what it must be</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{middle:.0f}" y="18" text-anchor="middle" fill="#333">what it must be</text>',
        f'<text x="{_LABEL}" y="18" fill="#777">4 times worse</text>',
        f'<text x="{_LABEL + _SPAN}" y="18" text-anchor="end" fill="#777">4 times better</text>',
    ]
    for place, (case, figure) in enumerate(rows, start=1):
        lines += _row(_ROW * place, case, figure)
    lines.append(
        f'<line x1="{middle:.0f}" x2="{middle:.0f}" y1="24" y2="{height - _ROW / 2:.0f}" '
        'stroke="#333"/>'
    )
    return "\n".join([*lines, "</svg>", ""])


def _row(top: int, case: Measured, figure: Figure) -> list[str]:
    middle = _LABEL + _SPAN / 2
    end = middle + _SPAN / 2 * _better(figure) / _MOST
    left, right = min(middle, end), max(middle, end)
    text = top + 19
    return [
        f'<text x="{_LABEL - 8}" y="{text}" text-anchor="end" fill="#333">'
        f"{escape(case.case)}: {escape(figure.what)}</text>",
        f'<rect x="{left:.1f}" y="{top + 6}" width="{max(1.0, right - left):.1f}" height="18" '
        f'fill="{_COLOURS[figure.holds]}"><title>{escape(shown(figure))}</title></rect>',
        f'<text x="{_LABEL + _SPAN + 8}" y="{text}" fill="#333">'
        f"{number(figure.value.median)}{figure.unit}, must {number(figure.must)}{figure.unit}"
        "</text>",
    ]


def _better(figure: Figure) -> float:
    """Doublings beyond the bound, as far as the plot goes."""
    ratio = max(figure.value.median, 1e-3) / figure.must
    return max(-_MOST, min(_MOST, math.log2(1 / ratio if figure.less else ratio)))
