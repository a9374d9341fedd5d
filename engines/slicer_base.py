"""What a slicer is: the interface between a VM and what interrupts its runs; see ``slicer.py``.

A slicer puts a table of functions into the hands of ``kernel.lua``:

==================== =====================================================================
``enter(co, closing)`` before a thread is resumed on the main state
``leave()``          after it; true if the run has been unwound
``expired()``        whether the run is past its limit; it is then raised in, where it stands
``resume``, ``close`` in the place of Lua's own, for the coroutines of runs; or nil
``born(co)``         for each thread that is made on the main state; or nil
``inner(co)``        for each coroutine that is made in a run; or nil
``made(co)``         the same, where a hook is no call of Lua's: nested ``pcall`` are not counted
``gate(...)``        a C function that stands before one of ours, see ``natives.lua``; or nil
==================== =====================================================================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

Execute: TypeAlias = Callable[..., Any]
"""``LuaVM.execute`` of the VM."""

Abrupt: TypeAlias = Literal["interrupted", "unwound"]

HOOK_INTERVAL = 1000
"""PUC-Lua instructions between two looks at the clock."""

CLOSING = 0.02
"""Seconds for the pending ``<close>`` variables of a thread that died: nothing interrupts them."""

ANCHOR = b"""
local co = coroutine.create(function() coroutine.yield() end)
coroutine.resume(co)
slicer_anchor = co
return tostring(co)
"""
"""Makes a thread that lives as long as the VM, and tells its address: "thread: 0x7f0123456789"."""

_NOTHING = b"""
local function nothing() end
return {enter = nothing, leave = nothing, expired = nothing}
"""


class Slicer(ABC):
    """What interrupts the runs of one VM; all methods are called between its runs."""

    mode: str
    """For the log: what is done, and by what means."""
    slices: bool
    """Whether steps are interrupted, not only limited."""
    functions: Any
    """The table for ``kernel.lua``, see the module."""

    @abstractmethod
    def allow(self, seconds: float) -> None:
        """What each step may take from now on before it is unwound."""

    @abstractmethod
    def interrupt_every(self, count: int) -> None:
        """For tests: interrupt each step before each ``count`` instructions; 0 ends it.

        LuaJIT's compiled code has no such hooks: its compiler is to be off then.
        """

    @abstractmethod
    def interruptions(self) -> int:
        """How often a step has been interrupted so far."""

    def recover(self) -> Abrupt | None:
        """After a step that raised on the main state, and so has not come to ``leave()``.

        Tells what a hook of ours had done, if it was one that raised there.
        """
        return "unwound" if self.functions[b"leave"]() else None

    @abstractmethod
    def detach(self) -> None:
        """Before the VM is closed."""


class NoSlicer(Slicer):
    """For VMs that run nothing but the server's own Lua, and for engines' tests."""

    mode = "no limits"

    def __init__(self, execute: Execute) -> None:
        self.slices = False
        self.functions = execute(_NOTHING, "slicer")

    def allow(self, seconds: float) -> None:
        """See :meth:`Slicer.allow`."""

    def interrupt_every(self, count: int) -> None:
        """See :meth:`Slicer.interrupt_every`."""
        raise OSError("this VM was made without time slices")

    def interruptions(self) -> int:
        """See :meth:`Slicer.interruptions`."""
        return 0

    def detach(self) -> None:
        """See :meth:`Slicer.detach`."""


def address_of(thread: bytes) -> int:
    """Of what ``tostring`` says of a thread."""
    return int(thread.rpartition(b"0x")[2], 16)
