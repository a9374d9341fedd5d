"""A program's result is the same whether and wherever it is interrupted.

Three parts:

- uninterrupted: on every engine, twice on one VM, beside plain lupa; this is what the others are
  compared with;
- interrupted before every k-th instruction, for several k, on LuaJIT with its compiler off, for
  compiled code has no such hooks;
- interrupted by time slices of 0.3 ms, a dozen runs interleaved on one VM, some of them dropped
  half-way, on LuaJIT with its compiler on.

Where nothing was interrupted, nothing is shown: a program that never was fails. How often it was
is printed at the end. Without ``CANDY_TRIO_LONG=1``, which is for an hour when nobody waits, the
k-th instructions come in short bursts, and there are fewer rounds: all takes a minute.
"""

from __future__ import annotations

import importlib
import os
import random
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from support.extension import need_extension
from support.programs import (
    ENGINES,
    LIMITED_ENGINES,
    Program,
    ProgramVM,
    load_programs,
    result_of,
)

from engines import registry
from engines.base import PREEMPTED
from engines.lupa_vm import LupaVM
from engines.slicer import Mode

LONG = os.environ.get("CANDY_TRIO_LONG") == "1"

PROGRAMS = load_programs()
AT_LEAST = 50
"""Programs that there are, whatever happens to the folder."""

STRIDES = (1, 2, 3, 7, 31, 257)
"""Every so many instructions; odd ones meet each instruction of a loop in the end."""
ALWAYS_MET = 31
"""Instructions. The count begins anew in each coroutine that goes on, and some never get to 257."""
BURST = 100_000 if LONG else 60
"""Interruptions in a row."""
BURSTS = 100 if LONG else 8
"""Of a program and k; where a coroutine is four deep in others, an instruction of its takes
thousands of interruptions, each of which goes through the others, interrupted there as well."""
STRETCH = 0.0005
"""Seconds between two bursts that run through."""

FEW = 12
"""One in so many programs is run in ctypes modes with small k: an instruction costs 1 µs there."""

SLICE = 0.0003
INTERLEAVED = 12
ROUNDS = 30 if LONG else 2
"""Runs of each program that come to their end, at least."""
CTYPES_ROUNDS = 10 if LONG else 2
CTYPES_SHARE = 5
"""One in so many programs is run by slices through ctypes, unless there is an hour."""
MOST_ROUNDS = 40
"""Runs of a program that is never interrupted, before it fails."""
DROPPED, RECOMPILED, FLUSHED, COLLECTED = 0.02, 0.02, 0.01, 0.02
"""How often, of the steps, a run is dropped, and so on."""

TIMEOUT = 7200 if LONG else 300

INTERRUPTIONS: Counter[tuple[str, str, str]] = Counter()
"""By kind, engine and program: ``tests/conftest.py`` prints the sums."""


def sliced_vm(engine: str, mode: Mode, time_slice: float) -> LupaVM:
    need_extension(mode)
    module: Any = registry.load(engine)._module  # type: ignore[attr-defined]
    return LupaVM(module, None, time_slice, mode)


def programs_for(engine: str) -> list[Program]:
    return [program for program in PROGRAMS if engine in program.engines]


@cache
def expected(engine: str) -> dict[str, str]:
    """The uninterrupted results on ``engine``, of a VM that can't interrupt; the second ones."""
    vm = ProgramVM(engine)
    first, second = (
        {program.name: vm.result(program) for program in programs_for(engine)} for _ in range(2)
    )
    vm.close()
    assert second == first
    return second


def plain_result(engine: str, program: Program) -> str:
    name = "luajit21" if engine == "luajit" else engine
    lua = importlib.import_module(f"lupa.{name}").LuaRuntime(encoding=None)
    load = lua.eval(b"function(...) return assert((loadstring or load)(...))() end")
    result: bytes = load(program.source.encode(), f"={program.name}.lua".encode())
    return result.decode("latin-1")


# ---------------------------------------------------------------------- uninterrupted
def test_there_are_enough_programs() -> None:
    assert len(PROGRAMS) >= AT_LEAST
    for engine in ENGINES:
        assert len(programs_for(engine)) >= AT_LEAST, engine


@pytest.mark.parametrize("engine", ENGINES + LIMITED_ENGINES)
def test_plain_lua_gives_the_same(engine: str) -> None:
    """Except where a program says why not."""
    wrong = []
    for program in programs_for(engine):
        if program.same_as_plain and program.runs_plain:
            plain, right = plain_result(engine, program), expected(engine)[program.name]
            if plain != right:
                wrong.append((program.name, plain, right))
    assert not wrong, wrong


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_engines_agree(program: Program) -> None:
    """And give a result at all."""
    results = {engine: expected(engine)[program.name] for engine in sorted(program.engines)}
    assert not [text for text in results.values() if text.startswith("Failed(")]
    assert (len(set(results.values())) == 1) == program.same_everywhere, results


# ---------------------------------------------------------------------- every k-th instruction
class Stepper:
    """Runs programs with an interruption before every k-th instruction."""

    def __init__(self, engine: str, mode: Mode) -> None:
        self.vm = sliced_vm(engine, mode, STRETCH)
        self.programs = ProgramVM(engine, self.vm)
        if engine == "luajit":
            self.vm.execute(b"jit.off() jit.flush()", "jit")

    def run(self, program: Program, stride: int, bursts: int = BURSTS) -> tuple[str, int]:
        """Gives the result, and how often it was interrupted by its instructions."""
        vm, count, left = self.vm, 0, BURST
        vm.interrupt_every(stride)
        number, answer = self.programs.start(program)
        resume = vm.resume
        while answer is PREEMPTED:
            left -= 1
            if left > 0:
                count += 1
            elif left == 0:
                bursts -= 1
                vm.interrupt_every(0)  # the next step is a stretch of time
            elif bursts > 0:
                left = BURST
                vm.interrupt_every(stride)
            answer = resume(number)
        vm.interrupt_every(0)
        return result_of(answer), count

    def close(self) -> None:
        self.programs.close()


@pytest.fixture(scope="module", params=ENGINES)
def stepper(request: pytest.FixtureRequest) -> Iterator[Stepper]:
    stepper = Stepper(request.param, "extension")
    yield stepper
    stepper.close()


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("stride", STRIDES)
def test_interrupted_before_every_kth_instruction(stepper: Stepper, stride: int) -> None:
    """With the extension: all programs of an engine."""
    check_every(stepper, stride, programs_for(stepper.programs.engine), BURSTS, "every k-th")


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize(
    ("engine", "stride"),
    [
        (engine, stride)
        for engine in ENGINES
        for stride in (STRIDES if LONG and engine != "luajit" else (7, 257))
    ],
)
def test_interrupted_before_every_kth_instruction_through_ctypes(engine: str, stride: int) -> None:
    """Some of the programs of an engine, on a new VM: threads keep the k they were made with."""
    stepper = Stepper(engine, "ctypes")
    programs = programs_for(engine)
    if not LONG and stride < FEW:
        programs = programs[::FEW]
    check_every(stepper, stride, programs, 1, "every k-th, ctypes")
    stepper.close()


def test_a_script_may_be_replaced_before_it_has_begun(stepper: Stepper) -> None:
    """Its slice may be over within the first lines of ours, and its file be read again then."""
    program = next(program for program in PROGRAMS if program.name == "queens")
    stepper.vm.interrupt_every(1)
    runs = []
    for steps in range(60):
        number, answer = stepper.programs.start(program)
        for _ in range(steps):
            answer = stepper.vm.resume(number)
        assert answer is PREEMPTED
        runs.append(number)
    stepper.vm.interrupt_every(0)
    stepper.programs.compile(program)
    for number in runs:
        answer = stepper.vm.resume(number)
        while answer is PREEMPTED:
            answer = stepper.vm.resume(number)
        assert result_of(answer) == expected(stepper.programs.engine)[program.name]


def check_every(
    stepper: Stepper, stride: int, programs: list[Program], bursts: int, kind: str
) -> None:
    engine = stepper.programs.engine
    wrong = []
    for program in programs:
        right = expected(engine)[program.name]
        result, interruptions = stepper.run(program, stride, bursts)
        INTERRUPTIONS[kind, engine, program.name] += interruptions
        if result != right or (not interruptions and stride <= ALWAYS_MET):
            wrong.append((program.name, interruptions, result, right))
    assert not wrong, wrong


# ---------------------------------------------------------------------- by time
@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("mode", ["extension", "ctypes"])
@pytest.mark.parametrize("engine", ENGINES)
def test_interrupted_at_random(engine: str, mode: Mode) -> None:
    """A dozen runs on one VM, each going on in any order; dropped ones leave nothing behind."""
    vm = sliced_vm(engine, mode, SLICE)
    programs = ProgramVM(engine, vm)
    chosen = programs_for(engine)
    if mode == "ctypes" and not LONG:
        chosen = chosen[::CTYPES_SHARE]
    chance = random.Random(7)
    rounds = ROUNDS if mode == "extension" else CTYPES_ROUNDS
    kind = "slices" if mode == "extension" else "slices, ctypes"
    completed: Counter[str] = Counter()
    interrupted: Counter[str] = Counter()
    wrong: list[tuple[str, str, str]] = []
    waiting: list[Program] = []
    active: list[tuple[Program, int]] = []
    dropped = 0

    def take(program: Program, number: int, answer: object) -> None:
        if answer is PREEMPTED:
            interrupted[program.name] += 1
            active.append((program, number))
            return
        completed[program.name] += 1
        result = result_of(answer)  # type: ignore[arg-type]
        right = expected(engine)[program.name]
        if result != right:
            wrong.append((program.name, result, right))

    while True:
        if not waiting:
            waiting = [
                program
                for program in chosen
                if completed[program.name] < rounds
                or (not interrupted[program.name] and completed[program.name] < MOST_ROUNDS)
            ]
            chance.shuffle(waiting)
        while waiting and len(active) < INTERLEAVED:
            program = waiting.pop()
            if chance.random() < RECOMPILED:
                programs.compile(program)
            take(program, *programs.start(program))
        if not active:
            if not waiting:
                break
            continue
        program, number = active.pop(chance.randrange(len(active)))
        if chance.random() < DROPPED:
            vm.drop(number)
            dropped += 1
            continue
        if engine == "luajit" and chance.random() < FLUSHED:
            vm.execute(b"jit.flush()", "jit")
        if chance.random() < COLLECTED:
            vm.collect_step()
        take(program, number, vm.resume(number))
    programs.close()

    for name, count in interrupted.items():
        INTERRUPTIONS[kind, engine, name] += count
    INTERRUPTIONS[f"{kind}: dropped", engine, ""] += dropped
    never = [program.name for program in chosen if not interrupted[program.name]]
    assert not wrong, wrong
    assert dropped
    assert not never, never
