"""Lua routes: a script makes the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from candy_trio.config.schema import LuaContent
from candy_trio.handlers.base import DONE, Finish, Handler, Jump, Outcome
from candy_trio.http.conditional import PRECONDITION_FAILED
from candy_trio.lua import scheduler
from candy_trio.lua.current import LuaRun
from candy_trio.lua.host import LuaHost
from candy_trio.lua.traceback import clean
from candy_trio.observe.log import Level
from engines.base import Failed, Returned

if TYPE_CHECKING:
    from candy_trio.config.schema import Route
    from candy_trio.lua.vm import Services
    from candy_trio.pipeline.exchange import Exchange
    from engines.base import Answer

# What finish() of run.lua answers with first.
_COMPLETE = 1
_STREAMED = 2
_PAGE = 3
_JUMP = 4


class LuaRoutes:
    """A worker's Lua, as the pipeline asks for it; the configuration's engines are there."""

    def __init__(self, services: Services) -> None:
        self._lua = LuaHost(services)
        # Now rather than at a first request: making a VM takes some 10 ms.
        for host in services.config.hosts:
            for route in host.routes:
                if isinstance(route.content, LuaContent):
                    self._lua.vm(route.content.lua.engine)

    def handler(self, route: Route) -> Handler:
        """A handler for a route whose content is a script."""
        assert isinstance(route.content, LuaContent)
        return LuaScriptHandler(route, route.content, self._lua)

    async def run(self) -> None:
        """Nothing goes on beside the requests yet."""

    def close(self) -> None:
        """Close the VMs; after the last request."""
        self._lua.close()


class LuaScriptHandler(Handler):
    """Runs one route's script for each of its requests."""

    def __init__(self, route: Route, content: LuaContent, lua: LuaHost) -> None:
        self._settings = content.lua
        self._route = route.serial
        self._vm = lua.vm(content.lua.engine)
        self._script = lua.script(content)
        self._isolate = lua.isolate(content.lua, route)
        self._vm.add_route(route, content.lua)

    async def handle(self, exchange: Exchange) -> Outcome:
        """See :meth:`candy_trio.handlers.base.Handler.handle`."""
        if not self._settings.code_cache:
            return await self._handle_uncached(exchange)
        return await self._run(exchange, self._isolate, self._script.number())

    async def _handle_uncached(self, exchange: Exchange) -> Outcome:
        """Everything made for this request alone: the script, its isolate, its modules."""
        vm = self._vm
        script = self._script.compile_anew()
        isolate = vm.new_isolate(sandboxed=self._settings.sandbox)
        try:
            return await self._run(exchange, isolate, script)
        finally:
            vm.drop_isolate(isolate)
            vm.drop_script(script)

    async def _run(self, exchange: Exchange, isolate: int, script: int) -> Outcome:
        vm = self._vm
        # Asking the clock costs a microsecond, and the head came in just now.
        started = trio.current_time() if exchange.jumps else exchange.started_mono
        run = LuaRun(exchange, vm.next_number(), self._settings, started)
        try:
            answer: Answer = vm.start(run, self._route, isolate, script)
        except Exception:
            vm.drop(run)
            raise
        if not isinstance(answer, Returned):
            if not isinstance(answer, Failed):
                answer = await scheduler.finish(vm, run, answer, self._script.name)
            if isinstance(answer, Failed):
                _log_failure(exchange, answer)
                return Finish(500, vm.failed_head() or b"")
        return await _conclude(exchange, answer.values)


async def _conclude(exchange: Exchange, values: tuple[Any, ...]) -> Outcome:
    """Turn what a run answered into the response."""
    kind = values[0]
    response = exchange.response
    if kind == _COMPLETE:
        status, lines = int(values[1]), values[2]
        if status == 200:
            status, lines = exchange.judge(lines)
            if status == PRECONDITION_FAILED:
                return Finish(status)
        await response.send_complete(status, lines, values[3])
        return DONE
    if kind == _STREAMED:
        if not response.ended:
            response.write(values[1])
        await response.drain()
        return DONE
    if kind == _PAGE:
        return Finish(int(values[1]), values[2])
    assert kind == _JUMP
    return Jump(values[1], values[2])


def _log_failure(exchange: Exchange, failure: Failed) -> None:
    reason = failure.error if failure.error is not None else b"unknown reason"
    *coroutines, run = failure.traceback.split(b"\nstack traceback:\n")
    parts = [*(clean(part, of_run=False) for part in coroutines), clean(run)]
    exchange.log(
        Level.ERR,
        b"lua entry thread aborted: runtime error: "
        + reason
        + b"\nstack traceback:\n"
        + b"\n".join(b"coroutine %d:\n%b" % numbered for numbered in enumerate(parts)),
    )
