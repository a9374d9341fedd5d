"""PUC-Lua 5.1 to 5.5, the reference implementation, through lupa."""

from __future__ import annotations

import importlib
from typing import ClassVar

from engines.base import LuaEngine
from engines.errors import EngineUnavailable
from engines.lupa_vm import LupaVM


class PucLua(LuaEngine):
    """One version of PUC-Lua; a subclass names it by ``name``, which is lupa's name, too."""

    def __init__(self) -> None:
        try:
            self._module = importlib.import_module(f"lupa.{self.name}")
        except ImportError as error:
            raise EngineUnavailable(f'engine "{self.name}": {error}') from error

    def version(self) -> str:
        """See :meth:`engines.base.LuaEngine.version`."""
        return "Lua {}.{}".format(*self._module.LUA_VERSION)

    def new_vm(self, *, memory_limit: int | None = None, time_slice: float | None = None) -> LupaVM:
        """See :meth:`engines.base.LuaEngine.new_vm`."""
        return LupaVM(self._module, memory_limit, time_slice)


class Lua51(PucLua):
    """PUC-Lua 5.1."""

    name: ClassVar[str] = "lua51"


class Lua52(PucLua):
    """PUC-Lua 5.2."""

    name: ClassVar[str] = "lua52"


class Lua53(PucLua):
    """PUC-Lua 5.3."""

    name: ClassVar[str] = "lua53"


class Lua54(PucLua):
    """PUC-Lua 5.4."""

    name: ClassVar[str] = "lua54"


class Lua55(PucLua):
    """PUC-Lua 5.5."""

    name: ClassVar[str] = "lua55"
