"""A tick may come at any moment, in the middle of LuaJIT's own work on its instructions' table too.

So it gets many more ticks here than a slicer makes, while loops are compiled. It runs in a process
of its own: one that is stuck in Lua can only be killed.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Any, get_args

import pytest
from support.extension import need_extension

from engines import registry
from engines.base import PREEMPTED
from engines.lupa_vm import LupaVM
from engines.slicer import Mode

ROOT = Path(__file__).parents[2]
SECONDS = 3.0
SLICE = 0.0005

_TO_A_THREAD = 4
_LOOP_MAKER = b"""
local n = 0
return function()
  n = n + 1
  if n % 200 == 0 then jit.flush() end
  return loadstring('while true do end')
end
"""


class _Event(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("rest", ctypes.c_char * 48),
    )


class Ticks:
    """The ticks of the slicer of ``vm``, as often as one likes."""

    def __init__(self, vm: LupaVM) -> None:
        handle = getattr(vm._slicer, "_handle", None)  # the extension looks whose tick it is
        event = _Event(handle, signal.SIGPROF, _TO_A_THREAD, threading.get_native_id())
        self._timer = ctypes.c_void_p()
        self._library = ctypes.CDLL(None)
        assert not self._library.timer_create(1, ctypes.byref(event), ctypes.byref(self._timer))

    def every(self, nanoseconds: int) -> None:
        """0: no more of them."""
        when = (ctypes.c_long * 4)(0, nanoseconds, 0, nanoseconds)
        assert not self._library.timer_settime(self._timer, 0, ctypes.byref(when), None)


def compile_under_ticks(mode: Mode) -> int:
    """How many loops were interrupted, each of them newly compiled."""
    module: Any = registry.load("luajit")._module  # type: ignore[attr-defined]
    vm = LupaVM(module, None, SLICE, mode)
    ticks, rng = Ticks(vm), random.Random(1)
    new_loop = vm.execute(_LOOP_MAKER, "t")
    run, end = 0, monotonic() + SECONDS
    while monotonic() < end:
        run += 1
        loop = new_loop()
        ticks.every(rng.randrange(15_000, 30_000))
        answers = vm.start(run, loop), vm.resume(run), vm.resume(run)
        ticks.every(0)
        assert answers == (PREEMPTED,) * 3
        vm.drop(run)
    return run


@pytest.mark.parametrize("mode", ["extension", "ctypes"])
def test_no_tick_is_lost_for_ever(mode: Mode) -> None:
    """What one tick broke in LuaJIT's table no later tick mends: the loop went on for ever."""
    need_extension(mode)
    done = subprocess.run(
        [sys.executable, __file__, mode],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=10 * SECONDS,
    )
    assert int(done.stdout) > 20


if __name__ == "__main__":
    assert sys.argv[1] in get_args(Mode)
    print(compile_under_ticks(sys.argv[1]))  # type: ignore[arg-type]
