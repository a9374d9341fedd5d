"""docs/performance.md shows the runs that are stored beside the programs that made them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from benchmarks.footprint_report import FootprintReport, page_table
from benchmarks.load_report import LoadReport, page_tables
from benchmarks.load_scenarios import load_scenarios
from benchmarks.page import part_of, text_of
from benchmarks.profile import FUNCTIONS, ProfileReport, page_part

Report = TypeVar("Report", bound=msgspec.Struct)

ROOT = Path(__file__).parents[1]


def load() -> list[str]:
    return page_tables(read("load", LoadReport), load_scenarios())


def footprint() -> list[str]:
    return page_table(read("footprint", FootprintReport))


def profile() -> list[str]:
    return page_part(read("profile", ProfileReport), FUNCTIONS)


def read(name: str, kind: type[Report]) -> Report:
    data = (ROOT / "benchmarks" / "results" / f"{name}.json").read_bytes()
    return msgspec.json.decode(data, type=kind)


@pytest.mark.parametrize("made", [load, footprint, profile])
def test_page_shows_what_is_stored(made: Callable[[], list[str]]) -> None:
    """Nobody has edited a table by hand, or stored a run without the page."""
    page = (ROOT / "docs" / "performance.md").read_text()
    _, part, _ = part_of(page, made.__name__)
    assert part == text_of(made())
