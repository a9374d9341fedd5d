"""One engine under stress: its VM, made anew now and then, and the runs that are half-way in it."""

from __future__ import annotations

import importlib
import os
import random
import time
from collections import Counter
from io import FileIO
from itertools import count
from typing import Any

from stress.cases import Case, Kind
from support.programs import ProgramVM, result_of

from engines.base import Answer, Failed, LuaVM, Preempted, Returned, Yielded
from engines.lupa_vm import LupaVM
from engines.slicer import Mode

MEBIBYTE = 1 << 20
VM_MEMORY = 256 * MEBIBYTE
FULL = VM_MEMORY // 2
"""A VM with more in it has its largest run dropped before anything else is resumed."""

MAX_ACTIVE = 40
MAX_HUNGRY = 4
WEIGHTS: dict[Kind, int] = {"right": 60, "fails": 12, "endless": 8, "resists": 4, "hungry": 8}

FIRST_RAW_NUMBER = 10**9
"""Numbers of runs that the sandbox does not count."""

ENOUGH_SECONDS = 30.0
"""What a run that ends by itself may compute: it goes past this only if it is lost."""


class Run:
    """One run of a case."""

    def __init__(self, case: Case, vm: OneVM, seconds: float, memory: int | None) -> None:
        self.case = case
        self.vm = vm
        self.seconds = seconds
        self.memory = memory
        self.used_seconds = 0.0
        self.used_memory = 0
        self.interrupted = 0
        self.number = 0


class OneVM:
    """A VM with the sandbox, and what runs in it."""

    def __init__(self, engine: str, slice_: float | None, mode: Mode | None) -> None:
        self.vm: LuaVM = new_vm(engine, slice_, mode)
        self.programs = ProgramVM(engine, self.vm)
        self.callbacks = self.vm.execute(_CALLBACKS, "callbacks", add, text, slow, raises)
        self.raw: dict[str, Any] = {}
        self.numbers = count(FIRST_RAW_NUMBER)
        self.steps = 0
        self.errors: list[BaseException] = []
        self.vm.on_callback_error = self._note
        self.retired = False

    def _note(self, error: BaseException) -> None:
        if not isinstance(error, (Deliberate, TypeError)):
            self.errors.append(error)

    def raw_function(self, case: Case) -> Any:
        if case.name not in self.raw:
            self.raw[case.name] = self.vm.execute(
                case.source.encode(), "raw", self.vm.kernel, self.callbacks
            )
        return self.raw[case.name]

    def close(self) -> None:
        self.raw.clear()
        del self.callbacks
        self.programs.close()


def new_vm(engine: str, slice_: float | None, mode: Mode | None) -> LuaVM:
    # An engine's own new_vm() takes the best mode there is.
    module = importlib.import_module("lupa.luajit21" if engine == "luajit" else f"lupa.{engine}")
    return LupaVM(module, VM_MEMORY, slice_, mode)


_CALLBACKS = (
    b"local add, text, slow, raises = ... "
    b"return {add = add, text = text, slow = slow, raises = raises}"
)


class Deliberate(Exception):
    """Raised by a callback, to be caught by the engine."""


def add(a: Any, b: Any) -> Any:
    return a + b


def text(size: int) -> bytes:
    return b"t" * size


def slow(milliseconds: int) -> int:
    end = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < end:
        pass
    return milliseconds


def raises(number: int) -> int:
    raise Deliberate(number)


class Machine:
    """See the module."""

    def __init__(
        self,
        engine: str,
        cases: list[Case],
        slice_: float,
        mode: Mode | None,
        rng: random.Random,
        patience: float,
        note: FileIO,
    ) -> None:
        self.engine = engine
        self._slice = slice_
        self._mode = mode
        self._rng = rng
        self._patience = patience
        self._note = note
        self.cases = cases
        self._by_kind: dict[Kind, list[Case]] = {
            kind: [case for case in self.cases if case.kind == kind] for kind in WEIGHTS
        }
        self.right = self._reference()
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest: tuple[float, str] = (0.0, "")
        self.active: list[Run] = []
        self.current = OneVM(engine, slice_, mode)
        self.mode = self.current.vm.mode
        self.slices = self.current.vm.slices
        self._old: list[OneVM] = []

    def _reference(self) -> dict[str, str]:
        """The right results: those of runs that nothing can interrupt."""
        one = OneVM(self.engine, None, None)
        right = {}
        for case in self._by_kind["right"]:
            run = Run(case, one, ENOUGH_SECONDS, None)
            answer = self._start(run)
            while isinstance(answer, Yielded):
                answer = self._resume(run)
            assert isinstance(answer, Returned), (self.engine, case.name, answer)
            right[case.name] = self._text(run, answer)
        assert not one.errors, one.errors
        one.close()
        return right

    def _tell(self, doing: str) -> None:
        os.pwrite(self._note.fileno(), f"{self.engine}: {doing}".ljust(100).encode(), 0)

    # ------------------------------------------------------------------ one step
    def step(self) -> None:
        """Begin a run, or go on with one."""
        if (len(self.active) < MAX_ACTIVE and self._rng.random() < 0.4) or not self.active:
            run = self._new_run()
            self.active.append(run)
            self._judge(run, self._timed(run, begins=True))
            return
        run = self._rng.choice(self.active)
        self._make_room(run.vm)
        if run in self.active:
            self._judge(run, self._timed(run, begins=False))

    def _new_run(self) -> Run:
        kinds = list(WEIGHTS)
        while True:
            kind = self._rng.choices(kinds, list(WEIGHTS.values()))[0]
            hungry = sum(run.case.kind == "hungry" for run in self.active)
            if (kind == "hungry" and hungry >= MAX_HUNGRY) or not self._by_kind[kind]:
                continue
            case = self._rng.choice(self._by_kind[kind])
            seconds, memory = ENOUGH_SECONDS, None
            if kind == "resists" or (kind == "endless" and not self.slices):
                seconds = self._rng.choice((0.002, 0.01, 0.03))
            elif kind == "endless":
                seconds = self._rng.choice((0.002, 0.01, 0.03, 0.2))
            elif kind == "hungry":
                memory = self._rng.choice((1, 2, 4, 8)) * MEBIBYTE
            self._make_room(self.current)
            return Run(case, self.current, seconds, memory)

    def _make_room(self, one: OneVM) -> None:
        """What a host does before it enters a VM that is full: end the run that took most."""
        while one.vm.memory_used() > FULL:
            mine = [run for run in self.active if run.vm is one and run.used_memory > 0]
            if not mine:
                one.vm.collect()
                if one.vm.memory_used() > FULL:
                    self.wrong.append(f"{self.engine}: {one.vm.memory_used()} bytes without a run")
                return
            self._drop(max(mine, key=lambda run: run.used_memory), "dropped for room")
            one.vm.collect()

    def _timed(self, run: Run, *, begins: bool) -> Answer:
        vm = run.vm.vm
        vm.seconds_left = max(run.seconds - run.used_seconds, 0.0005)
        vm.memory_left = None if run.memory is None else max(run.memory - run.used_memory, 1)
        allowed = vm.seconds_left if run.seconds < ENOUGH_SECONDS else self._slice
        self._tell(run.case.name)
        begun = time.thread_time()
        try:
            answer = self._start(run) if begins else self._resume(run)
        except Exception as error:
            self.wrong.append(f"{self.engine}: {run.case.name}: a step raised {error!r}")
            answer = Failed(repr(error).encode(), b"")
        late = time.thread_time() - begun - allowed
        if late > self.slowest[0]:
            self.slowest = (late, run.case.name)
        if late > 0.1 * self._patience:
            self.counts["over 100 ms late"] += 1
        run.used_seconds += vm.step_seconds
        run.used_memory += vm.step_memory
        run.vm.steps += 1
        return answer

    def _start(self, run: Run) -> Answer:
        if run.case.raw:
            run.number = next(run.vm.numbers)
            return run.vm.vm.start(run.number, run.vm.raw_function(run.case))
        run.number, answer = run.vm.programs.start(run.case.program)
        return answer

    def _resume(self, run: Run) -> Answer:
        return run.vm.vm.resume(run.number)

    # ------------------------------------------------------------------ judging
    def _judge(self, run: Run, answer: Answer) -> None:
        for error in run.vm.errors:
            self.wrong.append(f"{self.engine}: {run.case.name}: a callback raised {error!r}")
        run.vm.errors.clear()
        if isinstance(answer, Preempted):
            self.counts["interruptions"] += 1
            run.interrupted += 1
            if run.used_seconds > run.seconds:
                self._drop(run, "ended for seconds, interrupted")
            elif run.memory is not None and run.used_memory > run.memory:
                self._drop(run, "ended for memory, interrupted")
            elif run.used_seconds > ENOUGH_SECONDS:
                self._wrong(run, "does not end")
            elif self._rng.random() < 0.01:
                self._drop(run, "dropped half-way")
            return
        if isinstance(answer, Yielded):
            self.counts["operations"] += 1
            if answer.op not in (b"sleep", b"op", b"yield"):
                self._wrong(run, f"asks for {answer.op!r}")
            elif self._rng.random() < 0.03:
                self._drop(run, "dropped waiting")
            return
        self.active.remove(run)
        self.counts["runs"] += 1
        kind = run.case.kind
        if isinstance(answer, Failed):
            self.counts["failures"] += 1
            if answer.limit == "memory":
                self.counts["memory failures"] += 1
            if answer.limit == "seconds":
                self.counts["unwound"] += 1
            if kind == "fails":
                good = answer.limit is None and run.case.error.encode() in (answer.error or b"")
            elif kind == "hungry":
                good = answer.limit == "memory"
            elif kind in ("resists", "endless"):
                good = answer.limit == "seconds"
            else:
                good = False
        else:
            good = kind == "right" and self._text(run, answer) == self.right[run.case.name]
        if not good:
            self._note_wrong(run, answer)

    def _text(self, run: Run, answer: Returned) -> str:
        return repr(answer.values) if run.case.raw else result_of(answer)

    def _wrong(self, run: Run, what: str) -> None:
        self._note_wrong(run, what)
        self._drop(run, "dropped as wrong")

    def _note_wrong(self, run: Run, answer: object) -> None:
        said = repr(answer)[:600]
        self.wrong.append(
            f"{self.engine}: {run.case.name} ({run.case.kind}), interrupted {run.interrupted}"
            f" times, {run.used_seconds:.4f} of {run.seconds} s, {run.used_memory} of {run.memory}"
            f" bytes, retired: {run.vm.retired}: {said}"
        )

    def _drop(self, run: Run, why: str) -> None:
        self.active.remove(run)
        self.counts[why] += 1
        if self._rng.random() < 0.3:
            run.vm.vm.traceback(run.number)
        run.vm.vm.drop(run.number)

    # ------------------------------------------------------------------ what else happens
    def collect(self) -> None:
        """A collection, whole or in steps."""
        self.counts["collections"] += 1
        if self._rng.random() < 0.3:
            self.current.vm.collect()
            return
        for _ in range(self._rng.randrange(100)):
            if self.current.vm.collect_step():
                break

    def recompile(self) -> None:
        """A script that is compiled again has no traces; runs of the old one go on."""
        case = self._rng.choice([case for case in self.cases if not case.raw])
        self.current.programs.compile(case.program)

    def flush(self) -> None:
        """Throw LuaJIT's compiled code away."""
        if self.engine == "luajit":
            self.counts["flushes"] += 1
            self.current.vm.execute(b"jit.flush()", "flush")

    def drop_all(self) -> None:
        """As when a server stops."""
        for run in list(self.active):
            self._drop(run, "dropped at once")
        self._close_old()

    def replace(self) -> None:
        """Close the VM, with its runs half-way, and make a new one."""
        self.counts["VMs closed half-way"] += 1
        self.counts["dropped with their VM"] += len(self.active)
        self.active.clear()
        for one in (*self._old, self.current):
            one.close()
        self._old.clear()
        self.current = OneVM(self.engine, self._slice, self._mode)

    def retire(self) -> None:
        """A new VM takes its place; the runs in it are resumed to their ends."""
        self.counts["VMs retired"] += 1
        self._close_old()
        if self._old:
            return
        for run in self.active:
            if run.case.kind == "endless":
                run.seconds = min(run.seconds, run.used_seconds + 0.01)
        self.current.retired = True
        self.current.vm.retire()
        self._old.append(self.current)
        self.current = OneVM(self.engine, self._slice, self._mode)

    def _close_old(self) -> None:
        busy = {id(run.vm) for run in self.active}
        for one in [one for one in self._old if id(one) not in busy]:
            one.close()
            self._old.remove(one)

    def rest(self) -> tuple[int, int]:
        """Nothing runs: the VM's steps so far, and its memory after collections."""
        self.drop_all()
        for _ in range(10):
            self.current.vm.collect()
        return self.current.steps, self.current.vm.memory_used()

    def close(self) -> None:
        self.drop_all()
        self.current.close()
