"""What time slices cost: programs that compute, on a VM with slices and limits and on plain lupa.

    pip install -e '.[test,bench]'; python -m pytest benchmarks/test_slices.py

Prints how many times plain lupa's time each program takes, and the geometric mean. The programs
(benchmarks/programs/) run as scripts do, interrupted after each slice, with the library functions
that scripts find; plain lupa runs them with the native ones and is never interrupted. Each
program's result is checked. A program is a module that returns a function, because LuaJIT
compiles for the very function that it has seen: a script's own ones are new in each request. Times
are CPU time of the process, because the machine may be shared.
"""

from __future__ import annotations

import statistics
from importlib import import_module
from time import process_time
from typing import Any

import pytest

from benchmarks.engines import RATIOS, ROUNDS, LuaBenchmark
from benchmarks.programs import Program, long_programs
from engines import registry

ENGINES = ("luajit", "lua54", "lua55")
LUPA_NAMES = {"luajit": "luajit21"}
"""lupa's modules that are called otherwise than the engine."""

VMS, PROGRAM_ROUNDS = 5, 5
"""Which traces LuaJIT records is partly chance: nbody takes 1.4 times in one VM of five."""
PROGRAMS_BOUND = 1.05
"""How many times plain lupa's time the programs may take, geometric mean."""

HELLOS = 1000
"""Of one round."""

TURNS = 200_000
TIME_SLICE = 0.005
EXTENSION = "time slices by the C extension"
TURN_BOUND = 0.3
"""Microseconds that enter and leave may take together."""
TURN_LOOPS = b"""
local K, n = ...
local enter, leave, co = K.slicing.enter, K.slicing.leave, coroutine.create(function() end)
local function turns() for i = 1, n do enter(co) leave() end end
local function nothing() end
local function none() for i = 1, n do nothing(co) nothing() end end
return turns, none
"""


class PlainLupa:
    """A program on a Lua state that lupa has made, with nothing of ours in it."""

    def __init__(self, engine: str, program: Program) -> None:
        module: Any = import_module(f"lupa.{LUPA_NAMES.get(engine, engine)}")
        self._program = program
        load = module.LuaRuntime(encoding=None).eval("loadstring or load")
        self._function = load(program.source.encode())()

    def call(self) -> None:
        result = self._function(self._program.size)
        assert result == self._program.result.encode(), result


def ratio_of(engine: str, program: Program) -> tuple[float, int]:
    """How many times plain lupa's time the program takes, and how often it was interrupted."""
    pairs = [medians_of(engine, program) for _ in range(VMS)]
    ratio = statistics.median(ours / plain for ours, plain, _ in pairs)
    milliseconds = statistics.median(ours for ours, _, _ in pairs) * 1e3
    interruptions = sum(count for _, _, count in pairs)
    RATIOS.append(
        f"{engine}, {program.name}: {milliseconds:.1f} ms, {ratio:.3f} times plain lupa,"
        f" {interruptions} interruptions"
    )
    return ratio, interruptions


def medians_of(engine: str, program: Program) -> tuple[float, float, int]:
    """Of a fresh VM of ours and of a fresh plain one, and how often ours was interrupted."""
    plain = PlainLupa(engine, program)
    statement = f"""
    local result = require("program")({program.size})
    if result ~= "{program.result}" then error(result) end
    """
    modules = {"program": program.source}
    with LuaBenchmark(engine, "", statement, calls=1, modules=modules) as lua:
        times: list[float] = []
        plain_times: list[float] = []
        lua.call()
        plain.call()
        for _ in range(PROGRAM_ROUNDS):
            start = process_time()
            lua.call()
            between = process_time()
            plain.call()
            times.append(between - start)
            plain_times.append(process_time() - between)
        return statistics.median(times), statistics.median(plain_times), lua.interruptions


@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ENGINES)
def test_programs(benchmark: Any, engine: str) -> None:
    """Ten programs beside plain lupa; their geometric mean is within the bound."""
    measured = {program.name: ratio_of(engine, program) for program in long_programs(engine)}
    mean = statistics.geometric_mean(ratio for ratio, _ in measured.values())
    RATIOS.append(f"{engine}, geometric mean of {len(measured)} programs: {mean:.3f}")
    benchmark.extra_info["ratio"] = mean
    benchmark.pedantic(lambda: None)  # the times that count are those above
    for name, (_, interruptions) in measured.items():
        assert interruptions > 0, f"{name} ran in one slice"
    assert mean <= PROGRAMS_BOUND


@pytest.mark.parametrize("engine", ENGINES)
def test_hello(benchmark: Any, engine: str) -> None:
    """What a hello takes in its VM from start to answer, with slices and limits and without."""

    def hellos(lua: LuaBenchmark) -> float:
        start = process_time()
        for _ in range(HELLOS):
            lua.call()
        return (process_time() - start) / HELLOS

    statement = 'cd.say("hello")'
    with (
        LuaBenchmark(engine, "", statement, calls=1) as limited,
        LuaBenchmark(engine, "", statement, calls=1, limited=False) as unlimited,
    ):
        pairs = [(hellos(limited), hellos(unlimited)) for _ in range(ROUNDS)]
        benchmark.pedantic(limited.call, rounds=HELLOS)
    with_limits, without = (statistics.median(times) * 1e6 for times in zip(*pairs, strict=True))
    RATIOS.append(
        f"{engine}, hello: {with_limits:.2f} µs with slices and limits, {without:.2f} µs without"
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_enter_and_leave(benchmark: Any, engine: str) -> None:
    """What a step pays for its slice, called from Lua, where nothing is interrupted."""
    vm: Any = registry.load(engine).new_vm(time_slice=TIME_SLICE)
    try:
        if vm.mode != EXTENSION:
            pytest.skip(f"{vm.mode}: the bound is for {EXTENSION}")
        turns, nothing = vm.execute(TURN_LOOPS, "benchmark", vm.kernel, TURNS)
        pairs = [(seconds_of(turns), seconds_of(nothing)) for _ in range(ROUNDS)]
        benchmark.pedantic(turns, rounds=ROUNDS)
    finally:
        vm.close()
    # The loop and its calls cost something, too; best of all rounds, for noise only adds.
    cost = (min(with_them for with_them, _ in pairs) - min(none for _, none in pairs)) / TURNS * 1e6
    RATIOS.append(f"{engine}, enter and leave together: {cost:.3f} µs")
    assert cost < TURN_BOUND


def seconds_of(function: Any) -> float:
    start = process_time()
    function()
    return process_time() - start
