"""How long a script keeps everybody waiting at one go.

Where a VM has time slices, a step ends at the first instruction after its slice: what the longest
step took beyond a slice is the longest call. Where it has none (or not yet), a hook looks at the
clock before every instruction. Both count the time of this thread, not of the machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engines.lupa_vm import LupaVM

SLICE = 0.005
"""Seconds: the default of lua_time_slice."""

MEMORY = 64 << 20
"""Bytes: the default of lua_memory_limit."""

_HOOK = b"""
local create, sethook, clock, getinfo = coroutine.create, debug.sethook, os.clock, debug.getinfo
local last, longest, where = clock(), 0, '-'
if jit then jit.off() end
local function hook()
  local now = clock()
  if now - last > longest then
    longest = now - last
    local info = getinfo(2, 'Sl')
    where = info.short_src .. ':' .. info.currentline
  end
  last = clock()
end
function coroutine.create(f)
  local co = create(f)
  sethook(co, hook, '', 1)
  return co
end
local function begin() last = clock() end
local function answer()
  local result, place = longest, where
  longest, where = 0, '-'
  return result, place
end
return begin, answer
"""


class Steps:
    """What the runs of one site have taken; see :func:`watch`."""

    def __init__(self) -> None:
        self.longest = 0.0
        """Seconds of the longest call."""
        self.where = ""
        """The line behind it, where a hook has seen it."""
        self.interruptions = 0

    def forget(self) -> None:
        self.longest, self.where, self.interruptions = 0.0, "", 0

    def note(self, seconds: float, where: str = "") -> None:
        if seconds > self.longest:
            self.longest, self.where = seconds, where


@contextmanager
def watch(*, hooked: bool = False) -> Iterator[Steps]:
    """Every VM made meanwhile is watched; ``hooked``: by the hook, whatever it offers."""
    steps = Steps()
    native_own, native_start, native_resume = LupaVM._execute_own, LupaVM.start, LupaVM.resume
    hooks: dict[LupaVM, tuple[Any, Any]] = {}

    def execute_own(vm: LupaVM, name: str, *args: object) -> Any:
        if name == "kernel" and hooked:
            hooks[vm] = vm.execute(_HOOK, "hook")
        return native_own(vm, name, *args)

    def stepping(native: Any) -> Any:
        def step(vm: LupaVM, *args: Any) -> Any:
            hook = hooks.get(vm)
            if hook is not None:
                hook[0]()
            begun = time.thread_time()
            answer = native(vm, *args)
            took = time.thread_time() - begun
            if hook is not None:
                seconds, where = hook[1]()
                steps.note(seconds, where.decode())
            else:
                steps.note(took - SLICE)
            return answer

        return step

    patched: Any = LupaVM
    patched._execute_own = execute_own
    patched.start, patched.resume = stepping(native_start), stepping(native_resume)
    try:
        yield steps
    finally:
        patched._execute_own = native_own
        patched.start, patched.resume = native_start, native_resume
