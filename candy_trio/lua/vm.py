"""A VM that runs scripts: an engine's Lua state with the sandbox and the API in it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from itertools import count
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, Protocol

from candy_trio.errors import RequestError
from candy_trio.lua import limits, modules, traceback
from candy_trio.lua.api import output, regex, request, shared, text, time
from candy_trio.lua.current import Current, LuaRun
from candy_trio.lua.room import Room, Sums
from candy_trio.observe.log import Level
from candy_trio.version import VERSION

if TYPE_CHECKING:
    import trio

    from candy_trio.config.schema import Config, LuaSettings, Route
    from candy_trio.observe.log import ErrorLog
    from candy_trio.shared_dict.base import SharedDictBackend
    from engines.base import Answer, LuaEngine, LuaValue, Plain

_AREAS: Final = (
    "constants",
    "response_headers",
    "request",
    "output",
    "text",
    "regex",
    "control",
    "body",
    "time",
    "log",
    "variables",
    "shared",
    "candy",
)
"""The areas of the API in the order of their installation: later ones use what earlier made."""

_MAKE_TABLE: Final = b"""
local t = {}
for i = 1, select('#', ...), 2 do
  local key, value = select(i, ...)
  t[key] = value
end
return t
"""

_HEAD: Final = 1
_HTTP_10 = 2


class Services(Protocol):
    """What the scripts of a worker share: :class:`candy_trio.pipeline.app.App` has it."""

    config: Config
    error_log: ErrorLog
    shared: Mapping[str, SharedDictBackend]
    stopping: bool


class ScriptVM:
    """One engine's VM in one worker; all routes that name the engine share it."""

    closed: bool
    """Whether the state is freed."""

    def __init__(self, engine: LuaEngine, services: Services) -> None:
        config = services.config
        self.engine = engine
        self.engine_vm = engine.new_vm(
            memory_limit=config.lua_vm_memory, time_slice=config.lua_time_slice
        )
        self.engine_vm.on_callback_error = self._report
        self.mode = self.engine_vm.mode
        """How limits are enforced in it, for the log."""
        self.room = Room(config.lua_vm_memory)
        self.line = self.room.line
        self.making_room: trio.Event | None = None
        """While somebody makes room in it."""
        self.pause: trio.Event | None = None
        """While the runs that have begun stand still, so that no garbage is made."""
        self.memory_used: Callable[[], int] = self.engine_vm.memory_used
        self._limits: LuaSettings | None = None
        """Whose limits of a first step the engine's VM has."""
        self.suspended: set[LuaRun] = set()
        """The runs that wait, for whatever; the others are over before anybody else looks."""
        self.collected_for: set[LuaRun] = set()
        """Those of them that wait for the end of a collection."""
        self.retired = False
        """Whether another VM has taken its place: new runs belong there."""
        self.broken = False
        """Whether Lua can't be entered any more."""
        self.closed = False
        self.on_broken: Callable[[ScriptVM, str], None] | None = None
        self.current = Current(services.error_log)
        self._numbers = count(1)
        kernel = self.engine_vm.kernel
        host = self._table(self._callbacks(engine, services))
        for name, shared_dict in services.shared.items():
            host[f"shared {name}".encode()] = self._table(
                shared.callbacks(shared_dict, self.current)
            )
        load = self._load
        environments = load("environments", kernel)
        scripts = load("scripts", kernel, host, environments)
        surface = load("api/surface", kernel, host)
        load("api/pieces", kernel, host, surface)
        lualib = load("lualib", kernel, host, surface)
        own_modules = load("modules", kernel, host, scripts, lualib)
        compat = load("compat", kernel, host, lualib)
        legacy_modules = load("legacy_modules", kernel, environments, own_modules)
        finalizers = load("finalizers", kernel)
        sandbox = load(
            "sandbox",
            kernel,
            host,
            scripts,
            own_modules,
            legacy_modules,
            compat,
            finalizers,
            surface,
        )
        areas: dict[str, Any] = {}
        for name in _AREAS:
            areas[name] = load(f"api/{name}", kernel, host, surface, areas.get("response_headers"))
        run = load(
            "run",
            kernel,
            host,
            scripts,
            sandbox,
            areas["response_headers"],
            areas["body"],
            areas["output"],
            *areas.values(),
        )
        self._new_isolate: Any = run[b"new_isolate"]
        self._drop_isolate: Any = run[b"drop_isolate"]
        self._new_server: Any = run[b"new_server"]
        self._servers: dict[int, LuaValue] = {}
        """What serves requests, by the script's number."""
        self._set_route: Any = run[b"set_route"]
        self._failed_head: Any = run[b"failed_head"]
        self.sums = Sums(self.memory_used())

    # ------------------------------------------------------------------ isolates and scripts
    def new_isolate(self, *, sandboxed: bool) -> int:
        """A fresh isolate's number: its own libraries, modules and API tables."""
        number = next(self._numbers)
        self._new_isolate(number, sandboxed)
        return number

    def drop_isolate(self, number: int) -> None:
        """Forget an isolate; runs in flight keep what they hold."""
        if not (self.closed or self.broken):
            self._drop_isolate(number)

    def compile(self, source: bytes, chunk: str) -> tuple[int, None] | tuple[None, bytes]:
        """A script's number, or Lua's message that says why it does not compile."""
        number = next(self._numbers)
        made = self._new_server(source, chunk.encode())
        if isinstance(made, tuple):
            return None, made[1]
        self._servers[number] = made
        return number, None

    def drop_script(self, number: int) -> None:
        """Forget a compiled script; runs in flight go on with it."""
        if not (self.closed or self.broken):
            self._servers.pop(number, None)

    def add_route(self, route: Route, settings: LuaSettings) -> None:
        """Tell Lua what it needs of a route: once, not with each request."""
        self._set_route(
            route.serial,
            route.default_type.encode(),
            settings.use_default_type,
            settings.transform_underscores_in_response_headers,
            settings.http10_buffering,
            settings.need_request_body,
        )

    # ------------------------------------------------------------------ runs
    def next_number(self) -> int:
        """A number for a new run."""
        return next(self._numbers)

    def start(
        self, run: LuaRun, route: int, isolate: int, script: int, waited: float = 0.0
    ) -> Answer:
        """The first step of a request's run, ``waited`` seconds after it could have begun.

        Raises RequestError if Lua can't be entered.
        """
        exchange = run.exchange
        head = exchange.head
        kind = (_HEAD if exchange.method == b"HEAD" else 0) + (0 if head.minor else _HTTP_10)
        self.current.run = run
        lua, settings = self.engine_vm, run.settings
        if waited:
            lua.seconds_left = limits.seconds_left(settings, waited, 0.0)
            lua.memory_left = settings.memory_limit
            self._limits = None
        elif settings is not self._limits:
            lua.seconds_left = limits.seconds_left(settings, 0.0, 0.0)
            lua.memory_left = settings.memory_limit
            self._limits = settings
        server, handed_on = self._servers[script], exchange.lua is not None
        try:
            return lua.start(run.number, server, route, isolate, kind, head.has_body, handed_on)
        except Exception as error:
            raise self._broken_by(error) from error

    def resume(self, run: LuaRun, elapsed: float, *values: Plain) -> Answer:
        """Its next step, ``elapsed`` seconds after its start; raises as :meth:`start` does."""
        self.current.run = run
        lua, settings = self.engine_vm, run.settings
        self._limits = None
        lua.seconds_left = limits.seconds_left(settings, elapsed, run.computed)
        queued = run.exchange.response.queued
        lua.memory_left = limits.memory_left(settings, run.memory, queued, self.has_plenty())
        try:
            answer = lua.resume(run.number, *values)
        except Exception as error:
            raise self._broken_by(error) from error
        self.account(run)
        return answer

    def account(self, run: LuaRun) -> None:
        """Add the step just taken to the sums of ``run``."""
        lua = self.engine_vm
        run.step_seconds = lua.step_seconds
        run.computed += lua.step_seconds
        self.sums.stepped(run, lua.step_memory, self.memory_used())

    def collect_step(self) -> bool:
        """A piece of a collection; True when a cycle has ended."""
        try:
            return self.engine_vm.collect_step()
        except Exception as error:
            self._broken_by(error)
            return False

    def drop(self, run: LuaRun) -> None:
        """Never resume it again."""
        self.sums.dropped(run)
        if not self.broken:
            self.engine_vm.drop(run.number)

    def failed_head(self) -> bytes | None:
        """The header lines of the run that has just failed, without the type; None if its script
        takes the head for sent, which it then is."""
        lines: bytes | None = self._failed_head()
        return lines

    def traceback(self, run: LuaRun) -> bytes:
        """Where a suspended run stands."""
        if self.broken:
            return b""
        where = self.engine_vm.traceback(run.number)
        return traceback.numbered(where) if where else b""

    # ------------------------------------------------------------------ its end
    def retire(self) -> None:
        """Another VM takes its place; the runs in it go on."""
        self.retired = True
        self.line = sys.maxsize
        if not self.broken:
            self.engine_vm.retire()

    def has_plenty(self) -> bool:
        """Whether garbage may lie about in it."""
        return self.memory_used() < self.room.limit // 2

    def is_full(self) -> bool:
        """Whether nobody shall step before room is made."""
        return not self.retired and self.memory_used() > self.room.brim

    def room_is_made(self) -> None:
        """Let those go on who wait for it."""
        if self.making_room is not None:
            self.making_room.set()
            self.making_room = None

    def close(self) -> None:
        """Free the Lua state. A route that nobody asks for may hold on to this object."""
        self.engine_vm.close()
        self._servers.clear()
        self._new_isolate = self._drop_isolate = self._new_server = None
        self._set_route = self._failed_head = None
        self.retired = self.closed = True

    def _broken_by(self, error: Exception) -> RequestError:
        """Lua has failed where scripts can't make it fail: nothing in it can be relied on."""
        text = "".join(format_exception(error)).rstrip()
        self.broken = True
        if self.on_broken is not None:
            self.on_broken(self, text)
        return RequestError(500, f"Lua of {self.engine.name} can't be entered any more: {error}")

    # ------------------------------------------------------------------ making it
    def _load(self, name: str, *args: object) -> Any:
        source = (files("candy_trio.lua") / f"{name}.lua").read_bytes()
        return self.engine_vm.execute(source, f"{name}.lua", *args)

    def _table(self, entries: dict[str, Any]) -> Any:
        flat: list[object] = []
        for key, value in entries.items():
            flat += (key.encode(), value)
        return self.engine_vm.execute(_MAKE_TABLE, "table", *flat)

    def _callbacks(self, engine: LuaEngine, services: Services) -> dict[str, Callable[..., Any]]:
        config = services.config
        info = _server_info(engine)
        return {
            **request.callbacks(self.current),
            **output.callbacks(self.current),
            **text.callbacks(self.current),
            **time.CALLBACKS,
            **regex.callbacks(
                self.current, config.lua_regex_cache_max_entries, config.lua_regex_match_limit
            ),
            **modules.callbacks(config.lua_package_path, config.folder, config.package_path_text),
            "clean_traceback": traceback.clean,
            "sharing_begins": lambda: self.current.run.turns.sharing_begins(),
            "loading": self.current.loading,
            "log_threshold": lambda: int(services.error_log.threshold),
            "shared_names": lambda: _lines(services.shared),
            "server_info": lambda: info,
            "prefix": lambda: os.fsencode(config.folder) + b"/",
            "pid": os.getpid,
            "exiting": lambda: services.stopping,
        }

    def _report(self, error: BaseException) -> None:
        self.current.log(Level.ERR, "".join(format_exception(error)).rstrip())


def _lines(names: Iterable[str]) -> bytes:
    return "\n".join(names).encode()


def _server_info(engine: LuaEngine) -> tuple[bytes, ...]:
    compiler = f"Python {platform.python_version()}, {engine.version()}"
    commit = os.environ.get("CANDY_COMMIT", "unknown")
    facts = (VERSION, "candy_trio", sys.platform, platform.machine(), compiler, commit, engine.name)
    return tuple(fact.encode() for fact in facts)
