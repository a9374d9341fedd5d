"""A request whose script has to be compiled first, and one whose script is in the code cache.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_compile.py

The script is one of benchmarks/programs/ that is not run, 80 lines of usual code. How it is
measured stands in benchmarks/suites.py.
"""

from __future__ import annotations

import pytest

from benchmarks import suites
from benchmarks.engines import LuaBenchmark
from benchmarks.programs import language_programs
from benchmarks.suites import Measure

pytestmark = suites.in_this_process

SCRIPT = next(program.source for program in language_programs() if program.name == "nbody")
CALLS = 50


class Requests(LuaBenchmark):
    """Requests for the script; ``cold``: it is compiled anew for each."""

    def __init__(self, engine: str, *, cold: bool) -> None:
        self._cold = cold
        super().__init__(
            engine,
            f"local function program()\n{SCRIPT}\nend",
            "",
            "cd.print(type(program()))",
            answer=b"function",
        )

    def call(self) -> None:
        """See :class:`benchmarks.suites.Work`."""
        for _ in range(CALLS):
            if self._cold:
                self.compile_anew()
            super().call()


@pytest.mark.parametrize("engine", suites.ENGINES)
@pytest.mark.parametrize("work", ["cold", "cached"])
def test_compile(measure: Measure, engine: str, work: str) -> None:
    """From the script's text, or from the cache, to its answer."""
    cold = work == "cold"
    measure("compile", work, engine, lambda: Requests(engine, cold=cold), calls=CALLS)
