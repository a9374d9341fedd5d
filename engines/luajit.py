"""LuaJIT 2.1, through lupa: compiled code for routes that compute."""

from __future__ import annotations

import importlib
from typing import ClassVar

from engines.base import LuaEngine
from engines.errors import EngineUnavailable
from engines.lupa_vm import LupaVM


class LuaJIT(LuaEngine):
    """LuaJIT 2.1 (Lua 5.1 with much of 5.2)."""

    name: ClassVar[str] = "luajit"

    def __init__(self) -> None:
        try:
            self._module = importlib.import_module("lupa.luajit21")
        except ImportError as error:
            raise EngineUnavailable(f'engine "{self.name}": {error}') from error

    def version(self) -> str:
        """See :meth:`engines.base.LuaEngine.version`."""
        return str(self._module.LuaRuntime().eval("jit.version"))

    def new_vm(self, *, memory_limit: int | None = None, time_slice: float | None = None) -> LupaVM:
        """See :meth:`engines.base.LuaEngine.new_vm`."""
        return LupaVM(self._module, memory_limit, time_slice)
