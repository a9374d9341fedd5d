"""The errors of the engines, one small tree.

LuaError                 carries Lua's own message, as bytes: Lua strings are bytes
├── LuaSyntaxError       a chunk does not compile
├── LuaRuntimeError      trusted Lua (not a script: scripts answer ``Failed``) raised
├── LuaMemoryError       the VM's memory limit was reached outside a run
└── LimitExceeded        a run was ended at one of its limits
EngineUnavailable        an engine is registered but can't be used on this machine
"""

from __future__ import annotations


class LuaError(Exception):
    """Root of what Lua itself reports; ``message`` is its text."""

    def __init__(self, message: bytes) -> None:
        super().__init__(message.decode("utf-8", "replace"))
        self.message = message


class LuaSyntaxError(LuaError):
    """A chunk does not compile; the message has chunk name and line."""


class LuaRuntimeError(LuaError):
    """A trusted chunk or function raised."""


class LuaMemoryError(LuaError):
    """The VM could not get memory."""


class LimitExceeded(LuaError):
    """A run was ended because it reached a limit."""


class EngineUnavailable(Exception):
    """The engine's library is missing or of the wrong version."""
