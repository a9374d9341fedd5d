"""What the engines that use lupa share: one Lua state behind :class:`engines.base.LuaVM`.

lupa 2.8 has six traps; this module is where they are avoided, and
``tests/engines/test_host_rules.py`` holds each rule:

1. A Lua table or function that Python received inside a coroutine's callback crashes the
   process when used or freed after that coroutine is collected. So what a callback is given
   is checked: anything but a Plain value is refused before Python code sees it.
2. Under a memory limit, an unprotected lupa call aborts the process. So the limit is set for
   the time of a step only, with room for what the step is given, and lifted outside it.
3. A memory error while lupa converts a callback's result deadlocks. So a callback's text
   result is measured first, and refused with "not enough memory" where it has no room.
4. A Python exception that leaves a callback becomes an object in the script's hands. So no
   callback raises, the ``python`` module is taken away before any other chunk runs, and an
   attribute filter refuses every attribute of every object.
5. A Python object that enters Lua again, after its first userdata was found dead and before
   that userdata's finalizer has run, loses its only reference with that finalizer, and what
   entered last points at freed memory. So each callback enters exactly once, in a closure of
   its own, and becomes a Lua function without coming back to Python.
6. Behind more than a dozen arguments lupa makes too little room on Lua's stack for an object, and
   writes past it. So a chunk's arguments enter one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from time import perf_counter
from typing import Any, Final, NoReturn

from engines.attachments import Attachments
from engines.base import PREEMPTED, Answer, Failed, LuaValue, LuaVM, Plain, Returned, Yielded
from engines.errors import LuaMemoryError, LuaRuntimeError, LuaSyntaxError
from engines.memory import open_runtime
from engines.slicer import LUAJIT, Mode, attach
from engines.slicer_base import NoSlicer, Slicer

# What step() of kernel.lua answers with.
_YIELDED: Final = 1
_RETURNED: Final = 2
_PREEMPTED: Final = 4
_UNWOUND: Final = 5

_NO_MEMORY: Final = b"not enough memory"

_KERNEL_PARTS: Final = (
    *("coroutines", "protected", "natives"),
    *("pattern_items", "pattern_cost", "pattern_match", "plain_find"),
    *("pattern_plans", "pattern_reach", "pattern_windows", "pattern_search"),
    *("patterns", "pattern_gsub"),
    *("metamethods", "tables", "sort", "text", "characters", "format"),
    "gates",
)
"""What adds itself to the table of kernel.lua, in this order."""

_RESERVE: Final = 64 * 1024
"""Bytes that stay free beside what enters Lua: room for lupa's own small objects."""

_PRELUDE: Final = b"""
local as_function = python.as_function
local unpack = table.unpack or unpack
python, package.loaded.python = nil, nil
local n, args = 0, {}
local function give(value, is_callback)
  n = n + 1
  if is_callback then value = as_function(value) end
  args[n] = value
end
local function call(chunk)
  local count, given = n, args
  n, args = 0, {}
  return chunk(unpack(given, 1, count))
end
return loadstring or load, give, call
"""
# Callbacks become functions in here, because a Lua function made from a Python object turns back
# into that object on its way through Python.

_TRACEBACK_HEADING: Final = b"stack traceback:\n"

_PLAIN_TYPES: Final = frozenset({bytes, int, float, bool, type(None)})

_ABSENT: Final = object()
"""An argument that Lua did not give; its None is a nil that it gave."""


class LupaVM(LuaVM):
    """One ``lupa.LuaRuntime``; ``module`` is the lupa module of the wanted Lua version."""

    def __init__(
        self,
        module: Any,
        memory_limit: int | None,
        time_slice: float | None = None,
        mode: Mode | None = None,
    ) -> None:
        self._module = module
        self._memory_limit = memory_limit
        self._room: int | None = None
        self._runtime: Any
        self._runtime, memory = open_runtime(
            module,
            encoding=None,
            source_encoding="utf-8",
            attribute_filter=_no_attributes,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
        )
        self._attachments = Attachments(self._runtime)
        self._attachments.add(memory)
        self._memory: Any = memory.handle
        self._memory_used: Any = memory.used
        self._set_max_memory: Any = memory.limit
        self._load: Any
        self._give: Any
        self._call: Any
        self._load, self._give, self._call = self._runtime.execute(_PRELUDE)
        slicer: Slicer
        if time_slice is None:
            slicer = NoSlicer(self.execute)
        else:
            slicer = attach(module, _version(module), self.execute, time_slice, mode)
        self._slicer: Any = slicer  # which None takes the place of, as of all that holds the state
        self._attachments.add(self._slicer)
        self.mode = self._slicer.mode
        kernel: Any = self._execute_own("kernel", self._slicer.functions)
        for name in _KERNEL_PARTS:
            self._execute_own(name, kernel)
        self._kernel: Any = kernel
        self._start: Any = kernel[b"start"]
        self._step: Any = kernel[b"step"]
        self._drop: Any = kernel[b"drop"]
        self._trace: Any = kernel[b"trace"]
        self._collect_step: Any = kernel[b"collect_step"]
        self._seconds_allowed = self.seconds_left

    @property
    def kernel(self) -> LuaValue:
        """See :attr:`engines.base.LuaVM.kernel`."""
        kernel: LuaValue = self._kernel
        return kernel

    def execute(self, source: bytes, chunk: str, *args: object) -> Any:
        """See :meth:`engines.base.LuaVM.execute`; trusted chunks are named ``[candy CHUNK]``."""
        try:
            loaded = self._load(source, f"=[candy {chunk}]".encode())
            if isinstance(loaded, tuple):
                raise LuaSyntaxError(loaded[1])
            for arg in args:
                if _is_callback(arg):
                    self._give(self._guarded(arg), True)
                else:
                    self._give(arg)
            return self._call(loaded)
        except (self._module.LuaError, MemoryError) as error:
            self._translate(error)

    def _execute_own(self, name: str, *args: object) -> Any:
        source = (files("engines") / f"{name}.lua").read_bytes()
        return self.execute(source, f"{name}.lua", *args)

    def start(self, run: int, function: LuaValue, *args: Plain) -> Answer:
        """See :meth:`engines.base.LuaVM.start`."""
        return self._take_step(self._start, run, (run, function, *args))

    def resume(self, run: int, *values: Plain) -> Answer:
        """See :meth:`engines.base.LuaVM.resume`."""
        return self._take_step(self._step, run, (run, *values))

    def traceback(self, run: int) -> bytes:
        """See :meth:`engines.base.LuaVM.traceback`."""
        return _without_heading(self._trace(run))

    def drop(self, run: int) -> None:
        """See :meth:`engines.base.LuaVM.drop`."""
        self._drop(run)

    def memory_used(self) -> int:
        """See :meth:`engines.base.LuaVM.memory_used`."""
        return int(self._memory_used(self._memory))

    def collect(self) -> None:
        """See :meth:`engines.base.LuaVM.collect`."""
        self._runtime.gccollect()

    def collect_step(self) -> bool:
        """See :meth:`engines.base.LuaVM.collect_step`."""
        return bool(self._collect_step())

    @property
    def slices(self) -> bool:
        """See :attr:`engines.base.LuaVM.slices`."""
        return bool(self._slicer.slices)

    def interrupt_every(self, count: int) -> None:
        """For tests, see :meth:`engines.slicer.Slicer.interrupt_every`."""
        self._slicer.interrupt_every(count)

    def interruptions(self) -> int:
        """How often a run has been interrupted so far."""
        return int(self._slicer.interruptions())

    def retire(self) -> None:
        """See :meth:`engines.base.LuaVM.retire`: a new VM takes LuaJIT's profiler by itself."""

    def close(self) -> None:
        """Drop every reference; the state is freed with the last of them."""
        self._attachments.detach()
        self._runtime = self._memory = None
        self._load = self._give = self._call = None
        self._start = self._step = self._drop = self._trace = self._collect_step = None
        self._kernel = self._slicer = None

    def _take_step(self, function: Any, run: int, args: tuple[Any, ...]) -> Answer:
        if self.seconds_left != self._seconds_allowed:
            self._seconds_allowed = self.seconds_left
            self._slicer.allow(self.seconds_left)
        before = self._memory_used(self._memory)
        room = self.memory_left
        if room is not None or self._memory_limit is not None:
            room = self._make_room(before, args)
            if room is None:
                self.step_seconds, self.step_memory = 0.0, 0
                return self._out_of_memory(run)
            self._set_max_memory(self._memory, room)
        self._room = room
        started = perf_counter()
        try:
            result = function(*args)
        except (MemoryError, self._module.LuaError) as error:
            self._set_max_memory(self._memory, 0)
            return self._ended_abruptly(run, error)
        finally:
            self.step_seconds = perf_counter() - started
            if room is not None:
                self._set_max_memory(self._memory, 0)
            self.step_memory = self._memory_used(self._memory) - before
        if type(result) is tuple:
            kind = result[0]
            if kind == _RETURNED:
                return Returned(result[1:])
            if kind == _YIELDED:
                return Yielded(result[1], result[2:])
            if kind == _UNWOUND:
                return Failed(None, _without_heading(result[1]), "seconds")
            message, where = result[1], _without_heading(result[2])
            return Failed(message, where, "memory" if message == _NO_MEMORY else None)
        return PREEMPTED if result == _PREEMPTED else Returned(())

    def _make_room(self, used: int, args: tuple[Any, ...]) -> int | None:
        """The limit for a step; None where the VM has no room for what it is given."""
        needed = used + _RESERVE
        for arg in args:
            if type(arg) is bytes:
                needed += len(arg)
        room = needed if self.memory_left is None else used + self.memory_left
        limit = self._memory_limit
        if limit is None:
            return max(room, needed)
        if needed > limit:
            return None
        return limit if self.memory_left is None else min(max(room, needed), limit)

    def _out_of_memory(self, run: int) -> Failed:
        where = self.traceback(run)
        self.drop(run)
        return Failed(_NO_MEMORY, where, "memory")

    def _ended_abruptly(self, run: int, error: BaseException) -> Answer:
        """A step that raised on the main state: the kernel could not say how it ended."""
        abrupt = self._slicer.recover()
        if isinstance(error, (MemoryError, self._module.LuaMemoryError)):
            return self._out_of_memory(run)
        if abrupt == "interrupted":
            return PREEMPTED
        if abrupt is None:
            self._translate(error)
        where = self.traceback(run)
        self.drop(run)
        return Failed(None, where, "seconds")

    def _guarded(self, callback: Any) -> Callable[..., Any]:
        """``callback`` as a function that neither raises nor lets anything but Plain through."""

        # The usual numbers of arguments are spelled out: a loop over them, and passing them on
        # packed, would be half of the guard's time.
        def guarded(a: Any = _ABSENT, b: Any = _ABSENT, c: Any = _ABSENT, *rest: Any) -> Any:
            try:
                if b is _ABSENT:
                    if type(a) in _PLAIN_TYPES:
                        result = callback(a)
                    elif a is _ABSENT:
                        result = callback()
                    else:
                        _refuse(callback, a)
                elif c is _ABSENT:
                    if type(a) not in _PLAIN_TYPES or type(b) not in _PLAIN_TYPES:
                        _refuse(callback, a, b)
                    result = callback(a, b)
                else:
                    if (
                        type(a) not in _PLAIN_TYPES
                        or type(b) not in _PLAIN_TYPES
                        or type(c) not in _PLAIN_TYPES
                    ):
                        _refuse(callback, a, b, c)
                    if rest:
                        for arg in rest:
                            if type(arg) not in _PLAIN_TYPES:
                                _refuse(callback, arg)
                        result = callback(a, b, c, *rest)
                    else:
                        result = callback(a, b, c)
                if self._room is not None and not self._has_room(result):
                    return None, _NO_MEMORY
            except BaseException as error:
                report = self.on_callback_error
                if report is not None:
                    report(error)
                return None, b"internal error"
            return result

        return guarded

    def _has_room(self, result: object) -> bool:
        parts = result if isinstance(result, tuple) else (result,)
        size = sum(len(part) for part in parts if type(part) is bytes)
        if not size:
            return True  # a number takes none, and hooks.lua needs its clock to the last byte
        room: int = self._room or 0
        return self.memory_used() + size + _RESERVE <= room

    def _translate(self, error: BaseException) -> NoReturn:
        message = str(error).encode("utf-8", "surrogateescape")
        if isinstance(error, (MemoryError, self._module.LuaMemoryError)):
            raise LuaMemoryError(message) from None
        raise LuaRuntimeError(message) from None


def _version(module: Any) -> int:
    if module.__name__.startswith("lupa.luajit"):
        return LUAJIT
    major, minor = module.LUA_VERSION
    return int(major) * 10 + int(minor)


def _without_heading(traceback: Any) -> bytes:
    return bytes(traceback).removeprefix(_TRACEBACK_HEADING)


def _is_callback(value: object) -> bool:
    # A LuaValue is callable, too, but comes from lupa.
    return callable(value) and not type(value).__module__.startswith("lupa")


def _refuse(callback: object, *args: object) -> NoReturn:
    kinds = ", ".join(type(arg).__name__ for arg in args)
    raise TypeError(f"{callback!r} was given {kinds} by Lua, not all of them plain values")


def _no_attributes(_obj: object, _name: object, _setting: bool) -> NoReturn:
    raise AttributeError("Lua has no access to Python objects")
