"""The one loop that resumes Lua and awaits what it asked for.

Rules of this file:

- A run that never waits passes through here without an await: the caller looks at the first
  answer itself.
- ``lua_time_limit`` is a cancel scope around the run, opened when the run first waits or is
  interrupted (a scope costs as much as a third of a small request), its deadline counted from
  the run's start.
- Whatever ends the run early (deadline, client gone, shutdown, an error of an operation) drops
  it: a dropped run is never resumed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from candy_trio.errors import ClientGone, RequestError
from candy_trio.lua.operations import perform
from engines.base import Failed, Preempted, Returned, Yielded

if TYPE_CHECKING:
    from candy_trio.lua.current import LuaRun
    from candy_trio.lua.vm import ScriptVM
    from engines.base import Answer


async def finish(vm: ScriptVM, run: LuaRun, answer: Answer, name: str) -> Returned | Failed:
    """Take a run that has waited or was interrupted to its end.

    Raises RequestError (504: the time limit), ClientGone, and what operations raise.
    """
    limit = run.settings.time_limit
    watching = run.settings.check_client_abort
    try:
        with trio.CancelScope(deadline=run.started + limit) as scope:
            run.scope = scope
            if run.gone:  # a write has found it out before there was a scope
                scope.cancel()
            if watching:
                run.exchange.watch_client(run.client_gone)
            while True:
                if isinstance(answer, Yielded):
                    values = await perform(run, answer.op, answer.args)
                    answer = vm.resume(run, *values)
                elif isinstance(answer, Preempted):
                    await trio.lowlevel.checkpoint()
                    answer = vm.resume(run)
                else:
                    return answer
        if run.gone:
            raise ClientGone("client closed connection while its script ran")
        raise _time_limit(vm, run, name)
    finally:
        if watching:
            run.exchange.unwatch_client()
        vm.drop(run)


def _time_limit(vm: ScriptVM, run: LuaRun, name: str) -> RequestError:
    used = trio.current_time() - run.started
    where = vm.traceback(run).decode("utf-8", "replace")
    return RequestError(
        504,
        f"lua entry thread aborted: lua_time_limit: {name} ran {used:.3f} s"
        f" of at most {run.settings.time_limit:g} s\nstack traceback:\ncoroutine 0:\n{where}",
    )
