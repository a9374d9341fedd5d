"""The scripts that benchmarks/load.py measures do what its scenarios say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load import command
from benchmarks.load_scenarios import Scenario, load_scenarios
from benchmarks.servers import free_port, server


@pytest.mark.parametrize("engine", ["luajit", "lua54"])
def test_every_scenario_is_answered_rightly(tmp_path: Path, engine: str) -> None:
    """All scripts on one server, each asked twice as its scenario asks."""
    scenarios = load_scenarios().values()
    together = Scenario(
        title="all",
        request=tuple(request for scenario in scenarios for request in scenario.request),
        dicts={name: size for scenario in scenarios for name, size in scenario.dicts.items()},
    )
    port = free_port()
    with server(command(engine, together, port, tmp_path), port, tmp_path):
        for _ in range(2):
            assert together.check(port) is None
