"""How much memory a VM holds, and the most that it may hold: :func:`open_runtime`.

lupa has a count and a bound for every Lua. On LuaJIT they cost much, because they take LuaJIT's own
allocator away (``_slicer.c`` tells why), so there the C extension has its own, where there is one.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from engines.slicer_base import address_of

try:
    from engines import _slicer
except ImportError:  # no compiler when it was installed
    _slicer = None  # type: ignore[assignment]

_NO_LIMIT = 0

_ANCHOR = b"""
local co = coroutine.create(function() end)
return function() return co end, tostring(co)
"""
"""What keeps a thread, and the thread's address: "thread: 0x7f0123456789"."""


class LupaMemory:
    """lupa's own."""

    def __init__(self, runtime: Any) -> None:
        self.used: Any = runtime.get_memory_used
        """Bytes that the VM holds now."""
        self.limit: Any = runtime.set_max_memory
        """What it may hold from now on; 0: no limit."""
        self.limit(_NO_LIMIT)

    def detach(self) -> None:
        """Before the VM is closed."""


class LuaJITMemory:
    """The extension's, see :class:`LupaMemory`. Raises OSError where it can't reach LuaJIT."""

    def __init__(self, module: Any, runtime: Any) -> None:
        self._anchor, name = runtime.execute(_ANCHOR)
        self._handle = _slicer.count(os.fsencode(module.__file__), address_of(name))
        self.used = partial(_slicer.used, self._handle)
        self.limit = partial(_slicer.limit, self._handle)

    def detach(self) -> None:
        """See :meth:`LupaMemory.detach`."""
        _slicer.uncount(self._handle)


def open_runtime(module: Any, **options: Any) -> tuple[Any, LupaMemory | LuaJITMemory]:
    """A ``LuaRuntime`` of lupa's ``module``, and its memory."""
    if _slicer is not None and module.__name__.startswith("lupa.luajit"):
        runtime = module.LuaRuntime(**options)
        try:
            return runtime, LuaJITMemory(module, runtime)
        except OSError:
            pass
    runtime = module.LuaRuntime(**options, max_memory=_NO_LIMIT)
    return runtime, LupaMemory(runtime)
