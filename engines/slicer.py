"""Time slices, and the limit of a step: how the runs of a VM are interrupted.

:func:`attach` takes the first of these ways that works on this machine:

``extension``
    ``_slicer.c``: a timer on the VM's own thread, whose ticks become yields. Costs next to nothing.
``ctypes``
    The same functions of Lua's, called through ctypes, for machines without a compiler. On LuaJIT
    a second thread sends the ticks; on PUC-Lua 5.3 and newer a hook looks at the clock every
    :data:`HOOK_INTERVAL` instructions. 5.1 and 5.2 can't yield in a hook, and have ``hooks``.
``hooks``
    Where Lua's C interface can't be reached: a hook written in Lua (``hooks.lua``) ends what is
    past its limit. No slices, and LuaJIT without its compiler.

The environment variable ``CANDY_TRIO_SLICER`` names the first of them to try: to compare them, to
test them, or to rule one out on a machine where it misbehaves.
"""

from __future__ import annotations

import os
from importlib.resources import files
from time import perf_counter
from typing import Any, Literal, TypeAlias

from engines.errors import EngineUnavailable
from engines.slicer_base import ANCHOR, CLOSING, HOOK_INTERVAL, Execute, Slicer, address_of
from engines.slicer_ctypes import CtypesLuaJITSlicer, CtypesPucSlicer

try:
    from engines import _slicer
except ImportError:  # no compiler when it was installed
    _slicer = None  # type: ignore[assignment]

Mode: TypeAlias = Literal["extension", "ctypes", "hooks"]
MODES: tuple[Mode, ...] = ("extension", "ctypes", "hooks")
VARIABLE = "CANDY_TRIO_SLICER"

LUAJIT = 0
"""What stands for LuaJIT where PUC-Lua's versions are 51 to 55."""

_TAKE_FUNCTIONS = b"""
local functions = {}
for _, name in ipairs{'anchor', 'enter', 'leave', 'expired', 'resume', 'close', 'gate'} do
  functions[name], _G['slicer_' .. name] = _G['slicer_' .. name], nil
end
slicer_register_main(coroutine.resume, coroutine.close)
slicer_register_main = nil
if not coroutine.close then functions.close = nil end      -- before 5.4 there is none to call
return functions
"""


def attach(
    module: Any, version: int, execute: Execute, time_slice: float, mode: Mode | None = None
) -> Slicer:
    """The best slicer for a VM of lupa's ``module`` that has run nothing of a script's yet.

    ``mode`` asks for one of them; raises OSError where that does not work, and EngineUnavailable
    if the environment names none that there is.
    """
    ways = (mode,) if mode is not None else MODES[_first() :]
    for way in ways:
        try:
            return _attach(module, version, execute, time_slice, way)
        except (OSError, AttributeError):  # AttributeError: a symbol is not exported
            if mode is not None:
                raise
    raise AssertionError("hooks always work")


def _first() -> int:
    name = os.environ.get(VARIABLE, MODES[0])
    if name not in MODES:
        raise EngineUnavailable(f"{VARIABLE}={name}: must be one of {', '.join(MODES)}")
    return MODES.index(name)


def _attach(module: Any, version: int, execute: Execute, time_slice: float, mode: Mode) -> Slicer:
    if mode == "hooks":
        return HooksSlicer(execute)
    if mode == "extension":
        if _slicer is None:
            raise OSError("engines._slicer is not installed")
        return ExtensionSlicer(module, version, execute, time_slice)
    if version in (51, 52):
        raise OSError("5.1 and 5.2 can't yield in a hook")
    if version == LUAJIT:
        return CtypesLuaJITSlicer(module, execute, time_slice)
    return CtypesPucSlicer(module, execute, time_slice)


class ExtensionSlicer(Slicer):
    """Through ``_slicer.c``."""

    mode = "time slices by the C extension"

    def __init__(self, module: Any, version: int, execute: Execute, time_slice: float) -> None:
        anchor = address_of(execute(ANCHOR, "slicer"))
        self._handle = _slicer.bind(os.fsencode(module.__file__), version, anchor, time_slice)
        self.functions = execute(_TAKE_FUNCTIONS, "slicer")
        if not self.slices:
            self.mode = "limits by the C extension"

    @property
    def slices(self) -> bool:  # type: ignore[override]
        """See :attr:`Slicer.slices`."""
        return _slicer.sliced(self._handle)

    def allow(self, seconds: float) -> None:
        """See :meth:`Slicer.allow`."""
        _slicer.allow(self._handle, seconds)

    def interrupt_every(self, count: int) -> None:
        """See :meth:`Slicer.interrupt_every`."""
        _slicer.interrupt_every(self._handle, count)

    def interruptions(self) -> int:
        """See :meth:`Slicer.interruptions`."""
        return _slicer.statistics(self._handle)[1]

    def detach(self) -> None:
        """See :meth:`Slicer.detach`."""
        _slicer.unbind(self._handle)


class HooksSlicer(Slicer):
    """``hooks.lua``: limits, by Lua's own means."""

    mode = "limits by a hook in Lua, no time slices"

    def __init__(self, execute: Execute) -> None:
        self.slices = False
        source = (files("engines") / "hooks.lua").read_bytes()
        self.functions = execute(source, "hooks.lua", perf_counter, HOOK_INTERVAL, CLOSING)
        self._allow: Any = self.functions[b"allow"]

    def allow(self, seconds: float) -> None:
        """See :meth:`Slicer.allow`."""
        self._allow(seconds)

    def interrupt_every(self, count: int) -> None:
        """See :meth:`Slicer.interrupt_every`."""
        raise OSError(f"{self.mode}: nothing can be interrupted")

    def interruptions(self) -> int:
        """See :meth:`Slicer.interruptions`."""
        return 0

    def detach(self) -> None:
        """See :meth:`Slicer.detach`."""
