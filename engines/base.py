"""What an engine is: the interface between Lua and whoever runs scripts with it.

Rules of this interface:

- A VM belongs to one thread. No method of it may be called from another one.
- Values cross as ``Plain``: bytes, int, float, bool, None. A Lua table or function crosses
  only out of :meth:`LuaVM.execute`, as an opaque ``LuaValue``, and only on the VM's main
  state: a reference that was taken inside a coroutine crashes the process when it outlives it.
- A run is a sans-I/O machine: :meth:`LuaVM.start` and :meth:`LuaVM.resume` answer with
  ``Yielded``, ``Returned``, ``Failed`` or ``Preempted`` and never raise because of a script.
- A callback never raises into Lua; see :meth:`LuaVM.execute`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeAlias

import msgspec

Plain: TypeAlias = bytes | int | float | bool | None
Callback: TypeAlias = Callable[..., Plain | tuple[Plain, ...]]


class LuaValue(Protocol):
    """A Lua table or function of the main state: to be called or handed back, not looked into."""

    def __call__(self, *args: Any) -> Any: ...


class Yielded(msgspec.Struct, frozen=True, gc=False):
    """The run asks for an operation: its tag, and what it needs to know."""

    op: bytes
    args: tuple[Plain, ...]


class Returned(msgspec.Struct, frozen=True, gc=False):
    """The run has ended by itself."""

    values: tuple[Plain, ...]


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The run has ended with an error nobody caught.

    ``error`` is None where the error value is neither a string nor a number. The traceback
    is Lua's, innermost frame first, without its heading line. Where the error came out of
    coroutines, theirs come first, each of the others behind a heading line.
    """

    error: bytes | None
    traceback: bytes


class Preempted(msgspec.Struct, frozen=True, gc=False):
    """The run's time slice is over; resume it with no values to go on."""


PREEMPTED = Preempted()

Answer: TypeAlias = Yielded | Returned | Failed | Preempted


class LuaVM(ABC):
    """One Lua state.

    The first :meth:`execute` may come right after construction; the VM has by then run
    ``kernel.lua`` and offers its table as :attr:`kernel`.
    """

    kernel: LuaValue
    """The table that ``kernel.lua`` returns, to be handed to trusted chunks."""

    @abstractmethod
    def execute(self, source: bytes, chunk: str, *args: object) -> Any:
        """Run a trusted chunk on the main state and give back what it returns.

        ``args`` are Plain values, LuaValues of this VM, and Python callables, which arrive
        in Lua as functions. Such a callback gets Plain values and answers with Plain values
        (several as a tuple). If it raises, Lua sees nil and a text, and
        :attr:`on_callback_error` gets the exception: no exception object ever enters Lua.
        Raises LuaSyntaxError, LuaRuntimeError, LuaMemoryError.
        """

    @abstractmethod
    def start(self, run: int, function: LuaValue, *args: Plain) -> Answer:
        """Start ``function`` as the new run number ``run`` with up to six plain arguments."""

    @abstractmethod
    def resume(self, run: int, *values: Plain) -> Answer:
        """Go on with a run that has yielded (``values`` is what it gets) or was preempted."""

    @abstractmethod
    def traceback(self, run: int) -> bytes:
        """Where a suspended run stands, as in ``Failed``; empty for an ended one."""

    @abstractmethod
    def drop(self, run: int) -> None:
        """Forget a run: it is never resumed again. Dropping an ended run does nothing."""

    @abstractmethod
    def memory_used(self) -> int:
        """Bytes the VM holds now."""

    @abstractmethod
    def collect(self) -> None:
        """One full garbage collection."""

    @abstractmethod
    def close(self) -> None:
        """Free everything. Nothing of the VM may be used afterwards."""

    on_callback_error: Callable[[BaseException], None] | None = None


class LuaEngine(ABC):
    """A kind of Lua. Stateless: a factory of VMs, found by name in ``registry``."""

    name: ClassVar[str]
    """What configurations and ``candy.engine`` call it."""

    @abstractmethod
    def version(self) -> str:
        """The implementation's own name and version: "LuaJIT 2.1.17", "Lua 5.4"."""

    @abstractmethod
    def new_vm(self, *, memory_limit: int | None = None) -> LuaVM:
        """A fresh VM.

        ``memory_limit`` (bytes) bounds it while a run executes; a run that needs more gets
        Lua's "not enough memory". Raises EngineUnavailable.
        """
