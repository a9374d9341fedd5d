"""What a report leaves behind: the page, and its charts as files."""

from __future__ import annotations

from pathlib import Path

from benchmarks.charts import sheet_svg
from benchmarks.engine_run import Run
from benchmarks.panels import overview, panels_of
from benchmarks.report_page import page
from benchmarks.report_text import PICTURE_TITLE, by_suite, caption, slug, suite_title, titled

COLUMNS = 3
PICTURE_COLUMNS = 2
"""As wide as a README is shown."""


def write_report(run: Run, folder: Path) -> list[Path]:
    """index.html, which has its charts in it, and an SVG for each suite beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.html"
    index.write_text(page(run), encoding="utf-8")
    written = [index, folder / "overview.svg"]
    write_picture(run, written[-1])
    for name, groups in by_suite(run).items():
        path = folder / f"{slug(name)}.svg"
        sheet = sheet_svg(suite_title(name), caption(run), panels_of(groups), COLUMNS)
        path.write_text(sheet, encoding="utf-8")
        written.append(path)
    return written


def write_picture(run: Run, path: Path) -> None:
    """All suites at a glance."""
    panels = overview(titled(by_suite(run)))
    sheet = sheet_svg(PICTURE_TITLE, caption(run), panels, PICTURE_COLUMNS)
    path.write_text(sheet, encoding="utf-8")
