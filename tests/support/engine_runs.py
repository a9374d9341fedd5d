"""Runs of the engines' suites that nobody has measured: made up for tests."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping

from benchmarks.engine_run import (
    ENGINES,
    Benchmark,
    ExtraInfo,
    MachineInfo,
    Options,
    Processor,
    Run,
    Stats,
)

WORKS = ("fib", "nbody", "sort", "closures", "JSON encode", "JSON decode", "fannkuch", "say")
GROUPS = [f"language: {work}" for work in WORKS]
MACHINE = MachineInfo(
    node="made-up", system="none", release="0", python_version="3", cpu=Processor("no core", 0)
)

Factors = Mapping[tuple[str, str], float]
"""Of works on engines."""


def made_up(
    factors: Factors | None = None,
    *,
    machine: float = 1.0,
    noise: random.Random | None = None,
    suite: str = "language",
    works: Collection[str] = WORKS,
    engines: Collection[str] = ENGINES,
    scatter: Factors | None = None,
    firsts: Factors | None = None,
    held: Factors | None = None,
    timer: str = "process_time",
) -> Run:
    """All works on all engines; ``factors`` says which take how many times their time."""
    benchmarks = []
    for work in works:
        for engine in engines:
            place = work, engine
            time = seconds(work) * machine * (factors or {}).get(place, 1.0)
            if noise is not None:
                time *= noise.lognormvariate(0, 0.07)
            extra = ExtraInfo(suite=suite, work=work, engine=engine)
            if firsts is not None:
                extra.first = time * firsts.get(place, 1.0)
            if held is not None:
                extra.bytes = 1000 * held.get(place, 1.0)
            iqr = time * (scatter or {}).get(place, 0.0)
            stats = Stats(min=time, median=time, iqr=iqr, rounds=9)
            name, group = f"{work}[{engine}]", f"{suite}: {work}"
            benchmarks.append(Benchmark(group, name, extra, stats, Options(timer)))
    return Run(machine_info=MACHINE, datetime="2026-01-01", benchmarks=benchmarks)


def seconds(work: str) -> float:
    """Far apart, as real ones are."""
    return 10.0 ** -(1 + len(work) % 5)


def joined(*runs: Run) -> Run:
    """As if one call of pytest had made all of them."""
    benchmarks = [one for run in runs for one in run.benchmarks]
    return Run(machine_info=MACHINE, datetime="2026-01-01", benchmarks=benchmarks)
