"""Prints the ratios that the suites have measured."""

from __future__ import annotations

from typing import Any

from benchmarks.engines import RATIOS


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each comparison."""
    for line in RATIOS:
        terminalreporter.write_line(line)
