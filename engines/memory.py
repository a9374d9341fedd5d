"""How much memory a VM holds, and the most that it may hold: :func:`open_runtime`.

lupa has a count and a bound for every Lua. Where there is the C extension it has better ones:
``_slicer.c`` tells why.
"""

from __future__ import annotations

import os
from typing import Any

from engines.slicer_base import address_of

try:
    from engines import _slicer
except ImportError:  # no compiler when it was installed
    _slicer = None  # type: ignore[assignment]

_NO_LIMIT = 0

_JIT_HEADROOM = 64 << 20
"""Bytes: see :class:`LupaMemory`."""

_ANCHOR = b"""
local count = ...
local co, newest
co = coroutine.create(function()
  newest = {}
  count(tostring(co))
end)
coroutine.resume(co)
return function() return co end
"""
"""Calls with the address of the thread that does so, "thread: 0x7f0123456789", which is not the
newest object then; and what keeps that thread."""


class LupaMemory:
    """lupa's own. LuaJIT does not bear each refusal (see ``_slicer.c``), and lupa does not choose:
    so it refuses much later there, and whoever resumes a run finds it past its limit before that.
    """

    def __init__(self, module: Any, runtime: Any) -> None:
        self.handle: Any = runtime
        """What the two functions want to be called with."""
        self.used: Any = type(runtime).get_memory_used
        """Of the handle: bytes that the VM holds now."""
        bound: Any = type(runtime).set_max_memory
        self.limit: Any = bound
        """Of the handle, and what the VM may hold from now on; 0: no limit."""
        if "luajit" in module.__name__:
            self.limit = lambda handle, most: bound(handle, most and most + _JIT_HEADROOM)
        self.limit(runtime, _NO_LIMIT)

    def detach(self) -> None:
        """Before the VM is closed."""


class CountedMemory:
    """The extension's, see :class:`LupaMemory`. Raises OSError where it can't reach Lua."""

    def __init__(self, module: Any, runtime: Any) -> None:
        path = os.fsencode(module.__file__)
        self.handle: Any = None
        problem: OSError | None = None

        def count(thread: bytes) -> None:
            nonlocal problem
            try:
                self.handle = _slicer.count(path, address_of(thread))
            except OSError as error:
                problem = error

        self._anchor = runtime.execute(_ANCHOR, count)
        if problem:
            raise problem
        self.used = _slicer.used
        self.limit = _slicer.limit

    def detach(self) -> None:
        """See :meth:`LupaMemory.detach`."""
        _slicer.uncount(self.handle)


def open_runtime(module: Any, **options: Any) -> tuple[Any, LupaMemory | CountedMemory]:
    """A ``LuaRuntime`` of lupa's ``module``, and its memory."""
    if _slicer is not None:
        runtime = module.LuaRuntime(**options)
        try:
            return runtime, CountedMemory(module, runtime)
        except OSError:
            pass
    runtime = module.LuaRuntime(**options, max_memory=_NO_LIMIT)
    return runtime, LupaMemory(module, runtime)
