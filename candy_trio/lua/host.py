"""All of a worker's Lua: its VMs by engine, their isolates, and where each route's script runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from candy_trio.errors import CandyError, ConfigError, RequestError
from candy_trio.lua import limits
from candy_trio.lua.collector import Collector
from candy_trio.lua.scheduler import Scheduler
from candy_trio.lua.scripts import Script
from candy_trio.lua.turns import Turns
from candy_trio.lua.vm import ScriptVM, Services
from candy_trio.observe.log import Level
from engines import registry
from engines.errors import EngineUnavailable, LuaError

if TYPE_CHECKING:
    from candy_trio.config.schema import LuaContent, LuaSettings, Route
    from engines.base import LuaEngine


class Isolate:
    """Its number in its VM, and its turns."""

    __slots__ = ("number", "turns")

    def __init__(self, number: int, turns: Turns) -> None:
        self.number: Final = number
        self.turns: Final = turns


class Place:
    """Where the scripts of a route run, for as long as the VM is not retired."""

    __slots__ = ("isolate", "script", "vm")

    def __init__(self, vm: ScriptVM, script: Script, isolate: Isolate) -> None:
        self.vm: Final = vm
        self.script: Final = script
        self.isolate: Final = isolate


class LuaHost:
    """Makes VMs when a route first needs them; every route finds its place here."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._vms: dict[str, ScriptVM] = {}
        self._isolates: dict[tuple[str, str], Isolate] = {}
        self._retired: list[ScriptVM] = []
        self.retirements = 0
        """How many VMs have been retired since the start."""
        slices = trio.Lock()
        self.collector = Collector(slices, self.retire)
        self.scheduler = Scheduler(slices, self.collector)

    def vm(self, engine: str) -> ScriptVM:
        """The worker's VM of that engine. Raises ConfigError if it can't even be made."""
        vm = self._vms.get(engine)
        if vm is None:
            vm = self._vms[engine] = self._make_vm(registry.load(engine))
        return vm

    def _make_vm(self, engine: LuaEngine) -> ScriptVM:
        try:
            vm = ScriptVM(engine, self._services)
        except EngineUnavailable as error:
            raise ConfigError([str(error)]) from error
        vm.on_broken = self._broken
        if vm.memory_used() > vm.room.line:
            used, limit = limits.size(vm.memory_used()), limits.size(vm.room.limit)
            vm.close()
            raise ConfigError(
                [f"lua_vm_memory: {limit} is too little: an empty VM of {engine.name} has {used}"]
            )
        return vm

    def place(self, route: Route, content: LuaContent) -> Place:
        """Where the scripts of ``route`` run from now on."""
        vm = self.vm(content.lua.engine)
        vm.add_route(route, content.lua)
        script = Script(vm, content.source)
        # Without a code cache each request has an isolate of its own: nobody to take turns with.
        if not content.lua.code_cache:
            return Place(vm, script, Isolate(0, Turns(interleave=True)))
        return Place(vm, script, self._isolate(vm, route, content.lua))

    def _isolate(self, vm: ScriptVM, route: Route, settings: LuaSettings) -> Isolate:
        """The isolate of a route: its own, or the one of all routes that give the same name."""
        # A name from the configuration can't be mistaken for a serial number.
        name = f"={route.serial}" if settings.isolate is None else f"@{settings.isolate}"
        key = (settings.engine, name)
        isolate = self._isolates.get(key)
        if isolate is None:
            number = vm.new_isolate(sandboxed=settings.sandbox)
            isolate = self._isolates[key] = Isolate(number, Turns(settings.interleave))
        return isolate

    # ------------------------------------------------------------------ retirement
    def retire(self, vm: ScriptVM, reason: str) -> None:
        """Serve new requests of its routes in a fresh VM; the runs in it go on to their ends."""
        if vm.retired:
            return
        engine = vm.engine.name
        vm.retire()
        self.retirements += 1
        self._retired = [*(vm for vm in self._retired if not vm.closed), vm]
        self.collector.close(vm)
        del self._vms[engine]
        for key in [key for key in self._isolates if key[0] == engine]:
            del self._isolates[key]
        self._services.error_log.log(
            Level.CRIT,
            f"the VM of {engine} is retired ({self.retirements} since the start),"
            f" {len(vm.suspended)} scripts are in it: {reason}",
        )
        try:
            self.vm(engine)
        except (LuaError, CandyError) as error:  # the next request that needs it tries again
            self._services.error_log.log(Level.CRIT, f"no fresh VM of {engine}: {error}")

    def _broken(self, vm: ScriptVM, reason: str) -> None:
        self.retire(vm, reason)
        for run in vm.suspended:
            run.end(lambda: RequestError(500, "the VM of this script can't be entered any more"))

    # ------------------------------------------------------------------ the worker
    def modes(self) -> list[str]:
        """For the log at the start: each engine's version, and how it keeps limits."""
        return [f"{vm.engine.name}: {vm.engine.version()}, {vm.mode}" for vm in self._vms.values()]

    async def run(self) -> None:
        """What goes on beside the requests; until cancelled."""
        await self.collector.run()

    def close(self) -> None:
        """Free all VMs."""
        for vm in (*self._vms.values(), *self._retired):
            if not vm.closed:
                vm.close()
        self._vms.clear()
        self._retired.clear()
        self._isolates.clear()
