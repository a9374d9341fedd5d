"""What a report leaves behind: the page, and its charts as files."""

from __future__ import annotations

from pathlib import Path

from benchmarks.charts import sheet_svg
from benchmarks.engine_look import label
from benchmarks.engine_run import REFERENCE, Run
from benchmarks.panels import overview, panels_of
from benchmarks.report_page import by_suite, machine_line, page, suite_title, titled

COLUMNS = 3


def write_report(run: Run, folder: Path) -> list[Path]:
    """index.html, which has its charts in it, and an SVG for each suite beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.html"
    index.write_text(page(run), encoding="utf-8")
    written = [index, folder / "overview.svg"]
    write_picture(run, written[-1])
    for name, groups in by_suite(run).items():
        path = folder / f"{name}.svg"
        sheet = sheet_svg(suite_title(name), _caption(run), panels_of(groups), COLUMNS)
        path.write_text(sheet, encoding="utf-8")
        written.append(path)
    return written


def write_picture(run: Run, path: Path) -> None:
    """All suites at a glance."""
    panels = overview(titled(by_suite(run)))
    title = f"How fast each engine is beside {label(REFERENCE)}"
    path.write_text(sheet_svg(title, _caption(run), panels, COLUMNS), encoding="utf-8")


def _caption(run: Run) -> tuple[str, str]:
    name = label(REFERENCE)
    return (
        f"Right of 1: faster than {name}; left: slower. The thin bar is the first run in a fresh"
        f" VM, beside the first run of {name}. Memory: shorter is better.",
        machine_line(run),
    )
