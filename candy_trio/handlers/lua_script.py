"""Lua routes: a script makes the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import trio

from candy_trio.config.schema import LuaContent
from candy_trio.errors import RequestError
from candy_trio.handlers.base import DONE, Finish, Handler, Jump, Outcome
from candy_trio.http.conditional import PRECONDITION_FAILED
from candy_trio.lua import limits
from candy_trio.lua.current import LuaRun
from candy_trio.lua.host import LuaHost, Place
from candy_trio.lua.traceback import numbered
from candy_trio.observe.log import Level
from engines.base import Failed, Returned

if TYPE_CHECKING:
    from candy_trio.config.schema import Route
    from candy_trio.lua.vm import Services
    from candy_trio.pipeline.exchange import Exchange
    from engines.base import Answer

# What finish() of run.lua answers with first.
_COMPLETE: Final = 1
_STREAMED: Final = 2
_PAGE: Final = 3
_JUMP: Final = 4
_OVERFLOW: Final = 5


class LuaRoutes:
    """A worker's Lua, as the pipeline asks for it; the configuration's engines are there."""

    def __init__(self, services: Services) -> None:
        self.host = LuaHost(services)
        # Now rather than at a first request: making a VM takes some 10 ms.
        for host in services.config.hosts:
            for route in host.routes:
                if isinstance(route.content, LuaContent):
                    self.host.vm(route.content.lua.engine)

    def handler(self, route: Route) -> Handler:
        """A handler for a route whose content is a script."""
        assert isinstance(route.content, LuaContent)
        return LuaScriptHandler(route, route.content, self.host)

    def modes(self) -> list[str]:
        """See :class:`candy_trio.pipeline.app.LuaHost`."""
        return self.host.modes()

    async def run(self) -> None:
        """See :class:`candy_trio.pipeline.app.LuaHost`."""
        await self.host.run()

    def close(self) -> None:
        """Close the VMs; after the last request."""
        self.host.close()


class LuaScriptHandler(Handler):
    """Runs one route's script for each of its requests."""

    begins_anywhere = True

    def __init__(self, route: Route, content: LuaContent, lua: LuaHost) -> None:
        self._route = route
        self._content = content
        self._settings = content.lua
        self._cached = content.lua.code_cache
        self._serial = route.serial
        self._lua = lua
        self._place = lua.place(route, content)

    async def handle(self, exchange: Exchange) -> Outcome:
        """See :meth:`candy_trio.handlers.base.Handler.handle`."""
        while True:
            place = self._place
            vm, turns = place.vm, place.isolate.turns
            if vm.retired:
                self._place = self._lua.place(self._route, self._content)
                continue
            # Asking the clock costs a microsecond, and the head came in just now.
            started = trio.current_time() if exchange.jumps else exchange.started_mono
            answer: Returned | Failed | None
            if not self._cached:
                answer = await self._run_uncached(exchange, place, started)
            else:
                run = LuaRun(exchange, vm.next_number(), self._settings, started, turns)
                if turns.taken or vm.memory_used() > vm.line:
                    answer = await self._start_later(place, run, place.isolate.number, None)
                else:
                    script = place.script.number(started)
                    first = vm.start(run, self._serial, place.isolate.number, script)
                    if isinstance(first, Returned):
                        answer = first
                    else:
                        answer = await self._go_on(place, run, first)
            if isinstance(answer, Returned):
                return _conclude(exchange, answer.values)
            if answer is not None:
                _log_failure(exchange, answer)
                return Finish(500, vm.failed_head() or b"")

    async def _run_uncached(
        self, exchange: Exchange, place: Place, started: float
    ) -> Returned | Failed | None:
        """Everything made for this request alone: the script, its isolate, its modules."""
        vm, turns = place.vm, place.isolate.turns
        script = place.script.compile_anew()
        isolate = vm.new_isolate(sandboxed=self._settings.sandbox)
        try:
            run = LuaRun(exchange, vm.next_number(), self._settings, started, turns)
            if turns.taken or vm.memory_used() > vm.line:
                return await self._start_later(place, run, isolate, script)
            answer = vm.start(run, self._serial, isolate, script)
            return await self._go_on(place, run, answer)
        finally:
            vm.drop_isolate(isolate)
            vm.drop_script(script)

    async def _start_later(
        self, place: Place, run: LuaRun, isolate: int, script: int | None
    ) -> Returned | Failed | None:
        """None: the VM was retired before the run could begin."""

        def begin(late: float) -> Answer:
            # A cached script may have been replaced while the run waited.
            current = place.script.number(trio.current_time()) if script is None else script
            return place.vm.start(run, self._serial, isolate, current, late)

        return await self._lua.scheduler.start(place.vm, run, place.script.name, begin)

    async def _go_on(self, place: Place, run: LuaRun, answer: Answer) -> Returned | Failed:
        """What a run ends with whose first step gave ``answer``."""
        vm, name = place.vm, place.script.name
        if isinstance(answer, Failed):
            self._lua.scheduler.failed(vm, run, name, answer)
        elif not isinstance(answer, Returned):
            return await self._lua.scheduler.finish(vm, run, name, answer)
        return answer


def _conclude(exchange: Exchange, values: tuple[Any, ...]) -> Outcome:
    """Turn what a run answered into the response."""
    kind = values[0]
    response = exchange.response
    if kind == _COMPLETE:
        status, lines = int(values[1]), values[2]
        if status == 200:
            status, lines = exchange.judge(lines)
            if status == PRECONDITION_FAILED:
                return Finish(status)
        response.send_complete(status, lines, values[3])
        return DONE
    if kind == _STREAMED:
        if not response.ended:
            response.write(values[1])
        return DONE
    if kind == _PAGE:
        return Finish(int(values[1]), values[2])
    if kind == _JUMP:
        return Jump(values[1], values[2])
    assert kind == _OVERFLOW
    raise _overflow(exchange, values[1])


def _overflow(exchange: Exchange, where: bytes) -> RequestError:
    """What a script ends with whose client does not take what it says."""
    content = exchange.route.content
    assert isinstance(content, LuaContent)
    breach = limits.of_output(content.lua, exchange.response.queued)
    name = content.source.chunk[1:]
    traceback = numbered(where.removeprefix(b"stack traceback:\n"))
    return RequestError(breach.status, limits.line(breach, name, "", traceback))


def _log_failure(exchange: Exchange, failure: Failed) -> None:
    reason = failure.error if failure.error is not None else b"unknown reason"
    exchange.log(
        Level.ERR,
        b"lua entry thread aborted: runtime error: "
        + reason
        + b"\nstack traceback:\n"
        + numbered(failure.traceback),
    )
