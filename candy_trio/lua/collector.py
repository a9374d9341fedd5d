"""Makes room in VMs: collects their garbage in steps, ends what holds too much, and frees the
VMs that were retired.

Rules of this module:

- A piece of a collection is as good as a slice of a script, and waits in the same queue. What one
  piece is enough for may follow at once on the slice of the run that it is for.
- First the garbage, if need be while the VM's scripts stand still; then the scripts with the
  largest sums; then the VM itself: one that has no room although nobody in it holds much is
  retired, with whatever fills it.
- One task at most makes room in a VM.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

import trio

from candy_trio.errors import CandyError, RequestError
from candy_trio.lua import limits
from candy_trio.lua.limits import Breach

if TYPE_CHECKING:
    from collections.abc import Callable

    from candy_trio.lua.current import LuaRun
    from candy_trio.lua.vm import ScriptVM

CYCLES: Final = 2
"""Ends of a cycle to wait for: what became garbage while one was under way survives it."""

PIECE_SECONDS: Final = 0.003
"""What is done of a collection in one turn, at least a step: less would make whoever waits for its
end wait for many times as many slices of others."""

STEP: Final = 1 << 16
"""Bytes that a step works through at least. It bounds the steps of a collection: scripts that
make garbage as fast as it is collected would keep it going for ever."""


class Collector:
    """One a worker; :meth:`run` is its task."""

    def __init__(self, slices: trio.Lock, retire: Callable[[ScriptVM, str], None]) -> None:
        self._slices = slices
        self._retire = retire
        self._wanted: set[ScriptVM] = set()
        self._nursery: trio.Nursery | None = None

    def want(self, vm: ScriptVM) -> None:
        """Collect the garbage of ``vm``, and make room where there is none."""
        if vm in self._wanted or vm.retired:
            return
        self._wanted.add(vm)
        vm.making_room = trio.Event()
        if self._nursery is not None:
            self._nursery.start_soon(self._tend, vm)

    async def collection(self, vm: ScriptVM, run: LuaRun) -> None:
        """Wait for the end of one, of which nobody says how much of it has passed already.

        Those who wait pay for what is done meanwhile, as if their own steps did it: each for the
        part of the memory that it has taken. The rest is the VM's whole, which is nobody's fault.
        """
        vm.collected_for.add(run)
        try:
            if vm not in self._wanted:
                # A small VM is done with at once: turns of the loop would take longer than that.
                collection = _Collection(vm)
                collection.go_on()
                if collection.ended:
                    return
            self.want(vm)
            if vm.making_room is not None:
                await vm.making_room.wait()
        finally:
            vm.collected_for.discard(run)

    def close(self, vm: ScriptVM) -> None:
        """Free a retired VM if nobody is in it any more."""
        if not vm.suspended and self._nursery is not None:
            self._nursery.start_soon(self._close, vm)

    async def run(self) -> None:
        """Work until cancelled."""
        async with trio.open_nursery() as self._nursery:
            for vm in self._wanted:
                self._nursery.start_soon(self._tend, vm)
            await trio.sleep_forever()

    async def _tend(self, vm: ScriptVM) -> None:
        try:
            await self._make_room(vm)
        finally:
            self._wanted.discard(vm)
            vm.room_is_made()

    async def _close(self, vm: ScriptVM) -> None:
        # Whoever was the last one in it may still have a word with it in this turn.
        await trio.lowlevel.checkpoint()
        if not vm.closed:
            vm.close()

    async def _make_room(self, vm: ScriptVM) -> None:
        await self._collect(vm)
        while _is_short(vm):
            # What was let go of since that began is still there, and seems to be held.
            await self._collect_alone(vm)
            if not _is_short(vm):
                return
            victims = vm.room.victims(vm.memory_used(), vm.suspended)
            for run in victims:
                run.end(_ending(vm, run))
            if not victims:
                self._retire(
                    vm,
                    f"lua_vm_memory: {limits.size(vm.memory_used())} of at most"
                    f" {limits.size(vm.room.limit)} are in use after a collection, and no"
                    " running script holds much of it",
                )
            # One that can't leave at once (a file is being read for it) is chosen again.
            await trio.lowlevel.checkpoint()

    async def _collect(self, vm: ScriptVM) -> None:
        """Collect in turn with scripts that compute."""
        collection = _Collection(vm)
        while not collection.ended:
            async with self._slices:
                collection.go_on()

    async def _collect_alone(self, vm: ScriptVM) -> None:
        """Collect while the scripts of this VM that have begun stand still."""
        vm.pause = trio.Event()
        try:
            await self._collect(vm)
        finally:
            vm.pause.set()
            vm.pause = None


class _Collection:
    """All the steps that it takes until what is garbage now is gone."""

    def __init__(self, vm: ScriptVM) -> None:
        self._vm = vm
        self._ends = 0
        vm.sums.collection_begins(vm.suspended)
        self._steps_left = CYCLES * (vm.memory_used() // STEP + 16)
        self.ended = False

    def go_on(self) -> None:
        """A piece of it."""
        vm = self._vm
        piece_ends = perf_counter() + PIECE_SECONDS
        while not self.ended:
            self._step(vm)
            if perf_counter() >= piece_ends:
                return

    def _step(self, vm: ScriptVM) -> None:
        if vm.retired:
            self.ended = True  # and nobody's sum counts in it any more
            return
        used, began = vm.memory_used(), perf_counter()
        self._steps_left -= 1
        if vm.collect_step():
            self._ends += 1
        seconds = perf_counter() - began
        for run in vm.collected_for:
            run.computed += seconds * run.memory / max(used, run.memory, 1)
        if vm.retired:
            self.ended = True
        elif self._ends == CYCLES or self._steps_left < 0:
            self.ended = True
            vm.sums.collection_ends(vm.suspended, vm.memory_used())


def _is_short(vm: ScriptVM) -> bool:
    return not vm.retired and vm.memory_used() > vm.room.line


def _ending(vm: ScriptVM, run: LuaRun) -> Callable[[], CandyError]:
    breach = Breach(
        "lua_vm_memory",
        limits.FAILURE,
        f"had taken {limits.size(run.memory)}, the most of those in its VM, when that had"
        f" {limits.size(max(0, vm.room.limit - vm.memory_used()))} left of"
        f" {limits.size(vm.room.limit)}",
    )
    return lambda: RequestError(breach.status, limits.line(breach, run.name, "", vm.traceback(run)))
