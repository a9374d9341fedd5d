"""Programs in plain Lua on every engine: what computes, without the server's API.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_language.py

They run as scripts do: in a route's VM, interrupted after each slice. How it is measured stands in
benchmarks/suites.py; ``first`` is the first request in a new VM, which reads and compiles the
module, too. Beside nginx's Lua module they are in benchmarks/language_nginx.py.
"""

from __future__ import annotations

import pytest

from benchmarks import suites
from benchmarks.engines import LuaBenchmark
from benchmarks.programs import Program, language_programs
from benchmarks.suites import Measure

pytestmark = suites.in_this_process


@pytest.mark.parametrize("engine", suites.ENGINES)
@pytest.mark.parametrize("program", language_programs(), ids=lambda program: program.name)
def test_language(measure: Measure, engine: str, program: Program) -> None:
    """One program, its size the same for all engines."""

    def fresh() -> LuaBenchmark:
        return LuaBenchmark(
            engine,
            f'cd.print(require("program")({program.size}))',
            "",
            answer=program.result.encode(),
            modules={"program": program.source},
        )

    measure("language", program.title, engine, fresh)
