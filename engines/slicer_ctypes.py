"""Time slices without the extension: the same functions of Lua's, called through ctypes.

A hook that is to yield or raise is one of Lua's own functions, put there as it is: none of
Python's frames may be on the C stack when LuaJIT unwinds. ``lua_yield`` and ``luaL_error`` then
get Lua's ``lua_Debug`` as second argument: the one does not look at it in a hook, and to the other
it is the text "\\x03", the event's number.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from math import inf
from time import perf_counter
from typing import Any, ClassVar

from engines.slicer_base import ANCHOR, CLOSING, HOOK_INTERVAL, Abrupt, Execute, Slicer, address_of

_PUC_FUNCTIONS = b"""
local enter, leave, expired, born, hurry = ...
local running, tostring = coroutine.running, tostring
local functions = {anchor = slicer_anchor, leave = leave, expired = expired}
local count = 0
slicer_anchor = nil
function functions.enter(_, closing) return enter(closing or false) end
function functions.born(co) return born(tostring(co)) end
function functions.made()
  count = count + 1
  if count % 64 == 0 then return hurry(tostring((running()))) end
end
return functions
"""
"""Each coroutine counts its own instructions: where many are made, none may live to a hook."""

_LUAJIT_FUNCTIONS = b"""
local enter, leave, expired, shield = ...
local resume, isyieldable = coroutine.resume, coroutine.isyieldable
local functions = {anchor = slicer_anchor, leave = leave, expired = expired}
slicer_anchor = nil
function functions.enter(_, closing) return enter(closing or false) end
local function unshielded(...)
  shield(-1)
  return ...
end
function functions.resume(co, ...)
  if isyieldable() then return resume(co, ...) end
  shield(1)
  return unshielded(resume(co, ...))
end
return functions
"""
"""The yielding hook stays where it is until ``leave()``, and goes off in each thread on the way up:
so a coroutine is not interrupted that was resumed from where nothing can yield."""

FIRST_INTERVAL = 40
"""Instructions until a thread's first hook, and from one to the next where they take long."""

PATIENCE, STEP = 20, 23
"""How often a run that is too late is looked at, every so many instructions, before it is raised in
from then on: it may be where nothing can yield for a moment only, as in the handler of an error."""

QUICK, SLOW = 8e-6, 1e-3
"""Seconds from hook to hook: a shorter time asks for more instructions, a longer one for fewer."""

_MASK_COUNT = 8
_JIT_OFF = 0
_JIT_FLUSH = 0x0200
_SELDOM = 20_000
"""Interpreted instructions; see ``_slicer.c``, which says what is looked for then."""
_Pointer = ctypes.c_void_p
_Hook = ctypes.CFUNCTYPE(None, _Pointer, _Pointer)
_Sample = ctypes.CFUNCTYPE(None, _Pointer, _Pointer, ctypes.c_int, ctypes.c_int)


class CtypesSlicer(Slicer):
    """What the two kinds share."""

    def __init__(self, module: Any, execute: Execute, time_slice: float) -> None:
        self.slices = True
        self._library = ctypes.PyDLL(module.__file__)
        self._library.lua_isyieldable.argtypes = [_Pointer]
        self._sethook = self._library.lua_sethook
        self._sethook.argtypes = [_Pointer, _Pointer, ctypes.c_int, ctypes.c_int]
        self._sethook.restype = None
        self._raise = _pointer_to(self._library.luaL_error)
        self._slice = time_slice
        self._allowed = inf
        self._interruptions = 0
        self._due = 0.0
        """When the run is to be interrupted (``perf_counter``); 0 between runs."""
        self._late = 0.0
        """When it is to be unwound."""
        self._unwound = False
        self._tries = 0
        """How often it was found too late where nothing can yield."""
        self._every = 0
        """For tests: interrupt before each so many instructions; else 0."""
        self._anchor = address_of(execute(ANCHOR, "slicer"))
        self.functions = self._make_functions(execute)

    def _make_functions(self, execute: Execute) -> Any:
        raise NotImplementedError

    def allow(self, seconds: float) -> None:
        """See :meth:`Slicer.allow`."""
        self._allowed = seconds

    def interrupt_every(self, count: int) -> None:
        """See :meth:`Slicer.interrupt_every`.

        On PUC-Lua threads that exist keep the interval they have; LuaJIT yields one instruction
        later, for a hook that yields can't look first whether it may.
        """
        self._every = count

    def interruptions(self) -> int:
        """See :meth:`Slicer.interruptions`."""
        return self._interruptions

    def _enter(self, closing: bool) -> None:
        now = perf_counter()
        self._unwound = False
        self._tries = 0
        self._late = now + (min(self._allowed, CLOSING) if closing else self._allowed)
        self._due = now + self._slice

    def _leave(self) -> bool:
        self._due = 0.0
        return self._unwound

    def _expired(self) -> bool:
        if perf_counter() <= self._late:
            return False
        self._unwound = True
        return True

    def _raise_in(self, thread: int, again: Any) -> None:
        """Raise at each instruction, or first have ``again`` called a little later."""
        self._tries += 1
        if self._tries > PATIENCE:
            self._unwound = True
            self._sethook(thread, self._raise, _MASK_COUNT, 1)
        else:
            self._sethook(thread, _pointer_to(again), _MASK_COUNT, STEP)


class CtypesPucSlicer(CtypesSlicer):
    """PUC-Lua 5.3 and newer: a hook that is always there, and that new coroutines inherit.

    How many instructions there are between two hooks follows the time that they take: a few C
    calls may take a slice.
    """

    mode = "time slices through ctypes, by a count hook"

    def __init__(self, module: Any, execute: Execute, time_slice: float) -> None:
        super().__init__(module, execute, time_slice)
        self._library.lua_yieldk.argtypes = [_Pointer, ctypes.c_int, _Pointer, _Pointer]
        self._library.lua_gethookcount.argtypes = [_Pointer]
        self._seen = 0.0
        """When the last hook came."""
        self._hook = _Hook(self._at_hook)

    def _make_functions(self, execute: Execute) -> Any:
        callbacks = self._enter, self._leave, self._expired, self._born, self._hurry
        return execute(_PUC_FUNCTIONS, "slicer", *callbacks)

    def _set(self, thread: int, count: int) -> None:
        self._sethook(thread, _pointer_to(self._hook), _MASK_COUNT, self._every or count)

    def _born(self, thread: bytes) -> None:
        self._set(address_of(thread), FIRST_INTERVAL)

    def _hurry(self, thread: bytes) -> None:
        if perf_counter() >= self._due:
            self._set(address_of(thread), 1)

    def _enter(self, closing: bool) -> None:
        super()._enter(closing)
        self._seen = self._due - self._slice

    def _at_hook(self, thread: int, _where: int) -> None:
        now = perf_counter()
        took, self._seen = now - self._seen, now
        if took < QUICK or took > SLOW:
            self._adapt(thread, took)
        if now < self._due and not self._every:
            return
        if self._library.lua_isyieldable(thread):
            self._interruptions += 1
            self._due = inf  # not once more on its way up, before it is known who resumed whom
            self._library.lua_yieldk(thread, 0, None, None)
        elif now > self._late:
            self._raise_in(thread, self._hook)

    def _expired(self) -> bool:
        # Whoever asks can't hand the interruption on, and goes on, unless it is too late.
        late = super()._expired()
        self._due = 0.0 if late else perf_counter() + self._slice
        return late

    def _adapt(self, thread: int, took: float) -> None:
        count = self._library.lua_gethookcount(thread)
        wanted = FIRST_INTERVAL if took > SLOW else min(count * 4, HOOK_INTERVAL)
        if wanted != count:
            self._set(thread, wanted)

    def detach(self) -> None:
        """See :meth:`Slicer.detach`."""


class CtypesLuaJITSlicer(CtypesSlicer):
    """LuaJIT: as in ``_slicer.c``, with a thread that sends the tick's signal."""

    mode = "time slices through ctypes, with a thread that keeps the time"
    _profiled: ClassVar[CtypesLuaJITSlicer | None] = None

    def __init__(self, module: Any, execute: Execute, time_slice: float) -> None:
        super().__init__(module, execute, time_slice)
        library = self._library
        library.luaJIT_profile_start.argtypes = [_Pointer, ctypes.c_char_p, _Sample, _Pointer]
        library.luaJIT_profile_stop.argtypes = [_Pointer]
        library.luaJIT_setmode.argtypes = [_Pointer, ctypes.c_int, ctypes.c_int]
        self._yield = _pointer_to(library.lua_yield)
        self._seldom = _Hook(lambda thread, _where: self._at_sample(0, thread, 0, 0))
        self._sparse = _Hook(self._at_sparse_hook)
        self._sample = _Sample(self._at_sample)
        self._shields = 0
        self._interrupted = False
        """Whether the yielding hook has been put in this step."""
        self._demoted = False
        previous = CtypesLuaJITSlicer._profiled
        if previous is not None:
            previous._demote()
        CtypesLuaJITSlicer._profiled = self
        library.luaJIT_profile_start(self._anchor, b"li1000000", self._sample, None)
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._rest()
        self._thread = threading.get_ident()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._keep_time, name="time slices", daemon=True)
        self._watch.start()

    def _make_functions(self, execute: Execute) -> Any:
        callbacks = self._enter, self._leave, self._expired, self._shield
        return execute(_LUAJIT_FUNCTIONS, "slicer", *callbacks)

    def _shield(self, change: int) -> None:
        self._shields += change

    def _rest(self) -> None:
        # The count bit stays on, for at_sample() could not add it: see _slicer.c.
        hook, interval = (self._sparse, HOOK_INTERVAL) if self._demoted else (self._seldom, _SELDOM)
        self._sethook(self._anchor, _pointer_to(hook), _MASK_COUNT, interval)

    def _enter(self, closing: bool) -> None:
        super()._enter(closing)
        self._shields = 0
        self._interrupted = False
        if self._every:
            hook = _pointer_to(self._seldom)
            self._sethook(self._anchor, hook, _MASK_COUNT, self._every)
        if not self._wake.is_set():
            self._wake.set()

    def _leave(self) -> bool:
        super()._leave()
        self._rest()
        return self._unwound

    def recover(self) -> Abrupt | None:
        """See :meth:`Slicer.recover`: no hook stops by itself, not even on the main state."""
        if self._leave():
            return "unwound"
        return "interrupted" if self._interrupted else None

    def _at_sample(self, _data: int, thread: int, _samples: int, _state: int) -> None:
        now = perf_counter()
        if not self._due or (now < self._due and not self._every):
            return
        if self._library.lua_isyieldable(thread) and not self._shields:
            self._interruptions += 1
            self._interrupted = True
            self._sethook(thread, self._yield, _MASK_COUNT, 1)
        elif now > self._late:
            self._raise_in(thread, self._seldom)

    def _at_sparse_hook(self, thread: int, _where: int) -> None:
        if self._due and perf_counter() > self._late:
            self._unwound = True
            self._sethook(thread, self._raise, _MASK_COUNT, 1)

    def _expired(self) -> bool:
        late = super()._expired()
        if late:
            self._sethook(self._anchor, self._raise, _MASK_COUNT, 1)
        return late

    def _keep_time(self) -> None:
        """The thread: one signal a slice while a run computes, nothing while none does."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF})
        while True:
            self._wake.wait()
            if self._stopping.is_set():
                return
            due = self._due
            if not due:
                self._wake.clear()
                # A run that entered before the clear() has found it set.
                if self._due:
                    self._wake.set()
                continue
            left = due - perf_counter()
            if left > 0:
                self._stopping.wait(left)
                continue
            signal.pthread_kill(self._thread, signal.SIGPROF)
            self._stopping.wait(self._slice)

    def _demote(self) -> None:
        """Another VM takes the profiler: what is left is the limit, with the compiler off."""
        self._end_ticks()
        self.slices = False
        self._demoted = True
        self._library.luaJIT_setmode(self._anchor, 0, _JIT_FLUSH)
        self._library.luaJIT_setmode(self._anchor, 0, _JIT_OFF)
        self._rest()

    def _end_ticks(self) -> None:
        # The thread first: once the profiler has gone, a late signal would end the process.
        self._stopping.set()
        self._wake.set()
        self._watch.join()
        self._library.luaJIT_profile_stop(self._anchor)
        CtypesLuaJITSlicer._profiled = None

    def detach(self) -> None:
        """See :meth:`Slicer.detach`."""
        if not self._demoted:
            self._end_ticks()


def _pointer_to(function: Any) -> int:
    address = ctypes.cast(function, _Pointer).value
    assert address is not None
    return address
