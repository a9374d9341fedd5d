"""All of a worker's Lua: its VMs by engine, their isolates, and the handlers of its Lua routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candy_trio.lua.scripts import Script
from candy_trio.lua.vm import ScriptVM, Services
from engines import registry

if TYPE_CHECKING:
    from candy_trio.config.schema import LuaContent, LuaSettings, Route


class LuaHost:
    """Makes VMs when a route first needs them; every route finds its script and isolate here."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._vms: dict[str, ScriptVM] = {}
        self._isolates: dict[tuple[str, str], int] = {}

    def vm(self, engine: str) -> ScriptVM:
        """The worker's VM of that engine."""
        vm = self._vms.get(engine)
        if vm is None:
            vm = self._vms[engine] = ScriptVM(registry.load(engine), self._services)
        return vm

    def isolate(self, settings: LuaSettings, route: Route) -> int:
        """The isolate of a route: its own, or the one of all routes that give the same name."""
        # A name from the configuration can't be mistaken for a serial number.
        name = f"={route.serial}" if settings.isolate is None else f"@{settings.isolate}"
        key = (settings.engine, name)
        number = self._isolates.get(key)
        if number is None:
            vm = self.vm(settings.engine)
            number = self._isolates[key] = vm.new_isolate(sandboxed=settings.sandbox)
        return number

    def script(self, content: LuaContent) -> Script:
        """A route's script in the VM of its engine."""
        return Script(self.vm(content.lua.engine), content.source)

    def close(self) -> None:
        """Free all VMs."""
        for vm in self._vms.values():
            vm.close()
        self._vms.clear()
        self._isolates.clear()
