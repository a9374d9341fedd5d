"""What the suites have in common that run the same work on every engine: how it is measured.

Each benchmark is a piece of work on one engine, in the group "SUITE: WORK", so that the table of
pytest-benchmark shows the engines side by side. All engines get the same Lua text and the same
treatment:

- Its rounds are spread over several VMs, because which traces LuaJIT records is partly chance. The
  first time in a VM is told as ``first``: a route that runs once an hour sees that one.
- Then it is warmed up, by time, so that LuaJIT's compiled code is there before a round counts.
- Before each round all garbage is collected, of Lua's and of Python's, and Python's collector is
  off during one: no round pays for another's garbage, each for its own.
- The work checks its result each time.

Times are the process's own (``process_time``), because the machine may be shared, unless the work
is done by more than one process.

    python -m pytest benchmarks --benchmark-only [--short] [-k language] [--benchmark-json FILE]

``--short`` is for regression checks: one VM, fewer rounds, and only suites that compare engines.
``--slow-down "language: fib:lua54:2"`` does the work of one benchmark twice, for a test of whoever
looks for regressions. ``extra_info`` of each benchmark holds suite, work, engine, first (seconds,
to be compared with a round's), calls (how many of what it is named for are made in one round) and,
where memory is measured, bytes.
"""

from __future__ import annotations

import gc
import re
import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from time import perf_counter, process_time
from typing import Any, Protocol, runtime_checkable

import msgspec
import pytest

from engines import registry

ENGINES = tuple(registry.available())

in_this_process = pytest.mark.benchmark(timer=process_time, disable_gc=True)
in_several_processes = pytest.mark.benchmark(timer=perf_counter, disable_gc=True)


class Work(Protocol):
    """What is measured, in a VM of its own."""

    def call(self) -> object:
        """Do it once. Raises AssertionError if the result is not the right one."""

    def rest(self) -> None:
        """Before each call that counts: let go of what the last one left."""


@runtime_checkable
class TellsFirst(Protocol):
    """Work whose first time is less than a call."""

    def first(self) -> float:
        """Seconds that a call would take if all of it were as the first time is."""


class Effort(msgspec.Struct, frozen=True):
    """How much is done for a figure."""

    vms: int
    rounds: int
    """In each of the VMs."""
    warm_up: float
    """Seconds, after the first call in a VM."""


FULL = Effort(vms=3, rounds=5, warm_up=0.03)
SHORT = Effort(vms=1, rounds=5, warm_up=0.01)


class SlowDown:
    """What ``--slow-down`` says: one benchmark does its work ``factor`` times on one engine."""

    def __init__(self, text: str) -> None:
        """Raises ValueError if the text is something else."""
        found = re.fullmatch(r"(.+):([^:]+):([1-9]\d*)", text)
        if found is None:
            raise ValueError(f"{text!r} is not GROUP:ENGINE:FACTOR")
        self.group, self.engine, self.factor = found[1], found[2], int(found[3])
        self.used = False

    def factor_of(self, group: str, engine: str) -> int:
        if (group, engine) != (self.group, self.engine):
            return 1
        self.used = True
        return self.factor


class Measure:
    """The fixture ``measure``: measures one piece of work on one engine."""

    def __init__(
        self,
        benchmark: Any,
        effort: Effort,
        slow_down: SlowDown | None,
        clock: Callable[[], float],
    ) -> None:
        self._benchmark = benchmark
        self._effort = effort
        self._slow_down = slow_down
        self._clock = clock

    def __call__(
        self,
        suite: str,
        work: str,
        engine: str,
        fresh: Callable[[], AbstractContextManager[Work]],
        *,
        calls: int = 1,
        has_first: bool = True,
        size: int | None = None,
    ) -> None:
        """``fresh`` makes the work in a new VM. ``calls`` of it are in one round; without
        ``has_first`` the first time in a VM is like all others; ``size`` is in bytes.

        Work whose first time can't be told by a call has a method ``first`` that tells it.
        """
        benchmark, effort, group = self._benchmark, self._effort, f"{suite}: {work}"
        factor = self._slow_down.factor_of(group, engine) if self._slow_down is not None else 1
        benchmark.group = group
        info = benchmark.extra_info
        info.update(suite=suite, work=work, engine=engine, calls=calls)
        if size is not None:
            info["bytes"] = size
        firsts: list[float] = []
        with ExitStack() as stack:
            rounds = self._rounds(stack, fresh, factor, firsts)
            benchmark.pedantic(
                lambda call: call(),
                setup=lambda: ((next(rounds),), {}),
                rounds=effort.vms * effort.rounds,
            )
        if has_first:
            info["first"] = statistics.median(firsts)

    def _rounds(
        self,
        stack: ExitStack,
        fresh: Callable[[], AbstractContextManager[Work]],
        factor: int,
        firsts: list[float],
    ) -> Iterator[Callable[[], object]]:
        """What is to be called in each round, ready to be."""
        effort = self._effort
        for _ in range(effort.vms):
            stack.close()
            work = stack.enter_context(fresh())
            call = _repeated(work.call, factor)
            _collect(work)
            firsts.append(work.first() if isinstance(work, TellsFirst) else self._seconds(call))
            warm = 0.0
            while warm < effort.warm_up:
                warm += self._seconds(call)
            for _ in range(effort.rounds):
                _collect(work)
                yield call

    def _seconds(self, call: Callable[[], object]) -> float:
        begun = self._clock()
        call()
        return self._clock() - begun


def _repeated(call: Callable[[], object], factor: int) -> Callable[[], object]:
    if factor == 1:
        return call

    def calls() -> None:
        for _ in range(factor):
            call()

    return calls


def _collect(work: Work) -> None:
    work.rest()
    gc.collect()
