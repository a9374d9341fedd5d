"""What an engine is: the interface between Lua and whoever runs scripts with it.

Rules of this interface:

- A VM belongs to one thread. No method of it may be called from another one.
- Values cross as ``Plain``: bytes, int, float, bool, None. A Lua table or function crosses
  only out of :meth:`LuaVM.execute`, as an opaque ``LuaValue``, and only on the VM's main
  state: a reference that was taken inside a coroutine crashes the process when it outlives it.
- A run is a sans-I/O machine: :meth:`LuaVM.start` and :meth:`LuaVM.resume` answer with
  ``Yielded``, ``Returned``, ``Failed`` or ``Preempted`` and never raise because of a script.
- Each of the two is a *step*. What a step may use is said before it, in attributes, and what it
  has used is read after it: whoever runs scripts adds up the steps of a run.
- A callback never raises into Lua; see :meth:`LuaVM.execute`.
"""

from __future__ import annotations

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

import msgspec
from mypy_extensions import mypyc_attr

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
    limit: Literal["seconds", "memory"] | None = None
    """Which allowance of the step it went past, if that is what ended it."""


class Preempted(msgspec.Struct, frozen=True, gc=False):
    """The run's time slice is over; resume it with no values to go on.

    It may end early where little is left of :attr:`LuaVM.memory_left`: much may be garbage.
    """


PREEMPTED = Preempted()

Answer: TypeAlias = Yielded | Returned | Failed | Preempted


@mypyc_attr(allow_interpreted_subclasses=True)
class LuaVM(metaclass=ABCMeta):
    """One Lua state.

    The first :meth:`execute` may come right after construction; the VM has by then run
    ``kernel.lua`` and offers its table as :attr:`kernel`.
    """

    seconds_left: float = math.inf
    """What the next steps may compute each. A step that goes past it and can't be interrupted
    where it is (in a comparator, a finalizer) is unwound by errors that nothing stops."""

    memory_left: int | None = None
    """Bytes that the next steps may add to the VM each; None: the VM's own limit alone."""

    step_seconds: float = 0.0
    """What the last step took."""

    step_memory: int = 0
    """What the last step added to the VM's memory; negative where it collected garbage."""

    mode: str
    """How limits are enforced, in words for a log: "time slices by the C extension"."""

    @property
    @abstractmethod
    def kernel(self) -> LuaValue:
        """The table that ``kernel.lua`` returns, to be handed to trusted chunks."""

    @property
    @abstractmethod
    def slices(self) -> bool:
        """Whether steps end with ``Preempted`` when their time slice is over."""

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
    def collect_step(self) -> bool:
        """A piece of a garbage collection, a millisecond or two; True when a cycle has ended."""

    @abstractmethod
    def retire(self) -> None:
        """Another VM takes this one's place: give up what only one of a process can have.

        The runs in it are still resumed to their ends, perhaps without slices.
        """

    @abstractmethod
    def close(self) -> None:
        """Free everything. Nothing of the VM may be used afterwards."""

    on_callback_error: Callable[[BaseException], None] | None = None


@mypyc_attr(allow_interpreted_subclasses=True)
class LuaEngine(metaclass=ABCMeta):
    """A kind of Lua. Stateless: a factory of VMs, found by name in ``registry``."""

    name: ClassVar[str]
    """What configurations and ``candy.engine`` call it."""

    @abstractmethod
    def version(self) -> str:
        """The implementation's own name and version: "LuaJIT 2.1.17", "Lua 5.4"."""

    @abstractmethod
    def new_vm(self, *, memory_limit: int | None = None, time_slice: float | None = None) -> LuaVM:
        """A fresh VM.

        ``memory_limit`` (bytes) bounds it while a run executes; a run that needs more ends with
        "not enough memory", which no script catches. After ``time_slice`` (seconds) a step ends
        with ``Preempted``; None: never. Raises EngineUnavailable.
        """
