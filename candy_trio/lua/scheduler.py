"""The one loop that resumes Lua and awaits what it asked for.

Rules of this file:

- A run that never waits passes without coming here: the caller looks at the first answer itself.
- ``lua_time_limit`` is a cancel scope around the run, opened when the run first waits or is
  interrupted (a scope costs as much as a third of a small request), its deadline counted from
  the run's start.
- Scripts that compute stand in one queue: in each turn of the event loop one of them gets one
  slice. A trio lock is all of that queue: it is handed over in order, and getting it takes a turn.
- A run steps only while the turn of its isolate is open to it (``turns.py``). It waits for the
  turn before it queues, never the other way round: whoever has the turn may be behind it.
- Whatever ends the run early (deadline, client gone, shutdown, a limit, an error of an operation)
  drops it: a dropped run is never resumed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from candy_trio.errors import CandyError, RequestError
from candy_trio.handover import own_task
from candy_trio.lua import limits
from candy_trio.lua.operations import perform
from candy_trio.lua.traceback import numbered
from engines.base import Failed, Preempted, Returned, Yielded

if TYPE_CHECKING:
    from collections.abc import Callable

    from candy_trio.lua.collector import Collector
    from candy_trio.lua.current import LuaRun
    from candy_trio.lua.limits import Breach
    from candy_trio.lua.vm import ScriptVM
    from engines.base import Answer, Plain

    Begin = Callable[[float], Answer]

QUEUES_ABOVE: Final = 0.002
"""Seconds: a run whose last step was longer queues after a wait, too. Scripts that sleep just
before the end of each slice would else have more than one slice in a turn."""


class Scheduler:
    """One a worker, for the runs of all its VMs.

    What takes a run to its end raises RequestError (504, 500: a limit), ClientGone, and what
    operations raise.
    """

    def __init__(self, slices: trio.Lock, collector: Collector) -> None:
        self._slices = slices
        self._collector = collector

    async def start(
        self, vm: ScriptVM, run: LuaRun, name: str, begin: Begin
    ) -> Returned | Failed | None:
        """Take a run that may not begin at once to its end.

        ``begin`` takes its first step, and is told how many seconds that came late. None: its VM
        was retired meanwhile, and the run belongs into another one.
        """
        run.name = name
        return await self._take(vm, run, None, begin)

    async def finish(
        self, vm: ScriptVM, run: LuaRun, name: str, answer: Answer
    ) -> Returned | Failed:
        """Take a run to its end whose first step was not the last one."""
        run.name = name
        vm.account(run)
        if isinstance(answer, Preempted):
            run.turns.keep(run)
        ended = await self._take(vm, run, answer, None)
        assert ended is not None
        return ended

    def failed(self, vm: ScriptVM, run: LuaRun, name: str, failure: Failed) -> None:
        """Judge a run that failed in its first step."""
        if failure.limit is not None:
            run.name = name
            vm.account(run)
            vm.sums.dropped(run)
            self._judge(vm, run, failure)

    async def _take(
        self, vm: ScriptVM, run: LuaRun, answer: Answer | None, begin: Begin | None
    ) -> Returned | Failed | None:
        watching = run.settings.check_client_abort
        vm.suspended.add(run)
        try:
            await own_task()
            with trio.CancelScope(deadline=run.started + run.settings.time_limit) as scope:
                run.scope = scope
                if run.ending is not None:  # a write has found it out before there was a scope
                    scope.cancel()
                if watching:
                    run.exchange.watch_client(run.client_gone)
                if begin is not None:
                    answer = await self._begin(vm, run, begin)
                while isinstance(answer, Yielded | Preempted):
                    answer = await self._go_on(vm, run, answer)
                if isinstance(answer, Failed) and answer.limit is not None:
                    self._judge(vm, run, answer)
                return answer
            raise _early_end(vm, run)
        finally:
            if watching:
                run.exchange.unwatch_client()
            vm.drop(run)
            run.turns.give_back(run)
            vm.suspended.discard(run)
            if vm.retired:
                self._collector.close(vm)

    async def _begin(self, vm: ScriptVM, run: LuaRun, begin: Begin) -> Answer | None:
        await self._wait(vm, run)
        if vm.retired:
            return None
        answer = begin(trio.current_time() - run.started)
        vm.account(run)
        return answer

    async def _go_on(self, vm: ScriptVM, run: LuaRun, answer: Yielded | Preempted) -> Answer:
        """The step after ``answer``, and after what that asks for."""
        if isinstance(answer, Preempted):
            run.turns.keep(run)
            await self._settle(vm, run)
            return await self._next_slice(vm, run, ())
        run.turns.give_back(run)
        await self._settle(vm, run)
        computed_long = run.step_seconds > QUEUES_ABOVE
        values = await perform(run, answer.op, answer.args)
        if computed_long:
            return await self._next_slice(vm, run, values)
        await self._wait(vm, run)
        return vm.resume(run, trio.current_time() - run.started, *values)

    async def _settle(self, vm: ScriptVM, run: LuaRun) -> None:
        """Raise where it is past a limit; mostly without waiting."""
        settings, response = run.settings, run.exchange.response
        while not vm.retired:
            # The first collection early: what others have grown by is in doubt then, too, and
            # a wrong share of it does no harm yet.
            may_wait = run.collected and vm.has_plenty()
            if not limits.in_doubt(settings, run.memory, run.grown, response.queued, may_wait):
                break
            await self._collector.collection(vm, run)
        breach = limits.after_step(settings, run.computed, run.memory, response.queued)
        if breach is not None:
            raise self._over(vm, run, breach, vm.traceback(run))

    async def _next_slice(self, vm: ScriptVM, run: LuaRun, values: tuple[Plain, ...]) -> Answer:
        while True:
            await self._wait(vm, run)
            async with self._slices:
                # The lock may have been handed to a run that was cancelled in the same turn.
                await trio.lowlevel.checkpoint_if_cancelled()
                # An isolate may have begun to take turns since, and the VM may have filled up.
                if run.turns.open_to(run) and vm.pause is None and not vm.is_full():
                    return vm.resume(run, trio.current_time() - run.started, *values)

    async def _wait(self, vm: ScriptVM, run: LuaRun) -> None:
        """Until the VM has room, and the turn is open to ``run``; mostly not at all."""
        turns = run.turns
        while True:
            if not turns.open_to(run):
                run.turn_wanted = trio.current_time()
                await turns.take(run)
                await trio.lowlevel.checkpoint_if_cancelled()
                run.turn_wanted = None
            if vm.pause is not None:
                await vm.pause.wait()
                continue
            if vm.memory_used() <= vm.line:
                return
            self._collector.want(vm)
            if not vm.is_full() or vm.making_room is None:
                return
            # All who waited are woken at once: the first of them may fill it again.
            await vm.making_room.wait()

    # ------------------------------------------------------------------ early ends
    def _judge(self, vm: ScriptVM, run: LuaRun, failure: Failed) -> None:
        """Raise what a run ends with that was ended within a step, for its limit."""
        settings, queued = run.settings, run.exchange.response.queued
        if failure.limit == "seconds":
            elapsed = trio.current_time() - run.started
            breach = limits.of_seconds(settings, elapsed, run.computed)
        else:
            room = vm.room.limit - vm.memory_used()
            breach = limits.of_memory(settings, run.memory, queued, room)
        raise self._over(vm, run, breach, numbered(failure.traceback))

    def _over(self, vm: ScriptVM, run: LuaRun, breach: Breach, where: bytes) -> RequestError:
        if breach.status == limits.FAILURE:
            self._collector.want(vm)  # which comes after this run is dropped
        return RequestError(breach.status, limits.line(breach, run.name, "", where))


def _early_end(vm: ScriptVM, run: LuaRun) -> CandyError:
    """What a run ends with that was cancelled while it waited."""
    if run.ending is not None:
        return run.ending()
    now = trio.current_time()
    breach = limits.of_elapsed(run.settings, now - run.started)
    note = ""
    if run.turn_wanted is not None:
        note = (
            f", {now - run.turn_wanted:.3f} s of it waiting for the turn of its isolate, which"
            f" {run.turns.holder()} has"
        )
    return RequestError(breach.status, limits.line(breach, run.name, note, vm.traceback(run)))
