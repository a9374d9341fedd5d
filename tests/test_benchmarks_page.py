"""docs/benchmarks.md and its chart show the run that is stored in benchmarks/results/."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.engine_look import label
from benchmarks.engine_run import ENGINES, Run, read_run
from benchmarks.page import part_of, text_of
from benchmarks.panels import overview
from benchmarks.report_text import by_suite, caption, page_part, titled

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def run() -> Run:
    return read_run(ROOT / "benchmarks" / "results" / "engines.json")


def test_page_says_what_is_stored(run: Run) -> None:
    """Nobody has edited the text by hand, or stored a run without the page."""
    _, part, _ = part_of((ROOT / "docs" / "benchmarks.md").read_text(), "report")
    assert part == text_of(page_part(run))


def test_chart_shows_what_is_stored(run: Run) -> None:
    """All figures of the overview in their order, and the machine that its caption names."""
    drawn = ElementTree.parse(ROOT / "docs" / "engines.svg")
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert " ".join(caption(run)) in " ".join(text or "" for text in texts)
    expected = [
        text
        for panel in overview(titled(by_suite(run)))
        for row in panel.rows
        for text in (label(row.engine), *filter(None, row.figures))
    ]
    names = {label(engine) for engine in ENGINES}
    assert [text for text in texts if text and (text in names or text.endswith("×"))] == expected


def test_all_suites_and_engines_are_stored(run: Run) -> None:
    """What is not in the baseline is not checked."""
    suites = by_suite(run)
    assert set(suites) == {"language", "api", "crossing", "request", "compile", "memory"}
    for groups in suites.values():
        for group in groups:
            assert set(group.on) == set(ENGINES)
