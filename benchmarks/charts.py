"""Panels drawn: one alone for a page, or many on a sheet that is a file of its own.

A row has its engine's name, its bar, beneath it the thin bar of the first run, and both figures.
Text stays text. Colours stand in the SVG as on a light page; ``DARK`` is the style by which a page
or a file turns them where its reader prefers the dark. The engines' own colours stay.
"""

from __future__ import annotations

import html
import io
import math
import re
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmarks.engine_look import colour, label
from benchmarks.engine_run import REFERENCE
from benchmarks.panels import Bar, Panel, Row

INK, MUTED, GRID, LINE, PAPER = "#23262d", "#666b77", "#e7e4dd", "#8f8d86", "#fbfaf7"
_ON_DARK = {INK: "#e9e7e2", MUTED: "#9ba1ad", GRID: "#2a2e36", LINE: "#737985", PAPER: "#16181d"}

DARK = "\n".join(
    [
        "@media (prefers-color-scheme: dark) {",
        *(
            f'svg [style*="{kind}: {light}"] {{ {kind}: {dark} !important }}'
            for light, dark in _ON_DARK.items()
            for kind in ("fill", "stroke")
        ),
        "}",
    ]
)
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

WIDTH = 340
"""Of a panel in pixels: a phone shows it as it is."""
_NAMES, _FIGURES = 56, 46
_HEAD, _ROW, _SCALE = 17, 21, 20
"""Heights of the headings, of an engine's row and of the scale beneath."""
_BAR, _FIRST_BAR, _LEAST = 9.0, 3.5, 1.5
_LETTER = 6.1
"""Width of a caption's letter, in wide letters."""
_SHEET = {"gap": 32, "margin": 28, "head": 64, "title": 20, "below": 22, "line": 16}


def panel_svg(panel: Panel) -> str:
    """For a page, which has its title."""
    height = _HEAD + _ROW * len(panel.rows) + _SCALE
    figure, page = _paper(WIDTH, height)
    _draw(page, panel, 0, 0)
    return _svg(figure, panel.title)


def sheet_svg(title: str, caption: Sequence[str], panels: Sequence[Panel], columns: int) -> str:
    """All panels, with their titles, on a ground of its own."""
    columns = min(columns, len(panels))
    most = max(len(panel.rows) for panel in panels)
    step = _SHEET["title"] + _HEAD + _ROW * most + _SCALE + _SHEET["below"]
    margin, gap = _SHEET["margin"], _SHEET["gap"]
    width = 2 * margin + columns * WIDTH + (columns - 1) * gap
    end = _SHEET["head"] + math.ceil(len(panels) / columns) * step
    room = int((width - 2 * margin) / _LETTER)
    lines = [part for line in caption for part in textwrap.wrap(line, room)]
    height = end + _SHEET["line"] * len(lines) + margin // 2
    figure, page = _paper(width, height)
    page.add_patch(Rectangle((0, 0), width, height, color=PAPER, lw=0))
    page.text(margin, 38, title, size=18, weight="bold", color=INK)
    for place, panel in enumerate(panels):
        left = margin + place % columns * (WIDTH + gap)
        top = _SHEET["head"] + place // columns * step
        page.text(left, top + 11, panel.title, size=12.5, weight="bold", color=INK)
        page.text(left + WIDTH, top + 11, panel.note, size=9, color=MUTED, ha="right")
        _draw(page, panel, left, top + _SHEET["title"])
    for number, line in enumerate(lines):
        page.text(margin, end + 2 + _SHEET["line"] * number, line, size=10.5, color=MUTED)
    drawn = _svg(figure, title)
    return drawn.replace(">", f">\n<style>\n{DARK}\n</style>", 1)


def _paper(width: int, height: int) -> tuple[Figure, Axes]:
    """One unit is one pixel, from the upper left corner."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    figure.patch.set_visible(False)
    page = figure.add_axes((0, 0, 1, 1))
    page.set_xlim(0, width)
    page.set_ylim(height, 0)
    page.axis("off")
    return figure, page


def _draw(page: Axes, panel: Panel, left: float, top: float) -> None:
    right = left + WIDTH
    begin, end = left + _NAMES, right - 2 * _FIGURES - 12
    bottom = top + _HEAD + _ROW * len(panel.rows)

    def across(part: float) -> float:
        return begin + part * (end - begin)

    for column, head in enumerate(panel.heads):
        at = right - (1 - column) * _FIGURES
        page.text(at, top + 9, head, size=9, color=MUTED, ha="right")
    for part, text in panel.ticks:
        page.plot([across(part)] * 2, [top + _HEAD - 2, bottom], color=GRID, lw=1, zorder=1)
        page.text(across(part), bottom + 13, text, size=9, color=MUTED, ha="center")
    for number, row in enumerate(panel.rows):
        _draw_row(page, row, top + _HEAD + number * _ROW, left, right, across)
    page.plot([across(panel.base)] * 2, [top + _HEAD - 2, bottom], color=LINE, lw=1, zorder=3)


def _draw_row(page: Axes, row: Row, top: float, left: float, right: float, across: Any) -> None:
    weight = "bold" if row.engine == REFERENCE else "normal"
    middle = top + _ROW / 2
    page.text(left, middle + 3.5, label(row.engine), size=10.5, color=INK, weight=weight)
    for column, text in enumerate(row.figures):
        at = right - (1 - column) * _FIGURES
        page.text(at, middle + 3.5, text, size=10.5, color=MUTED if column else INK, ha="right")
    room = _BAR + (_FIRST_BAR + 1 if row.first else 0)
    _draw_bar(page, row.bar, middle - room / 2, _BAR, row.engine, 1.0, across)
    if row.first:
        _draw_bar(
            page, row.first, middle + room / 2 - _FIRST_BAR, _FIRST_BAR, row.engine, 0.6, across
        )


def _draw_bar(
    page: Axes, bar: Bar, top: float, height: float, engine: str, alpha: float, across: Any
) -> None:
    begin, end = sorted(map(across, bar))
    if end - begin < 2 * _LEAST:
        begin, end = (begin + end) / 2 - _LEAST, (begin + end) / 2 + _LEAST
    page.add_patch(
        Rectangle(
            (begin, top), end - begin, height, color=colour(engine), alpha=alpha, lw=0, zorder=2
        )
    )


def _svg(figure: Figure, title: str) -> str:
    """The element alone, without what would reach beyond it in a page: style, and ids."""
    for artist in figure.findobj(include_self=False):
        artist.set_clip_on(False)
    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    drawn = out.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>|<defs>.*?</defs>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(
        r' id="[^"]*"| transform="rotate\(-0 [^"]*"| xmlns:xlink="[^"]*"|<!--.*?-->', "", drawn
    )
    drawn = re.sub(r"font-family: [^;\"]*|'DejaVu Sans'[^;\"]*", f"font-family: {FONTS}", drawn)
    drawn = re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', drawn)
    drawn = re.sub(r"</?g>|\n\s*", " ", drawn)
    head, _, rest = drawn.partition(">")
    name = html.escape(title)
    return f'{head} role="img" aria-label="{name}">{rest}'.strip()
